import type { AnyFunction } from '../closure';
import { TimeoutError } from '../errors';
import { now } from '../record';
import { after } from '../timer';
import type { Batch, JobHost } from './batch';
import type { Job } from './job';
import { type Done, isThenable, type Pace, runBatch } from './loop';
import type { CheckedPoolOptions } from './options';

type Fn = (...args: unknown[]) => unknown;

/** The kernel must hear the stop button, so work in the kernel gives way to the event loop after so long. */
const GIVE_WAY_MS = 10;

/** No failures. */
const NONE: ReadonlyMap<number, unknown> = new Map();

function giveWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What the backends in the kernel share: `init` is called once, before the first item. */
abstract class Local implements JobHost {
  abstract readonly backend: 'serial' | 'async';
  #local: Promise<unknown> | undefined;

  constructor(readonly options: CheckedPoolOptions<unknown>) {}

  get workers(): number {
    return this.options.workers;
  }

  /** Nothing travels, so nothing is refused. */
  prepare(fn: AnyFunction): Fn {
    return fn as Fn;
  }

  start(job: Job, fn: Fn): void {
    // In the next turn: the caller has its run before the first item begins.
    void (async () => {
      try {
        await this.ready();
        await this.work(job, fn, await this.#local);
      } catch (error) {
        job.fail(error);
      }
    })();
  }

  async ready(): Promise<void> {
    this.#local ??= Promise.resolve(this.options.init?.());
    await this.#local;
  }

  protected abstract work(job: Job, fn: Fn, local: unknown): Promise<void>;
  abstract wake(): void;
  abstract stopped(job: Job, graceMs: number): void;
  close(): void {}
}

/** Resolves when somebody wakes it, for loops that have run out of items for now. */
class Bell {
  #ring: (() => void) | undefined;

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve;
    });
  }

  ring(): void {
    this.#ring?.();
  }
}

/** One item after another, in the kernel: the loop that all others are measured against. */
export class Serial extends Local {
  readonly backend = 'serial';
  readonly #bells = new Set<Bell>();
  /** How to leave the batch that a job is at. */
  readonly #cuts = new Map<Job, () => void>();

  protected async work(job: Job, fn: Fn, local: unknown): Promise<void> {
    await giveWay();
    const bell = new Bell();
    this.#bells.add(bell);
    const pace: Pace = { group: 1 };
    const call = callOf(job, fn);
    const context = { lane: 'main', local, signal: job.abort.signal };
    while (!job.ended) {
      const batch = job.take(true);
      if (!batch) {
        if (!job.ended) await bell.wait();
        continue;
      }
      const startMs = now();
      const callOne = (item: unknown, offset: number) => call(item, batch.first + offset, context);
      const working = runBatch(
        batch.items,
        callOne,
        pace,
        { budgetMs: job.budgetMs, handOverMs: 5 },
        (done) => job.settle(batch, done, 'main', false),
      );
      // An item that waits for ever must not keep a run that was stopped.
      const done = await new Promise<Done | undefined>((resolve) => {
        this.#cuts.set(job, () => resolve(undefined));
        void working.then(resolve);
      });
      this.#cuts.delete(job);
      if (done) job.settle(batch, done, 'main', true);
      else job.cutOff(batch, 'main', startMs);
      if (now() - startMs >= 1) await giveWay();
    }
    this.#bells.delete(bell);
  }

  wake(): void {
    for (const bell of this.#bells) bell.ring();
  }

  stopped(job: Job): void {
    this.#cuts.get(job)?.();
    this.wake();
  }
}

/** Many items in flight on the one thread of the kernel: they take turns wherever they wait. */
export class Async extends Local {
  readonly backend = 'async';
  readonly #bells = new Set<Bell>();
  /** Items in flight, over all runs of the pool. */
  #inFlight = 0;
  /** Lanes that have been used and are free, by number. */
  readonly #free: number[] = [];
  /** Runs that found no place, in the order in which they get the next ones. */
  readonly #line = new Set<Job>();

