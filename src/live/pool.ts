/** In the place of the helper's `pool/pool`: the same `map` in a browser, on one thread or on Web Workers of the reader's own cores. */
import { CancelledError, TimeoutError, withItem } from '../helper/errors';
import {
  type CheckedPoolOptions,
  checkBackend,
  checkFunction,
  checkItems,
  checkMapOptions,
  checkPoolOptions,
  type MapOptions,
  type PoolOptions,
} from '../helper/pool/options';
import { Run } from '../helper/pool/run';
import { type Backend, Recording } from '../helper/record';
import { now } from './clock';
import { emit } from './display';
import type { Done, Report, Work } from './protocol';
import { pack } from './travel';

type Fn = (item: unknown, index: number, worker: { lane: string; local: unknown }) => unknown;

const HERE: readonly Backend[] = ['serial', 'async', 'thread'];

export function createPool(backend: Backend, options?: PoolOptions): LivePool {
  checkBackend(backend);
  if (!HERE.includes(backend))
    throw new TypeError(
      `A browser has no "${backend}": a live cell takes ${HERE.map((name) => `"${name}"`).join(', ')}.`,
    );
  return new LivePool(backend, checkPoolOptions(backend, options) as CheckedPoolOptions<unknown>);
}

/** The first items here, to learn how long one takes; the rest on threads if that pays. */
export function parmap(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  fn: Fn,
  options: MapOptions & { workers?: number } = {},
): Run<unknown> {
  checkItems(items);
  checkFunction(fn);
  const { workers, ...map } = options;
  checkMapOptions(map);
  const pool = checkPoolOptions('thread', workers === undefined ? {} : { workers });
  return new LiveJob('serial', pool as CheckedPoolOptions<unknown>, items, fn, map, true).run;
}

class LivePool {
  constructor(
    readonly backend: Backend,
    readonly options: CheckedPoolOptions<unknown>,
  ) {}

  get workers(): number {
    return this.options.workers;
  }

  map(items: Iterable<unknown> | AsyncIterable<unknown>, fn: Fn, options: MapOptions = {}): Run<unknown> {
    checkItems(items);
    checkFunction(fn);
    checkMapOptions(options);
    return new LiveJob(this.backend, this.options, items, fn, options).run;
  }

  async submit(fn: (...args: unknown[]) => unknown, ...args: unknown[]): Promise<unknown> {
    checkFunction(fn);
    const [value] = await this.map([args], (list) => fn(...(list as unknown[])), { label: fn.name || 'run' });
    return value;
  }

  async ready(): Promise<void> {
    if (this.backend !== 'thread') return;
    while (idle.length < this.workers) idle.push(thread());
    await Promise.all(idle.map(({ up }) => up));
  }

  async close(): Promise<void> {}
}

/** A batch is to take about so long. */
const BATCH_MS = 12;
/** How long `parmap` tries items here, and how much work is worth threads. */
const TRIAL_MS = 5;
const WORTH_MS = 30;

class LiveJob {
  readonly run: Run<unknown>;
  readonly #record: Recording;
  readonly #source: Iterator<unknown> | AsyncIterator<unknown>;
  readonly #values: unknown[] = [];
  readonly #done: { index: number; value: unknown }[] = [];
  readonly #readers = new Set<() => void>();
  #next = 0;
  #isExhausted = false;
  #pulling: Promise<unknown> = Promise.resolve();
  #failure: { error: unknown } | undefined;
  #stop!: (reason: { error: unknown }) => void;
  readonly #stopped: Promise<void>;

