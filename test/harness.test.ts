/** The checks of the notebooks must be able to fail. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Kernel, root } from './harness/kernel';
import {
  charts,
  missing,
  type Notebook,
  readNotebook,
  runNotebook,
  svg,
  vegaLite,
  wrongResults,
} from './harness/notebook';

const notebook = readNotebook(join(root, 'test', 'fixtures', 'chart.ipynb'));
const withSource = (source: string, tags: string[] = []): Notebook => ({
  ...notebook,
  cells: [{ ...notebook.cells[0]!, source, tags }],
});

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start({ cwd: join(root, 'test', 'fixtures') });
});
after(() => kernel.close());

test('a failing cell is named with its notebook and its error', async () => {
  await assert.rejects(runNotebook(kernel, withSource(`throw new Error('on purpose')`)), (error: Error) => {
    assert.match(
      error.message,
      /^chart\.ipynb, cell 2 \(throw new Error\('on purpose'\)\) failed:\n.*on purpose/s,
    );
    return true;
  });
  const [run] = await runNotebook(kernel, withSource(`throw new Error('on purpose')`, ['raises-exception']));
  assert.equal(run?.result.ok, false);
});

test('a wrong result is found; a measure that was missed, and a claim that does not hold, are none', async () => {
  const { result } = (
    await runNotebook(
      kernel,
      withSource(`import { check, claim } from 'tslab-parallel/handbook';
        check('one and one', 1 + 1, { equals: 3 });
        check('one and two', 1 + 2, { equals: 3 });
        check('fast', 2, { atMost: 1 });
        claim('Both are equal', { typescript: 1 }, { equals: 2 });`),
    )
  )[0]!;
  assert.deepEqual(wrongResults(result), ['one and one: expected 3, got 2']);
});

test('a chart that would not appear everywhere is found', async () => {
  const runs = await runNotebook(kernel, notebook);
  const [chart, ...others] = runs.flatMap(({ result }) => charts(result));
  assert.equal(others.length, 0);
  assert.deepEqual(missing(chart!), []);
  const { [vegaLite]: _spec, ...noSpec } = chart!.data;
  const { [svg]: _svg, ...noSvg } = chart!.data;
  const { 'text/plain': _text, ...noText } = chart!.data;
  assert.match(missing({ ...chart!, data: noSpec }).join(), /JupyterLab/);
  assert.match(missing({ ...chart!, data: noSvg }).join(), /nbconvert/);
  assert.match(missing({ ...chart!, data: noText }).join(), /terminal/);
  assert.match(missing({ ...chart!, metadata: {} }).join(), /alternative text/);
  assert.match(missing({ ...chart!, data: { ...chart!.data, 'text/html': '' } }).join(), /text\/html/);
});
