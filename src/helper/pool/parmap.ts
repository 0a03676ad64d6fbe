import { Script } from 'node:vm';
import { refuse } from '../arguments';
import { acorn, CaptureError } from '../closure';
import { milliseconds, now } from '../record';
import type { JobHost } from './batch';
import { Job } from './job';
import { Async, Serial } from './local';
import { isThenable } from './loop';
import {
  checkFunction,
  checkItems,
  checkMapOptions,
  checkPoolOptions,
  type MapOptions,
  type WorkerContext,
} from './options';
import type { Run } from './run';
import { shortened } from './source';
import { Workers } from './workers';

/** The kernel must hear the stop button. */
const GIVE_WAY_MS = 8;
/** An item that takes longer than this in the kernel is given up there and starts anew on a thread. */
const FREEZE_MS = 60;
/** A thread's start, and a round trip to one that is up, measured; a little more than both. */
const START_MS = 45;
const ROUND_TRIP_MS = 0.5;
/** What an item costs on its way there and back: numbers travel as typed arrays, anything else is copied. */
const TRAVEL_MS = { numbers: 0.0001, others: 0.003 };

export interface ParmapOptions extends MapOptions {
  /** Lanes, if it is shared. Default: the cores of this machine or container; for waiting items all at once. */
  workers?: number;
}

/**
 * `map` that finds out itself where to run: it measures the first items in the kernel. Work too small to share stays
 * a loop there, work that waits becomes `async`, work that computes goes to threads. `run.record.why` says why.
 *
 * @throws TypeError when an argument is wrong. A function that can't travel is no error: it stays in the kernel.
 */
export function parmap<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number, worker: WorkerContext<undefined>) => R | Promise<R>,
  options: ParmapOptions & { onError: 'collect' },
): Run<PromiseSettledResult<R>>;
export function parmap<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number, worker: WorkerContext<undefined>) => R | Promise<R>,
  options?: ParmapOptions & { onError?: 'throw' | undefined },
): Run<R>;
export function parmap<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number, worker: WorkerContext<undefined>) => R | Promise<R>,
  options: ParmapOptions,
): Run<R | PromiseSettledResult<R>>;
// biome-ignore lint/suspicious/noExplicitAny: the signatures are those above.
export function parmap(items: any, fn: (...args: any[]) => any, options: ParmapOptions = {}): Run<any> {
  checkItems(items);
  checkFunction(fn);
  if (typeof options !== 'object' || options === null) refuse('parmap options', 'an object', options);
  const { workers, ...mapOptions } = options;
  checkMapOptions(mapOptions);
  const checked = checkPoolOptions('thread', { workers });
  const host: JobHost = { backend: 'serial', workers: 1, wake() {}, stopped() {} };
  const job = new Job(host, items, mapOptions, fn.name || 'parmap');
  if (job.begin()) void new Trial(job, items, fn, workers, checked.workers).run();
  return job.run;
}

/** Pools that all calls share, so that the second one finds its threads up. */
const sharedThreads = new Map<number, Workers>();

class Trial {
  #at = 0;
  #firstResult: { value: unknown } | undefined;
  readonly #context: WorkerContext<undefined>;

  constructor(
    readonly job: Job,
    readonly items: unknown,
    readonly fn: (item: unknown, index: number, worker: WorkerContext<undefined>) => unknown,
    readonly asked: number | undefined,
    readonly workers: number,
  ) {
    this.#context = { lane: 'main', local: undefined, signal: job.abort.signal };
  }