  constructor(
    private backend: Backend,
    readonly pool: CheckedPoolOptions<unknown>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    readonly fn: Fn,
    readonly options: MapOptions,
    readonly isAdaptive = false,
  ) {
    const { length, size } = items as { length?: unknown; size?: unknown };
    const known = typeof length === 'number' ? length : typeof size === 'number' ? size : null;
    const label = options.label ?? (fn.name || 'run');
    this.#record = new Recording({ label, backend, workers: pool.workers, total: known });
    this.#source =
      Symbol.iterator in items
        ? items[Symbol.iterator]()
        : (items as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    this.#stopped = new Promise((resolve) => {
      this.#stop = (failure) => {
        this.#failure ??= failure;
        resolve();
      };
    });
    const { signal } = options;
    const abort = () => this.#stop({ error: signal?.reason });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    let settle!: { resolve: (values: unknown[]) => void; reject: (reason: unknown) => void };
    const handle = {
      record: this.#record,
      completed: () => this.#completed(),
      cancel: (reason?: unknown) =>
        this.#stop({
          error:
            reason instanceof Error ? reason : new CancelledError(String(reason ?? 'The run was cancelled.')),
        }),
      awaited: () => {},
    };
    this.run = new Run(handle, (resolve, reject) => {
      settle = { resolve, reject };
    });
    void this.#work().then(() => {
      signal?.removeEventListener('abort', abort);
      const failure = this.#failure;
      if (this.#record.total === null) this.#record.total = this.#next;
      this.#record.finish(
        failure ? (failure.error instanceof CancelledError ? 'cancelled' : 'failed') : 'done',
      );
      for (const wake of this.#readers) wake();
      if (failure) settle.reject(failure.error);
      else settle.resolve(options.keep === false ? [] : this.#values);
    });
  }

  async #work(): Promise<void> {
    try {
      // The cell goes on first, as on a kernel.
      await Promise.resolve();
      if (this.isAdaptive) await this.#choose();
      const lanes =
        this.backend === 'serial' ? 1 : Math.min(this.pool.workers, this.#record.total ?? 1000, 10_000);
      const work =
        this.backend === 'thread'
          ? (lane: number) => this.#thread(lane)
          : (lane: number) => this.#local(lane);
      await Promise.all(Array.from({ length: Math.max(1, lanes) }, (_, lane) => work(lane + 1)));
    } catch (error) {
      this.#stop({ error });
    }
    if (this.#failure && !this.#isExhausted) await this.#source.return?.();
  }

  /** The next items, fewer at the end. One puller at a time, for generators can't be asked twice at once. */
  #take(most: number): Promise<{ first: number; items: unknown[] }> {
    const taken = this.#pulling.then(async () => {
      const items: unknown[] = [];
      const first = this.#next;
      while (items.length < most && !this.#isExhausted && !this.#failure) {
        const next = await this.#source.next();
        if (next.done) this.#isExhausted = true;
        else items.push(next.value);
      }
      this.#next += items.length;
      return { first, items };
    });
    this.#pulling = taken.catch(() => {});
    return taken;
  }

  /** As `parmap` does it on a kernel: what is too little to share is not shared. */
  async #choose(): Promise<void> {
    const { workers } = this.pool;
    const startMs = now();
    await this.#local(1, startMs + TRIAL_MS);
    const left = (this.#record.total ?? Number.POSITIVE_INFINITY) - this.#next;
    const restMs = left * ((now() - startMs) / Math.max(1, this.#next));
    if (this.#isExhausted || restMs < WORTH_MS || workers === 1) {
      this.#record.moved('serial', 1, `${Math.round(restMs)} ms of work are too little to share`);
      return;
    }
    this.backend = 'thread';
    this.#record.moved(
      'thread',
      workers,
      `about ${Math.round(restMs)} ms of work, shared by ${workers} threads`,
    );
  }

  async #local(slot: number, untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    const lane = this.backend === 'serial' ? 'main' : `async ${slot}`;
    const local = await this.pool.init?.();
    while (now() < untilMs) {
      const { first, items } = await this.#take(1);
      if (items.length === 0) return;
      const startMs = now();
      try {
        const work = this.fn(items[0], first, { lane, local });
        const value =
          work instanceof Promise ? await Promise.race([work, this.#stopped, this.#late()]) : work;
        if (this.#failure) return;
        this.#settle(first, value, lane, startMs, now());
      } catch (error) {
        this.#failed(first, items[0], error, lane, startMs, now());
      }
    }
  }

  #late(): Promise<never> {
    const { timeoutMs } = this.options;
    return new Promise((_, reject) => {
      if (timeoutMs !== undefined && Number.isFinite(timeoutMs))
        setTimeout(
          () => reject(new TimeoutError(`The item took longer than timeoutMs: ${timeoutMs}.`)),
          timeoutMs,
        );
    });
  }

  async #thread(slot: number): Promise<void> {
    const lane = `thread ${slot}`;
    const program: Work = {
      fn: pack(this.fn),
      init: this.pool.init && pack(this.pool.init),
      lane,
    };
    let worker = idle.pop() ?? thread();
    worker.post(program);
    const most =
      this.#record.total === null ? 64 : Math.max(1, Math.ceil(this.#record.total / (4 * this.pool.workers)));
    let size = 1;
    for (;;) {
      const { first, items } = await this.#take(Math.min(size, most));
      if (items.length === 0) break;
      const startMs = now();
      const late = this.options.timeoutMs === undefined ? [] : [this.#late()];
      const answer = await Promise.race([worker.ask({ items, first }), this.#stopped, ...late]).catch(
        (error: unknown) => ({
          values: [],
          spans: [],
          error: { error, startMs, endMs: now() },
        }),
      );
      if (!answer || (answer.error && answer.error.error instanceof TimeoutError)) {
        worker.end();
        if (!answer) return;
        worker = thread();
        worker.post(program);
      }
      for (const span of answer.spans) this.#span({ ...span, lane });
      for (const [at, value] of answer.values.entries()) this.#deliver(first + at, value);
      if (answer.error) {
        const at = answer.values.length;
        this.#failed(
          first + at,
          items[at],
          answer.error.error,
          lane,
          answer.error.startMs,
          answer.error.endMs,
        );
        // What came after it has not been tried.
        for (let rest = at + 1; rest < items.length && !this.#failure; rest++) {
          const again = await worker.ask({ items: [items[rest]], first: first + rest });
          for (const span of again.spans) this.#span({ ...span, lane });
          if (again.error)
            this.#failed(
              first + rest,
              items[rest],
              again.error.error,
              lane,
              again.error.startMs,
              again.error.endMs,
            );
          else this.#deliver(first + rest, again.values[0]);
        }
      }
      const tookMs = (now() - startMs) / items.length;
      size =
        this.options.timeoutMs === undefined
          ? Math.max(1, Math.min(4 * size, Math.floor(BATCH_MS / Math.max(tookMs, 1e-4))))
          : 1;
      if (typeof this.options.chunkSize === 'number') size = this.options.chunkSize;
    }
    if (this.#failure) worker.end();
    else idle.push(worker);
  }

  #span(span: { index: number; count: number; lane: string; startMs: number; endMs: number }): void {
    const { origin } = this.#record;
    this.#record.add({ ...span, startMs: span.startMs - origin, endMs: span.endMs - origin });
  }

  #settle(index: number, value: unknown, lane: string, startMs: number, endMs: number): void {
    this.#span({ index, count: 1, lane, startMs, endMs });
    this.#deliver(index, value);
  }

  #deliver(index: number, value: unknown): void {
    const result = this.options.onError === 'collect' ? { status: 'fulfilled', value } : value;
    this.#record.ok++;
    this.#hand(index, result);
  }

  #failed(index: number, item: unknown, thrown: unknown, lane: string, startMs: number, endMs: number): void {
    const error = withItem(thrown, index, item);
    const { origin } = this.#record;
    this.#record.failed++;
    this.#record.add({
      index,
      lane,
      startMs: startMs - origin,
      endMs: endMs - origin,
      status: 'failed',
      error: String(error),
    });
    if (this.options.onError === 'collect') this.#hand(index, { status: 'rejected', reason: error });
    else this.#stop({ error });
  }

  #hand(index: number, value: unknown): void {
    if (this.options.keep !== false) this.#values[index] = value;
    this.#done.push({ index, value });
    for (const wake of this.#readers) wake();
  }

  async *#completed(): AsyncGenerator<{ index: number; value: unknown }, void, undefined> {
    for (let at = 0; ; ) {
      while (at < this.#done.length) yield this.#done[at++]!;
      if (this.#record.status !== 'running') break;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#readers.delete(wake);
          resolve();
        };
        this.#readers.add(wake);
      });
    }
    if (this.#failure) throw this.#failure.error;
  }
}

interface Thread {
  readonly up: Promise<unknown>;
  post(work: Work): void;
  ask(work: Work): Promise<Extract<Done, { values: unknown }>>;
  end(): void;
}

const idle: Thread[] = [];

let threads = 0;

/** A Web Worker of the same text as this one, which the page starts. */
function thread(): Thread {
  const number = ++threads;
  const { port1: port, port2 } = new MessageChannel();
  let answer: ((done: Extract<Done, { values: unknown }>) => void) | undefined;
  let started!: () => void;
  const up = new Promise<void>((resolve) => {
    started = resolve;
  });
  port.onmessage = ({ data }: MessageEvent<Done | 'up'>) => {
    if (data === 'up') started();
    else if ('print' in data) emit({ kind: 'stdout', text: `${data.print}\n` });
    else answer?.(data);
  };
  const toPage = (report: Report, transfer: Transferable[] = []) => self.postMessage(report, { transfer });
  toPage({ what: 'thread', thread: number, port: port2 }, [port2]);
  return {
    up,
    post: (work) => port.postMessage(work),
    ask: (work) =>
      new Promise((resolve) => {
        answer = resolve;
        port.postMessage(work);
      }),
    end: () => toPage({ what: 'unthread', thread: number }),
  };
}
