/** What keeps a cluster from working is said in the notebook, by name. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type * as BullMQ from 'bullmq';
import { ClusterError, createPool } from 'tslab-parallel';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { PATIENCE_MS } from '../harness/processes';
import { redisServer } from '../harness/requirements';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('what a cluster says', { skip: redisServer().skip, timeout: 4 * PATIENCE_MS }, () => {
  let redis: RedisServer;
  let worker: WorkerProcess;
  let said = '';
  const { write } = process.stderr;
  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    redis = await RedisServer.start();
    worker = new WorkerProcess(redis.url);
    await worker.up();
    process.stderr.write = ((text: string) => {
      said += text;
      return true;
    }) as typeof write;
  });
  after(async () => {
    process.stderr.write = write;
    await worker.end();
    await redis.stop();
  });
  const heard = async (words: RegExp) => {
    const until = performance.now() + PATIENCE_MS;
    while (!words.test(said)) {
      assert.ok(performance.now() < until, `${words} was never said, but: ${said}`);
      await sleep(50);
    }
  };

  test('Redis is full', async () => {
    redis.ask('config', 'set', 'maxmemory-policy', 'noeviction');
    redis.ask('config', 'set', 'maxmemory', '1');
    const pool = createPool('cluster', { redis: redis.url });
    await assert.rejects(
      pool.map([1, 2, 3], (n) => n),
      (error: unknown) =>
        error instanceof ClusterError &&
        /refuses the cluster's work: .*maxmemory.*more memory/.test(error.message),
    );
    redis.ask('config', 'set', 'maxmemory', '0');
    assert.deepEqual(await pool.map([1, 2, 3], (n) => n), [1, 2, 3]);
    await pool.close();
  });

  test('Redis is full in mid-run', async () => {
    const pool = createPool('cluster', { redis: redis.url });
    const run = pool.map(
      Array(50).fill(100),
      (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    );
    run.catch(() => {});
    await worker.says(/run "run" begins|begins here/);
    redis.ask('config', 'set', 'maxmemory', '1');
    await assert.rejects(run, /refuses the cluster's work: .*maxmemory/);
    redis.ask('config', 'set', 'maxmemory', '0');
    await pool.close();
  });

  test('its user may not run scripts', async () => {
    redis.ask('acl', 'setuser', 'poor', 'on', '>pw', '~*', '&*', '+@all', '-evalsha', '-eval');
    const pool = createPool('cluster', { redis: redis.url.replace('//', '//poor:pw@') });
    await assert.rejects(
      pool.map([1], (n) => n),
      (error: unknown) =>
        error instanceof ClusterError &&
        /NOPERM.*eval.*README/i.test(error.message) &&
        !/pw@/.test(error.message),
    );
    await pool.close();
  });

  test('the queue is paused', async () => {
    const { Queue } = createRequire(require.resolve('tslab-parallel'))('bullmq') as typeof BullMQ;
    const url = new URL(redis.url);
    const queue = new Queue('tslab', {
      connection: { host: url.hostname, port: Number(url.port) },
      prefix: 'tslab-parallel',
    });
    await queue.pause();
    const pool = createPool('cluster', { redis: redis.url });
    const run = pool.map([1, 2], (n) => n * 2);
    await heard(/The queue "tslab" is paused/);
    await queue.resume();
    assert.deepEqual(await run, [2, 4]);
    await queue.close();
    await pool.close();
  });

  test('Redis pauses', async () => {
    const pool = createPool('cluster', { redis: redis.url });
    assert.deepEqual(await pool.map([1], (n) => n), [1]);
    const run = pool.map([1, 2, 3, 4], (n) => new Promise<number>((resolve) => setTimeout(resolve, 2000, n)));
    run.catch(() => {});
    await sleep(500);
    redis.ask('client', 'pause', '6000');
    await heard(/has not answered for 3 s; the run waits/);
    assert.deepEqual(await run, [1, 2, 3, 4]);
    await pool.close();
  });
});

test('close() during ready() settles both, on every backend', { skip: redisServer().skip }, async () => {
  process.env.TSLAB_PARALLEL_SECRET = SECRET;
  const redis = await RedisServer.start();
  const never = () => new Promise<undefined>(() => {});
  try {
    for (const pool of [
      createPool('cluster', { redis: redis.url }),
      createPool('thread', { workers: 1, init: never }),
      createPool('process', { workers: 1, init: never }),
      createPool('async', { init: never }),
    ]) {
      const ready = assert.rejects(pool.ready(), /closed before its workers were ready/);
      await sleep(300);
      await pool.close();
      await ready;
    }
  } finally {
    await redis.stop();
  }
});