  async run(): Promise<void> {
    const { job, items } = this;
    const { keep, onError, timeoutMs, retries } = job.options;
    // What needs more than a plain loop over an array takes the general way, which costs a little more an item.
    const isPlain =
      Array.isArray(items) && keep !== false && onError !== 'collect' && timeoutMs === undefined && !retries;
    await null;
    if (job.ended) return;
    try {
      if (isPlain) await this.#loop(items);
      else
        this.#toThreads(
          undefined,
          'it was not tried first: its items are not in an array, or can be repeated',
        );
    } catch (error) {
      job.fail(error);
    }
  }

  /** As tight as a loop that somebody wrote by hand, with a look at the clock now and then. */
  async #loop(items: readonly unknown[]): Promise<void> {
    const { job } = this;
    const short = isPlainlyShort(this.fn);
    const total = items.length;
    job.record.moved('serial', 1, 'in the kernel: it was over before sharing could have paid');
    let lastMs = 0;
    while (!job.ended && this.#at < total) {
      const from = this.#at;
      const startMs = now();
      const cpuBefore = process.cpuUsage();
      const step = () => this.#stretch(items, startMs);
      let inTime = true;
      let thrown: { error: unknown } | undefined;
      try {
        if (short) step();
        else inTime = guard(step);
      } catch (error) {
        thrown = { error };
      }
      const endMs = now();
      const done = this.#at - from;
      // After the stretch, since its own function may shorten the list; the next one would end at the list's end.
      const wrong = shortened(total, items);
      if (wrong) {
        job.fail(wrong);
        return;
      }
      if (done > 0) job.wrote(done, startMs, endMs);
      if (thrown) job.failAt(this.#at, items[this.#at], thrown.error);
      if (job.ended) return;
      if (this.#firstResult) {
        await this.#promise(this.#firstResult.value as PromiseLike<unknown>, startMs);
        return;
      }
      // Processor time, since a busy machine may have left us waiting. And a stretch of short items is believed when
      // the next one is like it: the first is slower than all others, until it has been compiled.
      const { user, system } = process.cpuUsage(cpuBefore);
      const measuredMs = inTime ? Math.min(endMs - startMs, (user + system) / 1000) / done : FREEZE_MS;
      const eachMs = measuredMs > GIVE_WAY_MS ? measuredMs : Math.min(measuredMs, lastMs);
      lastMs = measuredMs;
      const refusal = this.#share(eachMs, total - this.#at, typeof items[this.#at] === 'number');
      if (refusal === undefined) return;
      if (!inTime) {
        // It can't travel, and it takes long: then it takes long here.
        this.#inKernel(`an item takes more than ${FREEZE_MS} ms, but ${refusal}`);
        return;
      }
      job.record.moved('serial', 1, refusal);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Works for some milliseconds, or until an item waits. */
  #stretch(items: readonly unknown[], startMs: number): void {
    const { values } = this.job;
    const { fn } = this;
    const context = this.#context;
    let group = 1;
    let at = this.#at;
    const end = items.length;
    while (at < end) {
      const to = Math.min(end, at + group);
      for (; at < to; at++) {
        const value = fn(items[at], at, context);
        if (typeof value === 'object' && isThenable(value)) {
          this.#firstResult = { value };
          return;
        }
        values[at] = value;
        // The watchdog may end this loop anywhere, and then nothing after it is reached.
        this.#at = at + 1;
      }
      const spentMs = now() - startMs;
      if (spentMs > GIVE_WAY_MS) return;
      if (spentMs < 1) group *= 2;
    }
  }

  /** @returns undefined when the rest was shared, else why not */
  #share(eachMs: number, left: number, numbers: boolean): string | undefined {
    const each = `an item takes about ${milliseconds(eachMs)}`;
    if (this.workers === 1) return 'in the kernel: there is one core';
    const threads = sharedThreads.get(this.workers);
    const travelMs = left * (numbers ? TRAVEL_MS.numbers : TRAVEL_MS.others);
    const lanes = Math.min(this.workers, left);
    const sharedMs = (threads?.isUp ? ROUND_TRIP_MS : START_MS) + travelMs + (left * eachMs) / lanes;
    const aloneMs = left * eachMs;
    if (lanes < 2 && eachMs < FREEZE_MS) return `in the kernel: ${left === 0 ? each : 'one item is left'}`;
    if (sharedMs > 0.9 * aloneMs && eachMs < FREEZE_MS) {
      return `in the kernel: ${each}, so sharing the other ${left} would cost more than it saves`;
    }
    return this.#toThreads(lanes, `${each}, which is worth sharing`);
  }

  /** @returns why the function can't go there, if it can't */
  #toThreads(lanes: number | undefined, why: string): string | undefined {
    const { workers, job, fn } = this;
    let threads = sharedThreads.get(workers);
    if (!threads) {
      threads = new Workers('thread', checkPoolOptions('thread', { workers }));
      sharedThreads.set(workers, threads);
    }
    try {
      const capture = threads.prepare(fn);
      job.moveTo(threads, `on ${lanes ?? workers} threads: ${why}`);
      threads.start(job, capture);
      return undefined;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      return `its function can't leave the kernel: ${error.message}`;
    }
  }

  #inKernel(why: string): void {
    const serial = new Serial(checkPoolOptions('serial', undefined));
    this.job.moveTo(serial, `in the kernel: ${why}`);
    serial.start(this.job, serial.prepare(this.fn));
  }

  /** The first item returned a promise: does it wait, or does it compute? */
  async #promise(promise: PromiseLike<unknown>, startMs: number): Promise<void> {
    const { job } = this;
    const before = process.cpuUsage();
    const value = await promise;
    const endMs = now();
    const { user, system } = process.cpuUsage(before);
    const wallMs = endMs - startMs;
    const busy = Math.min(1, (user + system) / 1000 / wallMs);
    job.values[this.#at] = value;
    this.#at++;
    job.wrote(1, startMs, endMs);
    if (job.ended) return;
    if (busy > 0.5 && wallMs > 1) {
      const why = `an item computes for ${Math.round(100 * busy)} % of its ${milliseconds(wallMs)}`;
      const refusal = this.#toThreads(undefined, why);
      if (refusal === undefined) return;
      this.#inKernel(refusal);
      return;
    }
    const flight = new Async(checkPoolOptions('async', { workers: this.asked }));
    job.moveTo(
      flight,
      `async: an item waits ${Math.round(100 * (1 - busy))} % of its ${milliseconds(wallMs)}`,
    );
    flight.start(job, flight.prepare(this.fn));
  }
}

