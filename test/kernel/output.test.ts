/** What a cell prints and shows arrives, however much it is: tslab alone loses what follows the 506th message. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
});
after(() => kernel.close());

test('two thousand lines and pictures of one cell that never waits', async () => {
  assert.equal((await kernel.run(`import { show } from 'tslab-parallel'; show;`)).error, '');
  const { stdout, displays, error } = await kernel.run(`
    for (let i = 0; i < 2000; i++) {
      console.log(\`line \${i}.\`);
      show({ [Symbol.for('Jupyter.display')]: () => ({ 'text/plain': \`picture \${i}.\` }) });
    }`);
  assert.equal(error, '');
  const lines = [...stdout.matchAll(/line (\d+)\./g)].map(([, number]) => Number(number));
  assert.deepEqual(lines, [...Array(2000).keys()]);
  assert.equal(displays.length, 2000);
  assert.equal((await kernel.run('6 * 7')).stdout.trim(), '42');
});

test('ten thousand lines for a front end that does not read for a while', { timeout: 60_000 }, async () => {
  const cell = await kernel.begin(`
    console.log('begun');
    for (let i = 0; i < 10000; i++) console.log(\`line \${i}.\` + ' '.repeat(1024));`);
  await cell.printed('begun');
  // This process reads nothing meanwhile: pipes and sockets fill up, back to the kernel.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
  const { stdout, error } = await cell.done;
  assert.equal(error, '');
  assert.equal([...stdout.matchAll(/line \d+\./g)].length, 10_000);
});
