/**
 * Locks and queues in shared memory, for threads. Within one thread a library does it with promises alone
 * (`async-mutex`, `p-limit`, `p-queue`); processes and machines share no memory.
 */
export { abandon } from './abandon';
export { Queue, QueueClosedError, type QueueOptions } from './queue';
export { AbandonedError, Mutex, Semaphore } from './semaphore';
