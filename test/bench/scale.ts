/**
 * `npm run bench -- scale`: what a batch costs each part of a cluster, measured, and from that by simulation how busy
 * 10, 100 and 1,000 workers stay. The page on scale (src/cluster/SCALE.md) is made of what this prints.
 */
import { readFileSync } from 'node:fs';
import { createPool } from 'tslab-parallel';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { timed } from './harness';

/** Milliseconds of processor time a batch. */
interface Costs {
  /** The notebook's: sends the batch, reads its result. One thread. */
  readonly kernel: number;
  /** Redis's. One thread. */
  readonly redis: number;
  /** The worker's own machine: takes it, hands it on, answers. */
  readonly worker: number;
}

/** A worker asks Redis three times a batch, one after another: is it new, it is done, the next one please. */
const TRIPS = 3;

async function measureCosts(count: number): Promise<Costs> {
  process.env.TSLAB_PARALLEL_SECRET = SECRET;
  const redis = await RedisServer.start();
  const machine = new WorkerProcess(redis.url, { workers: 2 });
  await machine.up();
  const pool = createPool('cluster', { redis: redis.url });
  await pool.ready();
  const items = Array.from({ length: count }, (_, n) => n);
  const run = () => pool.map(items, (n) => n, { chunkSize: 1, progress: false });
  await run();
  const redisMs = () => {
    const [user, system] = ['used_cpu_user:', 'used_cpu_sys:'].map((name) =>
      Number(redis.ask('info', 'cpu').split(name)[1]!.split('\r')[0]),
    );
    return (user! + system!) * 1000;
  };
  // In ticks of 10 ms.
  const machineMs = () => {
    const [, rest = ''] = readFileSync(`/proc/${machine.child.pid}/stat`, 'utf8').split(') ');
    const fields = rest.split(' ').map(Number);
    return (fields[11]! + fields[12]!) * 10;
  };
  const before = { kernel: process.cpuUsage(), redis: redisMs(), worker: machineMs() };
  const ms = await timed(run);
  const { user, system } = process.cpuUsage(before.kernel);
  const costs = {
    kernel: (user + system) / 1000 / count,
    redis: (redisMs() - before.redis) / count,
    worker: (machineMs() - before.worker) / count,
  };
  console.log(
    `${count} batches of one trivial item, 2 workers, all on one machine: ${(ms / count).toFixed(2)} ms each`,
  );
  console.log(
    `processor time a batch: notebook ${costs.kernel.toFixed(2)} ms, Redis ${costs.redis.toFixed(2)} ms, worker's machine ${costs.worker.toFixed(2)} ms`,
  );
  await pool.close();
  await machine.end('SIGTERM');
  await redis.stop();
  return costs;
}

/**
 * The share of their time that workers spend on items, by a clock that jumps from event to event. The notebook and Redis
 * serve one batch at a time, in the order of their coming; each worker's next batch lies ready.
 * @param batchMs on the average; from half of it to one and a half
 */
function busy(workers: number, batchMs: number, costs: Costs, roundTripMs: number): number {
  const events: { at: number; act: () => void }[] = [];
  let clock = 0;
  const at = (time: number, act: () => void) => {
    let low = 0;
    for (let high = events.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (events[middle]!.at > time) low = middle + 1;
      else high = middle;
    }
    events.splice(low, 0, { at: time, act });
  };
  const server = (costMs: number) => {
    let freeAt = 0;
    return (act: () => void) => {
      freeAt = Math.max(freeAt, clock) + costMs;
      at(freeAt, act);
    };
  };
  const kernel = server(costs.kernel / 2);
  const redis = server(costs.redis / 2);
  const fromMs = Math.max(10 * batchMs, 2000);
  const untilMs = 4 * fromMs;
  let idle = workers;
  let ready = 0;
  let worked = 0;
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const send = () => kernel(() => redis(() => at(clock + roundTripMs / 2, arrive)));
  const arrive = () => {
    ready++;
    begin();
  };
  const begin = () => {
    if (idle === 0 || ready === 0) return;
    idle--;
    ready--;
    const takes = batchMs * (0.5 + random());
    at(clock + takes, () => {
      if (clock > fromMs) worked += takes;
      redis(() => at(clock + roundTripMs / 2, () => kernel(send)));
      at(clock + costs.worker + TRIPS * roundTripMs, () => {
        idle++;
        begin();
      });
    });
  };
  // Its beginning says nothing of how it goes on.
  for (let n = 0; n < 2 * workers; n++) send();
  while (clock < untilMs) {
    const event = events.pop()!;
    clock = event.at;
    event.act();
  }
  return worked / (workers * (untilMs - fromMs));
}

export async function benchScale(): Promise<void> {
  const costs = await measureCosts(3000);
  const crews = [10, 100, 1000];
  const sizes = [10, 30, 100, 300, 1000, 3000];
  console.log('\nBusy, with 0.5 ms to Redis and back:\n');
  console.log(`| a batch takes | ${crews.map((n) => `${n.toLocaleString('en-US')} workers`).join(' | ')} |`);
  console.log(`|---|${crews.map(() => '---').join('|')}|`);
  for (const batchMs of sizes) {
    const shares = crews.map((workers) => `${Math.round(100 * busy(workers, batchMs, costs, 0.5))} %`);
    console.log(`| ${batchMs.toLocaleString('en-US')} ms | ${shares.join(' | ')} |`);
  }
  const perSecond = 1000 / Math.max(costs.kernel, costs.redis);
  console.log(`\nOne notebook and one Redis: at most ${Math.round(perSecond)} batches a second`);
}

if (require.main === module) benchScale().then(() => process.exit(0));