  protected async work(job: Job, fn: Fn, local: unknown): Promise<void> {
    await giveWay();
    const bell = new Bell();
    this.#bells.add(bell);
    const inFlight = new Map<Batch, { slot: number; lane: string; startMs: number }>();
    const call = callOf(job, fn);
    let lastTurnMs = now();
    while (!job.ended) {
      const batch = this.#isNext(job) ? this.#take(job) : undefined;
      if (!batch) {
        if (!job.ended) await bell.wait();
        lastTurnMs = now();
        continue;
      }
      const slot = this.#free.pop() ?? this.#inFlight + 1;
      this.#inFlight++;
      const lane = `async ${slot}`;
      const startMs = now();
      inFlight.set(batch, { slot, lane, startMs });
      const context = { lane, local, signal: job.abort.signal };
      const settled = (failures: ReadonlyMap<number, unknown>, value: unknown) => {
        // It was stopped, and its place is somebody else's.
        if (!inFlight.delete(batch)) return;
        this.#inFlight--;
        this.#free.push(slot);
        const spans = Float64Array.of(1, startMs, now());
        job.settle(batch, { offset: 0, count: 1, end: 1, values: [value], failures, spans }, lane, true);
        this.wake();
      };
      start(call, batch, context).then(
        (value) => settled(NONE, value),
        (error: unknown) => settled(new Map([[0, error]]), undefined),
      );
      // An item that didn't wait is through after this, with the time it really took.
      await null;
      if (now() - lastTurnMs > GIVE_WAY_MS) {
        await giveWay();
        lastTurnMs = now();
      }
    }
    for (const [batch, { slot, lane, startMs }] of inFlight) {
      job.cutOff(batch, lane, startMs);
      this.#inFlight--;
      this.#free.push(slot);
    }
    inFlight.clear();
    this.#bells.delete(bell);
    this.#line.delete(job);
    this.wake();
  }

  /** Runs take turns: one that found no place comes before those that had one. */
  #isNext(job: Job): boolean {
    const [first = job] = this.#line;
    if (this.#inFlight < this.workers && first === job) return true;
    this.#line.add(job);
    return false;
  }

  /** Whether it takes something or has nothing for now, it is the next one's turn. */
  #take(job: Job): Batch | undefined {
    const batch = job.take(true);
    if (this.#line.delete(job) && this.#line.size > 0) this.wake();
    return batch;
  }

  wake(): void {
    for (const bell of this.#bells) bell.ring();
  }

  stopped(): void {
    this.wake();
  }
}

/** How a job calls its function. */
function callOf({ spread, options: { timeoutMs } }: Job, fn: Fn): Fn {
  const call: Fn = spread ? (args) => fn(...(args as unknown[])) : fn;
  return timeoutMs === undefined ? call : withTimeout(call, timeoutMs);
}

/** Starts an item at once; what it throws, rejects the promise. */
function start(call: Fn, { items, first }: Batch, context: object): Promise<unknown> {
  try {
    return Promise.resolve(call(items[0], first, context));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** In the kernel nothing can stop a function; its item settles all the same, and the function is left to itself. */
function withTimeout(call: Fn, timeoutMs: number): Fn {
  return (...args) => {
    const startMs = now();
    const value = call(...args);
    const error = new TimeoutError(`It took longer than ${timeoutMs} ms (timeoutMs).`);
    if (!isThenable(value)) {
      if (now() - startMs > timeoutMs) throw error;
      return value;
    }
    if (timeoutMs === Number.POSITIVE_INFINITY) return value;
    return new Promise((resolve, reject) => {
      const timer = after(timeoutMs, () => reject(error));
      value.then(resolve, reject);
      value.then(
        () => clearTimeout(timer),
        () => clearTimeout(timer),
      );
    });
  };
}