const step = Symbol.for('tslab-parallel.step');
let script: Script | undefined;

/** Runs it in the kernel, but not for long. @returns false when it was ended, wherever it was */
function guard(run: () => void): boolean {
  script ??= new Script(`globalThis[Symbol.for('tslab-parallel.step')]()`);
  const holder = globalThis as { [step]?: () => void };
  holder[step] = run;
  try {
    script.runInThisContext({ timeout: FREEZE_MS });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  } finally {
    delete holder[step];
  }
}

const shortness = new Map<string, boolean>();

/**
 * True for functions without a loop and without a call but to `Math`: they need no watchdog, which costs about a
 * tenth of a millisecond.
 */
function isPlainlyShort(fn: (...args: never[]) => unknown): boolean {
  const source = fn.toString();
  let short = shortness.get(source);
  if (short === undefined) {
    try {
      short = onlyShort(acorn().parse(`(${source})`, { ecmaVersion: 'latest' }));
    } catch {
      short = false;
    }
    if (shortness.size > 1000) shortness.clear();
    shortness.set(source, short);
  }
  return short;
}

const LONG = /^(For|While|DoWhile|New|Await|Yield|Tagged|Import|Class)/;

function onlyShort(node: unknown): boolean {
  if (Array.isArray(node)) return node.every(onlyShort);
  if (typeof node !== 'object' || node === null) return true;
  const { type, callee } = node as { type?: string; callee?: { object?: { name?: string } } };
  if (type !== undefined && LONG.test(type)) return false;
  if (type === 'CallExpression' && callee?.object?.name !== 'Math') return false;
  return Object.values(node).every(onlyShort);
}
