import { checkOptions } from '../arguments';
import type { AnyFunction } from '../closure';
import type { Backend } from '../record';
import { Call } from './call';
import { clusterEngine, type Engine } from './engine';
import { Job } from './job';
import { Async, Serial } from './local';
import {
  CALL_OPTIONS,
  type CallOptions,
  type CheckedPoolOptions,
  checkBackend,
  checkFunction,
  checkItems,
  checkMapOptions,
  checkPoolOptions,
  type MapOptions,
  type PoolOptions,
  type WorkerContext,
} from './options';
import type { Run } from './run';
import { Workers } from './workers';

/** Workers of one kind that run a notebook's functions. Idle ones leave by themselves: closing it is not a duty. */
export interface Pool<L = undefined> {
  readonly backend: Backend;
  /** Lanes it may use. */
  readonly workers: number;
  /**
   * Calls `fn` for each item, on the pool's workers, with everything it uses. Items are pulled as needed, so the
   * input may be lazy, asynchronous or endless.
   *
   * @returns a {@link Run}: await it for the results in input order
   * @throws TypeError at once when an argument is wrong or `fn` uses what can't travel
   */
  map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    fn: (item: T, index: number, worker: WorkerContext<L>) => R | Promise<R>,
    options: MapOptions & { onError: 'collect' },
  ): Run<PromiseSettledResult<R>>;
  map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    fn: (item: T, index: number, worker: WorkerContext<L>) => R | Promise<R>,
    options?: MapOptions & { onError?: 'throw' | undefined },
  ): Run<R>;
  map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    fn: (item: T, index: number, worker: WorkerContext<L>) => R | Promise<R>,
    options: MapOptions,
  ): Run<R | PromiseSettledResult<R>>;
  /**
   * Calls `fn` once, on one worker.
   * @returns a {@link Call}: await it, or cancel it
   * @example await pool.withOptions({ timeoutMs: 1000 }).submit(slow, 42)
   */
  submit<A extends unknown[], R>(fn: (...args: A) => R | Promise<R>, ...args: A): Call<R>;
  /** The same pool, whose calls and maps have these options where they have none of their own. */
  withOptions(options: CallOptions): Pick<Pool<L>, 'map' | 'submit' | 'withOptions'>;
  /**
   * Starts all workers and waits until they are up, with what `init` gave them. Never needed for a right result; it
   * keeps their start out of a measurement. Idle workers leave all the same.
   */
  ready(): Promise<void>;
  /** Waits for what is running, then ends the workers. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A pool of workers. Its backend is the one word to change between the versions of a program: `serial` (a loop),
 * `async` (many items in flight on this thread), `thread`, `process`, `cluster` (many machines).
 *
 * @example
 * const run = createPool('thread', { workers: 2 }).map([1, 2, 3], (n) => n * n);
 * await run; // [1, 4, 9]
 *
 * @throws TypeError when the backend or an option is not one
 */
export function createPool<L = undefined>(backend: Backend, options?: PoolOptions<L>): Pool<L> {
  checkBackend(backend);
  const checked = checkPoolOptions(backend, options);
  return new EnginePool<L>(engineFor(backend, checked));
}

// biome-ignore lint/suspicious/noExplicitAny: each engine takes back what its own `prepare` made.
function engineFor(backend: Backend, options: CheckedPoolOptions<unknown>): Engine<any> {
  switch (backend) {
    case 'serial':
      return new Serial(options);
    case 'async':
      return new Async(options);
    case 'cluster':
      return clusterEngine(options);
    default:
      return new Workers(backend, options);
  }
}

class EnginePool<L> implements Pool<L> {
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly #engine: Engine<any>;
  readonly #running = new Set<Promise<unknown>>();
  /** Ends each `ready()` that still waits. */
  readonly #readying = new Set<(reason: Error) => void>();
  #closed = false;

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  constructor(engine: Engine<any>) {
    this.#engine = engine;
  }

  get backend(): Backend {
    return this.#engine.backend;
  }

  get workers(): number {
    return this.#engine.workers;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the signatures of `map` are the interface's.
  map(items: any, fn: (...args: any[]) => any, options: MapOptions = {}): Run<any> {
    checkItems(items);
    checkFunction(fn);
    checkMapOptions(options);
    return this.#start(items, fn, options, false);
  }

  submit<A extends unknown[], R>(fn: (...args: A) => R | Promise<R>, ...args: A): Call<R> {
    return this.#submit(fn, args, {});
  }

  #submit<R>(fn: AnyFunction, args: unknown[], options: CallOptions): Call<R> {
    checkFunction(fn);
    return new Call(this.#start([args], fn, { progress: false, ...options }, true) as Run<R>);
  }

  withOptions(options: CallOptions): Pick<Pool<L>, 'map' | 'submit' | 'withOptions'> {
    checkOptions('withOptions options', options, CALL_OPTIONS);
    checkMapOptions(options);
    return {
      // biome-ignore lint/suspicious/noExplicitAny: the signatures of `map` are the interface's.
      map: (items: any, fn: any, own?: MapOptions): Run<any> => this.map(items, fn, { ...options, ...own }),
      submit: <A extends unknown[], R>(fn: (...args: A) => R | Promise<R>, ...args: A) =>
        this.#submit<R>(fn, args, options),
      withOptions: (more: CallOptions) => this.withOptions({ ...options, ...more }),
    };
  }

  #start(
    items: Iterable<unknown> | AsyncIterable<unknown>,
    fn: AnyFunction,
    options: MapOptions,
    spread: boolean,
  ): Run<unknown> {
    this.#refuseIfClosed();
    const engine = this.#engine;
    const prepared = engine.prepare(fn);
    const job = new Job(engine, items, options, fn.name || 'run', spread);
    const ended = () => this.#running.delete(job.settled);
    this.#running.add(job.settled);
    job.settled.then(ended, ended);
    const begin = () => {
      if (!job.ended && job.begin()) engine.start(job, prepared);
    };
    if (options.warm) engine.ready().then(begin, (error: unknown) => job.fail(error));
    else begin();
    return job.run;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new TypeError('This pool is closed; make another with createPool.');
  }

  async ready(): Promise<void> {
    this.#refuseIfClosed();
    let stop!: (reason: Error) => void;
    const closed = new Promise<never>((_, reject) => {
      stop = reject;
    });
    this.#readying.add(stop);
    try {
      await Promise.race([this.#engine.ready(), closed]);
    } finally {
      this.#readying.delete(stop);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#readying)
      stop(new TypeError('This pool was closed before its workers were ready.'));
    await Promise.allSettled(this.#running);
    await this.#engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
