/** show(): values that say how they look, in a cell of a real tslab kernel. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
  await kernel.run(`
    import { Recording, show, timeline } from 'tslab-parallel';
    const DISPLAY = Symbol.for('Jupyter.display');`);
});
after(() => kernel?.close());

const VEGA_LITE = 'application/vnd.vegalite.v5+json';

test("Deno's protocol: the method's bundle, or its promise's", async () => {
  const cell = await kernel.run(`
    class Page { constructor(readonly html: string) {} [DISPLAY]() { return { 'text/html': this.html }; } }
    await show(new Page('<b>now</b>'));
    await show({ async [DISPLAY]() { return { 'image/svg+xml': '<svg/>', 'text/plain': 'a picture' }; } })`);
  assert.equal(cell.error, '');
  assert.equal(cell.stdout, '');
  assert.deepEqual(
    cell.displays.map(({ data, metadata }) => ({ data, metadata })),
    [
      { data: { 'text/html': '<b>now</b>' }, metadata: {} },
      {
        data: { 'image/svg+xml': '<svg/>', 'text/plain': 'a picture' },
        metadata: { 'image/svg+xml': { alt: 'a picture' } },
      },
    ],
  );
});

test('a Vega-Lite spec is drawn, with its description as alternative text', async () => {
  const cell = await kernel.run(`
    await show({
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      description: 'Two bars.',
      data: { values: [{ a: 1, b: 2 }, { a: 2, b: 5 }] },
      mark: 'bar',
      encoding: { x: { field: 'a', type: 'ordinal' }, y: { field: 'b', type: 'quantitative' } },
    })`);
  assert.equal(cell.error, '');
  const [shown] = cell.displays;
  assert.match(String(shown?.data['image/svg+xml']), /^<svg .*<path/s);
  assert.equal(shown?.data['text/plain'], 'Two bars.');
  // Text and background are the viewer's: one of them alone would be lost when its theme changes.
  const looks = shown?.data[VEGA_LITE] as { width: number; config: { font: string; background?: string } };
  assert.deepEqual(
    [looks.width, looks.config.font, looks.config.background],
    [600, 'system-ui, sans-serif', undefined],
  );
  assert.deepEqual(shown?.metadata, { 'image/svg+xml': { alt: 'Two bars.' } });
});

test('a spec of several panels keeps its own size, and all of them are drawn', async () => {
  const cell = await kernel.run(`
    await show({
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      data: { values: [{ a: 1, b: 2 }, { a: 2, b: 5 }] },
      mark: 'bar',
      width: 100,
      encoding: { column: { field: 'a' }, y: { field: 'b', type: 'quantitative' } },
    })`);
  assert.equal(cell.error, '');
  const { data } = cell.displays[0]!;
  assert.equal((data[VEGA_LITE] as { width: number }).width, 100);
  const wide = Number(/ width="(\d+)/.exec(String(data['image/svg+xml']))?.[1]);
  assert.ok(wide > 200, `the picture is ${wide} pixels wide`);
});

test('our own charts carry the symbol', async () => {
  const cell = await kernel.run(`
    const run = new Recording({ label: 'mine', total: 1 });
    run.measure('one', () => {});
    run.finish('done');
    await show(timeline(run))`);
  assert.equal(cell.error, '');
  const { data, metadata } = cell.displays[0]!;
  assert.deepEqual(Object.keys(data).sort(), [VEGA_LITE, 'image/svg+xml', 'text/plain']);
  assert.deepEqual(metadata, { 'image/svg+xml': { alt: data['text/plain'] } });
});

test('anything else is printed', async () => {
  const cell = await kernel.run(`await show([1, 2]); await show(null); await show('text');`);
  assert.equal(cell.error, '');
  assert.deepEqual(cell.displays, []);
  assert.equal(cell.stdout, '[ 1, 2 ]\nnull\ntext\n');
});

test('a method that returns no bundle, a spec that can not be drawn', async () => {
  const wrong = await kernel.run(`await show({ [DISPLAY]: () => 'text' })`);
  assert.match(
    wrong.error,
    /TypeError: Symbol\.for\('Jupyter\.display'\) returns an object such as \{ 'text\/html': '…' \}; it returned the string "text"\./,
  );
  const spec = await kernel.run(
    `await show({ $schema: 'https://vega.github.io/schema/vega-lite/v5.json', data: { values: [] } })`,
  );
  assert.equal(spec.ok, false);
  assert.match(spec.error, /Invalid specification/);
});

test('as the last expression without await: shown, and no promise printed', async () => {
  for (const code of [
    `show({ [DISPLAY]: () => ({ 'text/html': '<b>last</b>' }) })`,
    `timeline(new Recording({ label: 'mine', total: 1 })).show()`,
  ]) {
    const cell = await kernel.run(code);
    assert.equal(cell.error, '');
    assert.equal(cell.stdout, '');
    assert.equal(cell.displays.length, 1);
  }
  const nested = await kernel.run('[show(1)]');
  assert.match(nested.stdout, /^1\n\[ Promise \{ undefined \} \]\n$/);
});
