import { isMainThread, threadId } from 'node:worker_threads';
import { hearOfEnds } from './abandon';
import { changed, until } from './wait';

/** A thread ended while it held a lock: what the lock protects may be half changed. */
export class AbandonedError extends Error {
  override name = 'AbandonedError';
}

const VERSION = 0;
const ABANDONED = 1;
const FIRST_PERMIT = 2;

/** In a permit's cell: nobody has it, else the thread's number and one, as the kernel's is 0. */
const FREE = 0;

/**
 * At most so many holders at once, across threads. Pass it to a function as anything else, by using it there: it is
 * shared memory, not a copy.
 *
 * On a thread, waiting blocks the thread; in the kernel it awaits. `await semaphore.run(…)` is right in both.
 */
export class Semaphore {
  /** How many may hold it at once. */
  readonly permits: number;
  readonly cells: Int32Array;

  /** @param permits 1 to 1000 */
  constructor(permits: number) {
    if (!Number.isInteger(permits) || permits < 1 || permits > 1000) {
      throw new TypeError(`permits must be a whole number from 1 to 1000; got ${String(permits)}.`);
    }
    this.permits = permits;
    this.cells = new Int32Array(new SharedArrayBuffer(4 * (FIRST_PERMIT + permits)));
    if (isMainThread) hearOfEnds(this);
  }

  /**
   * Waits for a permit. On a thread it returns when it has one; in the kernel it must be awaited.
   * @throws AbandonedError when a thread ended while it held one
   */
  acquire(): undefined | Promise<undefined> {
    const got = until(this.cells, VERSION, () => this.take());
    return got instanceof Promise ? got.then(() => undefined) : undefined;
  }

  /** @returns true if there was a permit at once */
  tryAcquire(): boolean {
    return this.take() === true;
  }

  /**
   * Gives a permit back.
   * @throws Error when this thread holds none
   */
  release(): void {
    for (let at = FIRST_PERMIT; at < this.cells.length; at++) {
      if (Atomics.compareExchange(this.cells, at, threadId + 1, FREE) === threadId + 1) {
        changed(this.cells, VERSION);
        return;
      }
    }
    throw new Error('release without acquire: this thread holds no permit.');
  }

  /**
   * Runs `work` while holding a permit, and gives it back however `work` ends, for an asynchronous function when its
   * promise settles. On a thread it returns what `work` returns; in the kernel a promise of it.
   */
  run<R>(work: () => R): R | Promise<Awaited<R>> {
    const acquired = this.acquire();
    return acquired ? acquired.then(() => this.hold(work) as Promise<Awaited<R>>) : this.hold(work);
  }

  private hold<R>(work: () => R): R {
    let result: R;
    try {
      result = work();
    } catch (error) {
      this.release();
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.release()) as R;
    this.release();
    return result;
  }

  private take(): true | undefined {
    if (Atomics.load(this.cells, ABANDONED) !== 0) {
      throw new AbandonedError(
        `A thread ended while it held this ${this.permits === 1 ? 'lock' : 'semaphore'}: what it protects may be half changed. Make a new one.`,
      );
    }
    for (let at = FIRST_PERMIT; at < this.cells.length; at++) {
      if (Atomics.compareExchange(this.cells, at, FREE, threadId + 1) === FREE) return true;
    }
    return undefined;
  }

  /** @internal A thread has ended. */
  abandon(ended: number): void {
    for (let at = FIRST_PERMIT; at < this.cells.length; at++) {
      if (Atomics.load(this.cells, at) !== ended + 1) continue;
      Atomics.store(this.cells, ABANDONED, 1);
      changed(this.cells, VERSION);
    }
  }
}

/** One holder at a time: a semaphore with one permit. Not reentrant: who holds it and takes it again waits for ever. */
export class Mutex extends Semaphore {
  constructor() {
    super(1);
  }
}
