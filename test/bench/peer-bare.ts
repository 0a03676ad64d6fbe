/** The least that a worker can be. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', (n: number) => parentPort?.postMessage(n * n));
