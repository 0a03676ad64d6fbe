/** Running a cell again leaks nothing, though nobody closes a pool in a notebook. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kernel } from '../harness/kernel';

suite('the same cell run twenty times', () => {
  let kernel: Kernel;
  before(async () => {
    kernel = await Kernel.start();
    assert.equal((await kernel.run(`import { createPool } from 'tslab-parallel';`)).error, '');
  });
  after(() => kernel.close());

  const used = () => ({
    threads: kernel.threads(),
    processes: kernel.children().length,
    fds: kernel.openFds(),
  });

  /** Waits until the counts stay as they are for a while: idle workers leave by themselves. */
  async function settled() {
    for (let before = used(), sinceMs = performance.now(); performance.now() - sinceMs < 1500; ) {
      await sleep(100);
      const now = used();
      if (JSON.stringify(now) !== JSON.stringify(before)) sinceMs = performance.now();
      before = now;
    }
    return used();
  }

  for (const backend of ['thread', 'process'] as const) {
    test(`${backend}: threads, processes and open files are as after the first`, async (t) => {
      const cell = `
        const offset = 1;
        const pool = createPool('${backend}', { workers: 2, idleMs: 200 });
        console.log(JSON.stringify(await pool.map([1, 2, 3, 4], (n) => n + offset)));`;
      const once = async () => {
        const { error, stdout } = await kernel.run(cell);
        assert.equal(error, '');
        assert.equal(stdout.trim(), '[2,3,4,5]');
      };
      await once();
      const first = await settled();
      assert.equal(first.processes, 0, 'idle workers have left');
      for (let time = 2; time <= 20; time++) await once();
      const last = await settled();
      assert.deepEqual(last, first);
      t.diagnostic(
        `${backend}: ${JSON.stringify(first)} after the first run, ${JSON.stringify(last)} after twenty`,
      );
    });
  }

  test('a pool whose workers have left starts new ones', async () => {
    const { error } = await kernel.run(
      `let pool = createPool('thread', { workers: 2, idleMs: 50 }); await pool.map([1, 2], (n) => n);`,
    );
    assert.equal(error, '');
    await settled();
    const { stdout } = await kernel.run('console.log(JSON.stringify(await pool.map([1, 2], (n) => 10 * n)))');
    assert.equal(stdout.trim(), '[10,20]');
  });
});
