/** The cluster against one BullMQ job an item and against local processes, two workers each, in one run. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type * as BullMQ from 'bullmq';
import { createPool } from 'tslab-parallel';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { type Measured, measure, print, type Row, timed } from './harness';

const square = (n: number) => n * n;
const wait = (ms: number) => new Promise<number>((resolve) => setTimeout(() => resolve(ms), ms));

export async function benchCluster(only?: string): Promise<Measured[]> {
  process.env.TSLAB_PARALLEL_SECRET = SECRET;
  const redis = await RedisServer.start();
  const machines = [1, 2].map(() => new WorkerProcess(redis.url, { workers: 1 }));
  for (const machine of machines) await machine.up();
  const cluster = createPool('cluster', { redis: redis.url, idleMs: 600_000 });
  const processes = createPool('process', { workers: 2, idleMs: 600_000 });
  await Promise.all([cluster.ready(), processes.ready()]);

  const small = Array.from({ length: 20_000 }, (_, n) => n);
  const million = Array.from({ length: 1_000_000 }, (_, n) => n);
  const waits = new Array<number>(200).fill(50);
  const rows: Row[] = [
    {
      name: 'cluster: 20,000 squares on 2 workers',
      rounds: 5,
      contenders: [
        { name: 'cluster', run: () => timed(() => cluster.map(small, square)) },
        { name: 'local processes', run: () => timed(() => processes.map(small, square)) },
        { name: 'one BullMQ job an item', rounds: 2, run: () => plain(redis, 'square', small) },
      ],
      targets: [
        {
          text: 'against one job an item',
          figure: (ms) => ms('one BullMQ job an item') / ms('cluster'),
          atLeast: 20,
        },
      ],
    },
    {
      name: 'cluster: 1,000,000 squares on 2 workers',
      rounds: 3,
      contenders: [
        { name: 'cluster', run: () => timed(() => cluster.map(million, square)) },
        { name: 'local processes', run: () => timed(() => processes.map(million, square)) },
      ],
      targets: [
        {
          text: 'microseconds an item',
          figure: (ms) => (ms('cluster') * 1000) / million.length,
          atMost: 2,
        },
      ],
    },
    {
      name: 'cluster: 200 items of 50 ms on 2 workers',
      rounds: 2,
      contenders: [
        { name: 'cluster', run: () => timed(() => cluster.map(waits, wait)) },
        { name: 'local processes', run: () => timed(() => processes.map(waits, wait)) },
        { name: 'one BullMQ job an item', run: () => plain(redis, 'wait', waits) },
      ],
      targets: [
        {
          text: 'against the ideal of 5,000 ms',
          figure: (ms) => ms('cluster') / 5000,
          atMost: 1.1,
        },
      ],
    },
  ];
  const measured: Measured[] = [];
  for (const row of rows) {
    if (only && !row.name.includes(only)) continue;
    const result = await measure(row);
    print(result);
    measured.push(result);
  }
  await batchCost(cluster);
  await Promise.all([cluster.close(), processes.close()]);
  for (const machine of machines) await machine.end('SIGTERM');
  await redis.stop();
  return measured;
}

/** What a batch costs beside its items: in time, for one worker, and in processor time of the notebook. */
async function batchCost(cluster: ReturnType<typeof createPool>): Promise<void> {
  const count = 2000;
  const items = Array.from({ length: count }, (_, n) => n);
  await cluster.map(items.slice(0, 200), square, { chunkSize: 1 });
  const before = process.cpuUsage();
  const ms = await timed(() => cluster.map(items, square, { chunkSize: 1 }));
  const { user, system } = process.cpuUsage(before);
  console.log(`\na batch of one trivial item: ${((2 * ms) / count).toFixed(2)} ms of a worker (2 at work)`);
  console.log(`  of the notebook's processor: ${((user + system) / 1000 / count).toFixed(2)} ms`);
}

/** One job an item, added in bulk, their results by one listener: plain BullMQ at its best. */
async function plain(redis: RedisServer, task: 'square' | 'wait', items: readonly number[]): Promise<number> {
  const { Queue, QueueEvents } = require('bullmq') as typeof BullMQ;
  const connection = { port: redis.port };
  const workers: ChildProcess[] = [];
  for (let n = 0; n < 2; n++) {
    const worker = fork(join(__dirname, 'peer-bullmq.js'), [String(redis.port), task]);
    workers.push(worker);
    await new Promise((resolve) => worker.once('message', resolve));
  }
  const queue = new Queue<number>('plain', { connection });
  const events = new QueueEvents('plain', { connection });
  await events.waitUntilReady();
  // Its listening begins a moment after it is ready.
  await wait(300);
  const ms = await timed(async () => {
    let left = items.length;
    const all = new Promise<void>((resolve) => {
      events.on('completed', () => {
        if (--left === 0) resolve();
      });
    });
    for (let at = 0; at < items.length; at += 1000) {
      await queue.addBulk(
        items.slice(at, at + 1000).map((data) => ({ name: task, data, opts: { removeOnComplete: true } })),
      );
    }
    await all;
  });
  for (const worker of workers) worker.kill('SIGKILL');
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return ms;
}

if (require.main === module) benchCluster(process.argv[2]).then(() => process.exit(0));
