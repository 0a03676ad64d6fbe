/** What may happen to machines, to Redis and to the kernel: nothing of it changes a result. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ClusterError, createPool, type Pool, type Run } from 'tslab-parallel';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { PATIENCE_MS } from '../harness/processes';
import { redisServer } from '../harness/requirements';

/** The storms: small on a reader's machine, in full in the gate. */
const KILLS = Number(process.env.CLUSTER_KILLS ?? 1);
const PAUSES = Number(process.env.CLUSTER_PAUSES ?? 1);
const RESTARTS = Number(process.env.REDIS_RESTARTS ?? 1);
/** Items of a storm, and how long a paused machine sleeps. */
const itemsFor = (events: number) => (events > 2 ? 10_000 : 500);
const pauseMs = PAUSES > 1 ? 10_000 : 3500;
const LANES = 6;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Every item's result is there, once. */
async function allOnce(run: Run<number>, count: number): Promise<void> {
  const seen = new Uint8Array(count);
  for await (const { index, value } of run.completed()) {
    assert.equal(value, index);
    seen[index]!++;
  }
  assert.ok(seen.every((times) => times === 1));
  assert.deepEqual(await run, numbers(count));
  let counted = 0;
  for (const span of run.record.spans) if (span.status === 'ok') counted += span.count;
  assert.equal(counted, count);
  assert.equal(run.record.ok, count);
}

/** The number of keys, once nothing changes it any more. `stalled-check` comes and goes every second. */
async function keys(redis: RedisServer): Promise<string[]> {
  await sleep(500);
  const all = redis.ask('keys', '*').split('\n').filter(Boolean);
  return all.filter((key) => !key.endsWith(':stalled-check')).sort();
}

/** It takes half a minute until its work is dropped: it dies before all other tests, and is looked at after them. */
async function letAKernelDie(): Promise<{ redis: RedisServer; worker: WorkerProcess; diedAt: number }> {
  const redis = await RedisServer.start();
  const worker = new WorkerProcess(redis.url);
  await worker.up();
  const source = `
    const { createPool } = require(${JSON.stringify(require.resolve('tslab-parallel'))});
    const forever = () => new Promise((resolve) => setTimeout(resolve, 600_000));
    createPool('cluster').map([1, 2, 3, 4, 5, 6, 7, 8], forever, { label: 'doomed' }).then();`;
  const kernel = spawn(process.execPath, ['-e', source], {
    stdio: 'inherit',
    env: { ...process.env, REDIS_URL: redis.url },
  });
  await worker.says(/"doomed" begins/);
  await sleep(500);
  assert.match(redis.ask('keys', '*'), /:tslab:[0-9a-f]{24}-/);
  kernel.kill('SIGKILL');
  return { redis, worker, diedAt: performance.now() };
}

