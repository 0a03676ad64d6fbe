/** When a kernel ends, everything that it started ends with it, and soon. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Kernel } from '../harness/kernel';
import { eventually, isAlive } from '../harness/processes';

/** Workers that never give way. */
const busy = (backend: string) => `
  import { createPool } from 'tslab-parallel';
  const run = createPool('${backend}', { workers: 2 }).map([1, 2, 3, 4], (n) => { for (;;) Math.sqrt(n); });
  run.catch(() => {});
  const idle = createPool('${backend}', { workers: 1, idleMs: 600_000 });
  await idle.map([1], (n) => n);`;

async function withBusyWorkers(backend: 'thread' | 'process'): Promise<Kernel> {
  const kernel = await Kernel.start();
  try {
    const { error } = await kernel.run(busy(backend));
    assert.equal(error, '');
    assert.ok(await eventually(async () => (await kernel.busyMs(300)) >= 50), 'the workers never got busy');
    return kernel;
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

suite('the end of a kernel', () => {
  test('killed with busy and idle child processes: none stays alive', async (t) => {
    const kernel = await withBusyWorkers('process');
    try {
      const children = kernel.children();
      assert.ok(children.length >= 3, `${children.length} children`);
      const at = performance.now();
      kernel.kill();
      assert.ok(await eventually(() => !children.some(isAlive)), `alive: ${children.filter(isAlive)}`);
      assert.deepEqual(kernel.children(), []);
      t.diagnostic(`all gone after ${Math.round(performance.now() - at)} ms`);
    } finally {
      await kernel.close();
    }
  });

  test('restart is as quick as with plain tslab, with busy threads and processes', async (t) => {
    const plain = await Kernel.start();
    const plainMs = (await plain.run('1')).ok ? (await plain.restart()).ms : Number.NaN;
    await plain.close();
    for (const backend of ['thread', 'process'] as const) {
      const kernel = await withBusyWorkers(backend);
      try {
        const children = kernel.children();
        const { ms, exitCode } = await kernel.restart();
        t.diagnostic(`${backend}: ${ms.toFixed(0)} ms, plain tslab: ${plainMs.toFixed(0)} ms`);
        assert.equal(exitCode, 0, `${backend}: the kernel did not end by itself, restart took ${ms} ms`);
        assert.ok(await eventually(() => !children.some(isAlive)), `alive: ${children.filter(isAlive)}`);
        assert.deepEqual(kernel.children(), []);
      } finally {
        await kernel.close();
      }
    }
  });
});
