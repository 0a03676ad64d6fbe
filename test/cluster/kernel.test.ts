/** The cluster in a notebook: the stop button, what is printed, the kernel's end. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { type CellResult, Kernel } from '../harness/kernel';
import { PATIENCE_MS } from '../harness/processes';
import { redisServer } from '../harness/requirements';

describe('a notebook on a cluster', { skip: redisServer().skip, timeout: 60_000 }, () => {
  let redis: RedisServer;
  let worker: WorkerProcess;
  let kernel: Kernel;

  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    redis = await RedisServer.start();
    worker = new WorkerProcess(redis.url);
    await worker.up();
    kernel = await Kernel.start();
    await succeeds(`
      import { createPool } from 'tslab-parallel';
      process.env.TSLAB_PARALLEL_SECRET = '${SECRET}';
      const greeting = 'hello from';
      const greet = (who: string) => greeting + ' ' + who;
      const pool = createPool('cluster', { redis: '${redis.url}' });`);
  });
  after(async () => {
    await kernel.close();
    await worker.end();
    await redis.stop();
  });

  async function succeeds(code: string): Promise<CellResult> {
    const result = await kernel.run(code);
    assert.equal(result.error, '');
    return result;
  }

  test('functions of other cells travel, and what they print comes back', async () => {
    const { stdout } = await succeeds(`
      console.log(await pool.map(['there'], (who) => { console.log('printed over there'); return greet(who); }));`);
    assert.match(stdout, /printed over there[\s\S]*hello from there/);
  });

  test('stop stops the work on the machines', async () => {
    const cell = await kernel.begin(`
      const run = pool.map(Array(10).fill(1), () => { for (;;); }, { chunkSize: 1 });
      setTimeout(() => console.log('under way'), 1500);
      await run;`);
    await cell.printed('under way');
    const began = performance.now();
    await kernel.interrupt();
    const result = await cell.done;
    const idleMs = performance.now() - began;
    assert.match(result.error, /InterruptedError/);
    assert.ok(idleMs < PATIENCE_MS, `idle after ${idleMs} ms`);
    await worker.says(/run "run" is over: \d+ batches/);
    const { stdout } = await succeeds(`console.log(await pool.map([1, 2, 3], (n) => n * n));`);
    assert.match(stdout, /1, 4, 9/);
  });

  test('an error is a sentence, not our insides', async () => {
    const { error } = await kernel.run(
      `await createPool('cluster', { redis: 'redis://localhost:1' }).map([1], (n) => n);`,
    );
    assert.match(error, /ClusterError: Redis at redis:\/\/localhost:1 can't be used/);
    assert.doesNotMatch(error, /src.dist/);
  });

  test('a kernel ends at once, also while a cluster works for it', async () => {
    await succeeds(
      `pool.map(Array(10).fill(1), () => new Promise((resolve) => setTimeout(resolve, 60_000))); 0`,
    );
    await sleep(1000);
    const began = performance.now();
    await kernel.close();
    assert.ok(performance.now() - began < PATIENCE_MS, `${performance.now() - began} ms`);
  });
});
