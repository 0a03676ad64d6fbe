/** Charts in a cell of a real tslab kernel. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
  await kernel.run('1 + 1');
});
after(() => kernel?.close());

const VEGA_LITE = 'application/vnd.vegalite.v5+json';

/** Files of modules that the kernel has loaded since it was last asked. */
async function loaded(): Promise<string[]> {
  const { stdout, error } = await kernel.run(`{
    const files = Object.keys(require.cache);
    const { seen = [] } = globalThis as unknown as { seen?: string[] };
    Object.assign(globalThis, { seen: files });
    console.log(JSON.stringify(files.filter((file) => !seen.includes(file))));
  }`);
  assert.equal(error, '');
  return JSON.parse(stdout);
}

// How long they take is measured by `npm run bench -- kernel`; this is what makes it long.
test('the import loads no chart, no cluster and no fetch, the first chart Vega, the next nothing', async (t) => {
  await loaded();
  assert.equal(
    (await kernel.run("import { compare, Recording, timeline } from 'tslab-parallel';")).error,
    '',
  );
  const imports = await loaded();
  assert.deepEqual(
    imports.filter((file) => /node_modules.(vega|bullmq|ioredis|undici|node-fetch|jsdom|diff)/.test(file)),
    [],
  );
  assert.ok(imports.length > 50 && imports.length <= 160, `${imports.length} modules`);
  const made = await kernel.run(`
    const run = new Recording({ label: 'mine', total: 2 });
    run.measure('스레드', () => { for (let i = 0; i < 1e6; i++); });
    run.measure('two', () => { for (let i = 0; i < 2e6; i++); });
    run.finish('done');`);
  assert.equal(made.error, '');
  assert.equal((await kernel.run('timeline(run)')).error, '');
  const first = await loaded();
  assert.ok(first.some((file) => /node_modules.vega/.test(file)));
  assert.equal((await kernel.run('timeline(run)')).error, '');
  assert.equal((await kernel.run('compare(run)')).error, '');
  assert.deepEqual(await loaded(), []);
  t.diagnostic(`the import loads ${imports.length} modules, the first chart ${first.length}`);
});

test('as the last expression a chart shows itself, once, with its description as alternative text', async () => {
  const cell = await kernel.run('timeline(run)');
  assert.equal(cell.stdout, '');
  assert.equal(cell.displays.length, 1);
  const { data, metadata } = cell.displays[0]!;
  assert.deepEqual(Object.keys(data).sort(), [VEGA_LITE, 'image/svg+xml', 'text/plain']);
  assert.equal(typeof data[VEGA_LITE], 'object', 'the spec is no string');
  assert.match(String(data['image/svg+xml']), /^<svg .*스레드/s);
  assert.match(String(data['text/plain']), /^Timeline of 1 run on 1 lane\. /);
  assert.deepEqual(metadata, { 'image/svg+xml': { alt: data['text/plain'] } });
});

test('in mid-cell: show(), and console.log', async () => {
  const cell = await kernel.run(`
    console.log('before');
    await timeline(run).show();
    console.log(compare(run));
    console.log('after', compare(run));
    console.log('end');`);
  assert.equal(cell.displays.length, 3);
  assert.deepEqual(
    cell.outputs.map((output) => (output.type === 'stream' ? output.text : 'chart')),
    ['before\n', 'chart', 'chart', 'chart', 'after \nend\n'],
  );
});

test('inside another value a chart is its description', async () => {
  const cell = await kernel.run('({ charts: [timeline(run)] })');
  assert.deepEqual(cell.displays, []);
  assert.match(cell.stdout, /Chart: Timeline of 1 run/);
});

test('a wrong argument: the sentence, and no line of ours before it', async () => {
  const cell = await kernel.run('timeline([1, 2, 3] as any)');
  assert.equal(cell.ok, false);
  assert.match(
    cell.error,
    /^\s*TypeError: timeline\(\) draws a run, a record, or a list of them; the 1st in the list is the number 1\./,
  );
  assert.doesNotMatch(cell.error, /dist[\\/]charts/);
});

test("the types are read by the kernel's own TypeScript", async () => {
  const cell = await kernel.run('timeline(run, { widht: 500 })');
  assert.match(
    cell.error,
    /'widht' does not exist in type 'TimelineOptions'\. Did you mean to write 'width'\?/,
  );
  assert.equal(
    (await kernel.run('const words: string = timeline(run).description; words.length > 10')).stdout,
    'true\n',
  );
});
