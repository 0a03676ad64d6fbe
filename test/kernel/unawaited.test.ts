/** A run that nobody awaits: its failure is told, and takes nothing down. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kernel } from '../harness/kernel';

suite('a run that nobody awaited and that fails', () => {
  let kernel: Kernel;
  before(async () => {
    kernel = await Kernel.start();
    assert.equal((await kernel.run(`import { createPool } from 'tslab-parallel';`)).error, '');
  });
  after(() => kernel.close());

  for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
    test(`${backend}: is told, and the kernel goes on`, async () => {
      const cell = await kernel.begin(`
        const run = createPool('${backend}').map(['a'], () => { throw new Error('lost in ${backend}'); });
        'the cell ends'`);
      const result = await cell.done;
      assert.equal(result.error, '');
      await sleep(1500);
      const told = cell.text('stdout') + cell.text('stderr');
      assert.match(told, new RegExp(`lost in ${backend}`));
      assert.doesNotMatch(told, /UnhandledPromiseRejection/, 'told by the package, not as an accident');
      const after = await kernel.run('6 * 7');
      assert.match(after.stdout, /42/);
    });

    test(`${backend}: awaited later, it rejects`, async () => {
      await kernel.run(`
        let late = createPool('${backend}').map(['a'], () => { throw new Error('late ${backend}'); });
        await new Promise((resolve) => setTimeout(resolve, 10));`);
      const result = await kernel.run('await late');
      assert.equal(result.ok, false);
      assert.match(result.error, new RegExp(`late ${backend}`));
    });
  }
});