describe('cluster faults', { skip: redisServer().skip }, () => {
  let redis: RedisServer;
  let pool: Pool;
  let kernelThatDied: ReturnType<typeof letAKernelDie>;
  const machines: WorkerProcess[] = [];
  const another = async (workers = 2) => {
    const machine = new WorkerProcess(redis.url, { workers });
    machines.push(machine);
    await machine.up();
    return machine;
  };
  const running = () => machines.filter(({ child }) => child.exitCode === null && child.signalCode === null);

  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    kernelThatDied = letAKernelDie();
    await kernelThatDied;
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
  });
  beforeEach(async () => {
    pool ??= createPool('cluster');
    await Promise.all(Array.from({ length: 3 - running().length }, () => another()));
  });
  after(async () => {
    await pool.close();
    for (const machine of machines) await machine.end();
    await redis.stop();
    const { redis: its, worker } = await kernelThatDied;
    await worker.end();
    await its.stop();
  });

  /** A run long enough for all that happens to it. */
  function longRun(count: number, ms: number): Run<number> {
    const itemMs = Math.ceil((ms * LANES) / count);
    return pool.map(
      numbers(count),
      async (n) => {
        await new Promise((resolve) => setTimeout(resolve, itemMs));
        return n;
      },
      { progress: false },
    );
  }

  test('after runs of every kind Redis holds as many keys as before', async () => {
    const before = await keys(redis);
    await pool.map(numbers(2000), (n) => n);
    await assert.rejects(
      pool.map(numbers(100), (n) => {
        if (n === 50) throw new Error('fifty');
        return n;
      }),
      /fifty/,
    );
    const run = pool.map(numbers(100), () => new Promise((resolve) => setTimeout(resolve, 500)));
    await sleep(300);
    run.cancel();
    await assert.rejects(run);
    const after = await keys(redis);
    // BullMQ's own three of a queue that has been used: a counter, a list of events, its settings.
    const own = ['events', 'id', 'meta'].map((key) => `tslab-parallel:tslab:${key}`);
    assert.deepEqual(
      after.filter((key) => !own.includes(key)),
      before.filter((key) => !own.includes(key)),
    );
    await pool.map(numbers(2000), (n) => n);
    assert.deepEqual(await keys(redis), after);
  });

  test(`${KILLS} machines killed: nothing lost, nothing twice, its items back within 2.5 s`, {
    timeout: 400_000,
  }, async (t) => {
    const count = itemsFor(KILLS);
    const run = longRun(count, KILLS * 2000 + 1000);
    const done = allOnce(run, count);
    await sleep(700);
    const killed: { lane: string; at: number }[] = [];
    for (let n = 0; n < KILLS && run.record.status === 'running'; n++) {
      const victim = running()[0]!;
      killed.push({ lane: `/${victim.child.pid}/`, at: run.record.now() });
      await victim.end();
      await another();
      await sleep(Math.max(0, 1500 - (run.record.now() - killed.at(-1)!.at)));
    }
    assert.equal(killed.length, KILLS);
    await done;
    // Who took over shows in the record: when the same items began elsewhere.
    const delays: number[] = [];
    for (const span of run.record.spans) {
      const victim = killed.find(({ lane }) => span.lane.includes(lane));
      if (span.status === 'cancelled' && victim) delays.push(span.endMs - victim.at);
    }
    assert.ok(delays.length > 0, 'no machine had an item');
    t.diagnostic(`back after ${delays.map((ms) => Math.round(ms)).join(', ')} ms`);
    t.diagnostic(
      `median ${Math.round(median(delays))} ms (target 2500), worst ${Math.round(Math.max(...delays))} (4000)`,
    );
    // With BullMQ's own settings it would be a minute.
    assert.ok(Math.max(...delays) <= PATIENCE_MS);
  });

  test('what a killed machine had begun begins elsewhere in a few seconds', {
    timeout: 60_000,
  }, async (t) => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'begun-'));
    const run = pool.map(
      [0, 1],
      async (n) => {
        fs.writeFileSync(join(folder, `${n} ${process.ppid}`), '');
        while (!fs.existsSync(join(folder, 'end'))) await new Promise((resolve) => setTimeout(resolve, 20));
        return n;
      },
      { chunkSize: 1, progress: false },
    );
    const begun = async (count: number) => {
      while (fs.readdirSync(folder).length < count) await sleep(5);
      return fs.readdirSync(folder);
    };
    const [first] = await begun(2);
    const [item, pid] = first!.split(' ');
    const at = performance.now();
    await machines.find(({ child }) => child.pid === Number(pid))!.end();
    // Also the other one begins again, if both were there.
    while (!(await begun(3)).some((name) => name.startsWith(`${item} `) && name !== first)) await sleep(5);
    const ms = performance.now() - at;
    t.diagnostic(`begun again after ${Math.round(ms)} ms`);
    assert.ok(ms < PATIENCE_MS, `${ms} ms`);
    fs.writeFileSync(join(folder, 'end'), '');
    assert.deepEqual(await run, [0, 1]);
    fs.rmSync(folder, { recursive: true });
  });

  test(`${PAUSES} machines paused for ${pauseMs / 1000} s come back late: nothing lost, nothing twice`, {
    timeout: 400_000,
  }, async () => {
    const count = itemsFor(PAUSES);
    const run = longRun(count, PAUSES * 2500 + pauseMs - 2500);
    const done = allOnce(run, count);
    await sleep(1000);
    const wakings: Promise<void>[] = [];
    for (let n = 0; n < PAUSES; n++) {
      const machine = running()[n % 2]!;
      machine.child.kill('SIGSTOP');
      wakings.push(sleep(pauseMs).then(() => void machine.child.kill('SIGCONT')));
      await sleep(2500);
      if (n % 2 === 1) await Promise.all(wakings);
    }
    await Promise.all(wakings);
    await done;
    const before = await keys(redis);
    assert.ok(!before.some((key) => /:(run|done)-/.test(key)), before.join(', '));
  });

  test(`Redis restarts ${RESTARTS} times in mid-run, with its file: the run goes on`, {
    timeout: 400_000,
  }, async () => {
    const count = itemsFor(RESTARTS);
    const run = longRun(count, RESTARTS * 3000 + 1000);
    const done = allOnce(run, count);
    await sleep(1000);
    for (let n = 0; n < RESTARTS; n++) {
      await redis.kill();
      await sleep(500);
      await redis.start();
      await sleep(2000);
    }
    await done;
    assert.ok(!(await keys(redis)).some((key) => /:(run|done)-/.test(key)));
  });

  test('too large for Redis: refused with its size, item by item', async () => {
    const own = createPool('cluster', { payloadMb: 1 });
    const large = 'x'.repeat(1_500_000);
    const run = own.map(['a', large, 'b'], (text) => text.length, { onError: 'collect', label: 'sizes' });
    const [first, second, third] = await run;
    assert.deepEqual(
      [first, third],
      [
        { status: 'fulfilled', value: 1 },
        { status: 'fulfilled', value: 1 },
      ],
    );
    assert.match(
      String(second?.status === 'rejected' && second.reason),
      /The item has 1\.4 MiB, and no more than 1 MiB .*payloadMb/,
    );
    const results = await own.map([10, 2_000_000, 20], (n) => 'y'.repeat(n), { onError: 'collect' });
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.match(String((results[1] as PromiseRejectedResult).reason), /The result has 1\.9 MiB/);
    await assert.rejects(
      own.map([1], (n) => large.length + n),
      /The function, with all that it uses, has 1\.4 MiB/,
    );
    await own.close();
  });

  test('Redis going for good fails the run with a clear sentence', { timeout: 30_000 }, async () => {
    const other = await RedisServer.start();
    const worker = new WorkerProcess(other.url);
    await worker.up();
    const own = createPool('cluster', { redis: other.url, reconnectMs: 1500 });
    const run = own.map(numbers(100), () => new Promise((resolve) => setTimeout(resolve, 200)));
    setTimeout(() => void other.stop(), 1000);
    await assert.rejects(run, (error: Error) => {
      assert.ok(error instanceof ClusterError);
      assert.match(
        error.message,
        /Redis at redis:\/\/127\.0\.0\.1:\d+ has been away for 1\.5 s \(reconnectMs\)/,
      );
      return true;
    });
    await own.close();
    await worker.end();
  });

  test('a kernel that dies: its work is dropped within a minute', { timeout: 90_000 }, async () => {
    const { redis: its, worker, diedAt } = await kernelThatDied;
    const left = () =>
      its
        .ask('keys', '*')
        .split('\n')
        .filter((key) => /:run-|:tslab:[0-9a-f]{24}-/.test(key));
    while (left().length > 0 && performance.now() - diedAt < 60_000) await sleep(500);
    assert.deepEqual(left(), []);
    await worker.says(/"doomed" is over/);
    // The workers are free again.
    const own = createPool('cluster', { redis: its.url });
    assert.deepEqual(await own.map([1, 2, 3], (n) => n), [1, 2, 3]);
    await own.close();
  });

  test('no Redis at all: said at once', { timeout: 20_000 }, async () => {
    const own = createPool('cluster', { redis: 'redis://localhost:1' });
    await assert.rejects(
      own.map([1], (n) => n),
      /Redis at redis:\/\/localhost:1 can't be used: .*ECONNREFUSED.* Start one with "redis-server"/,
    );
    await own.close();
  });
});
