/** A plain BullMQ worker, one job an item: what the cluster is measured against. */
import type * as BullMQ from 'bullmq';

const { Worker } = require('bullmq') as typeof BullMQ;
const [, , port, task] = process.argv;

const tasks: Record<string, (n: number) => unknown> = {
  square: (n) => n * n,
  wait: (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)),
};
const worker = new Worker('plain', async (job: BullMQ.Job<number>) => tasks[task!]!(job.data), {
  connection: { port: Number(port) },
  // Items that wait are one at a time, as they are in a worker of ours; others keep the line to Redis busy.
  concurrency: task === 'wait' ? 1 : 50,
  removeOnComplete: { count: 0 },
});
worker.on('error', () => {});
worker.waitUntilReady().then(() => process.send?.('up'));
