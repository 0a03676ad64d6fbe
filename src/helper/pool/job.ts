import { CancelledError, InterruptedError, isError, withItem, words } from '../errors';
import { onInterrupt } from '../notebook';
import { type ProgressBar, showProgress } from '../progress';
import { Recording } from '../record';
import type { Batch, JobHost, Outcome } from './batch';
import { mention, writersOf } from './late';
import type { MapOptions } from './options';
import { type Aside, plain } from './protocol';
import { Results } from './results';
import { Run, type RunHandle } from './run';
import { onAbort } from './signal';
import { openSource, type Source } from './source';

/** Auto-sized batches aim at this time: far above what a message costs, far below what a reader notices. */
const BATCH_MS = 15;
/** From so many numbers on, nothing is lost by sending them before it is known how long an item takes. */
const MANY_NUMBERS = 1000;
/** Of other items no more than this are sent at once: they are copied, and results are to be seen soon. */
const MOST_ITEMS = 8192;
/** A batch may be so many times as large as the last one measured, as first items may not be like the others. */
const GROWTH = 16;

/** Longer than a batch of short items takes, shorter than anybody minds. */
const GRACE_MS = 50;

type BatchStart = Pick<Batch, 'first' | 'items' | 'attempt' | 'readyMs' | 'solo'>;

/** Items from `from` (inclusive) to `to` (exclusive) of a batch that has been: copied only when they are handed out. */
interface Again extends Pick<Batch, 'items' | 'attempt' | 'readyMs' | 'solo'> {
  /** Index in the run's input of the item at `from`. */
  first: number;
  from: number;
  readonly to: number;
}

let lastJob = 0;
let lastBatch = 0;

/** One map: hands out items in batches, takes their outcomes, and settles its run exactly once. */
export class Job {
  readonly id = ++lastJob;
  readonly run: Run<unknown>;
  readonly record: Recording;
  readonly options: MapOptions;
  /** `submit`: each item is a list of arguments. */
  readonly spread: boolean;
  /** Prints into the cell that started the run, also when a later cell runs by then. */
  readonly write: Record<'stdout' | 'stderr', (text: string) => void>;
  /** Resolves when the run has ended, however it did. Waiting for it is not asking for the results. */
  readonly settled: Promise<void>;
  /** Aborted when the run stops early. */
  readonly abort = new AbortController();

  #host: JobHost;
  readonly #source: Source;
  readonly #results: Results<unknown>;
  /** Items that have been handed out before: to be tried again, or left over. */
  readonly #again: Again[] = [];
  #againItems = 0;
  readonly #timers = new Set<NodeJS.Timeout>();
  #next = 0;
  #inFlight = 0;
  #waiting = 0;
  #ended = false;
  /** Milliseconds an item, measured; undefined before the first. */
  #itemMs: number | undefined;
  #largest = 1;
  #settle!: () => void;
  #resolve!: (values: unknown[]) => void;
  #reject!: (reason: unknown) => void;
  readonly #cleanUps: (() => void)[] = [];
  #bar: ProgressBar | undefined;

  constructor(
    host: JobHost,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions,
    label: string,
    spread = false,
  ) {
    this.#host = host;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.options = options;
    this.spread = spread;
    const { stdout, stderr } = process;
    const out = stdout.write;
    const err = stderr.write;
    this.write = {
      stdout: (text) => void out.call(stdout, text),
      stderr: (text) => void err.call(stderr, text),
    };
    this.#source = openSource(
      items,
      () => this.#host.wake(),
      (error) => this.#end('failed', error),
    );
    this.record = new Recording({
      label: options.label ?? label,
      backend: host.backend,
      workers: host.workers,
      total: this.#source.total,
    });
    const results = new Results<unknown>({
      keep: options.keep ?? true,
      total: this.#source.total,
      workers: host.workers,
      bufferBytes: (options.bufferMb ?? 64) * 2 ** 20,
      madeRoom: () => this.#host.wake(),
    });
    this.#results = results;
    const handle: RunHandle<unknown> = {
      record: this.record,
      completed: () => results.completed(() => this.#leave()),
      cancel: (reason) => this.cancel(reason),
      awaited: () => {
        results.awaited = true;
        this.#host.wake();
      },
    };
    this.run = new Run<unknown>(handle, (resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    writersOf(this.id, this.record.label, this.write);
    this.#listen(options.signal);
    this.#cleanUps.push(onInterrupt(() => this.#interrupt()));
    this.#bar = showProgress(() => this.record, options.progress);
  }

  /** What is left runs there; `why` in a sentence. */
  moveTo(host: JobHost, why: string): void {
    this.#host = host;
    this.record.moved(host.backend, host.workers, why);
  }

  /** The results in input order, for a loop in the kernel that writes them there itself; see `wrote`. */
  get values(): unknown[] {
    return this.#results.values;
  }

  /** The next `count` items are through: their results are in `values`. */
  wrote(count: number, startMs: number, endMs: number): void {
    const first = this.#next;
    this.#source.skip(count);
    this.#next += count;
    this.record.ok += count;
    const { origin } = this.record;
    const start = startMs - origin;
    this.record.add({
      index: first,
      count,
      lane: 'main',
      queuedMs: start,
      startMs: start,
      endMs: endMs - origin,
      status: 'ok',
      attempt: 1,
    });
    this.#results.putRange(first, count);
    this.#endIfDone();
  }

  /** The next item threw, in a loop in the kernel. */
  failAt(index: number, item: unknown, error: unknown): void {
    this.record.failed++;
    this.#end('failed', withItem(error, index, item));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Items that could go to a lane now. */
  get waitingItems(): number {
    return this.#ended ? 0 : this.#again.length + this.#source.available;
  }

  /**
   * The next items for a lane; undefined when there are none now or none left.
   * @param idle the lane has nothing else in flight
   */
  take(idle: boolean): Batch | undefined {
    if (this.#ended) return undefined;
    const size = this.#chunkSize();
    const at = this.#again.findIndex((entry) => idle || !entry.solo);
    if (at >= 0) {
      return this.#takeAgain(at, size);
    }
    const room = this.#source.ended ? size : this.#results.room(this.#next);
    if (room === 0) return undefined;
    const items = this.#pull(Math.min(size, room));
    if (this.#ended) return undefined; // the source failed
    if (items.length === 0) {
      this.#endIfDone();
      return undefined;
    }
    const first = this.#next;
    this.#next += items.length;
    const readyMs = this.#source.total === null ? this.record.now() : 0;
    return this.#batch({ first, items, attempt: 1, readyMs, solo: false });
  }

  #pull(size: number): ArrayLike<unknown> {
    const numbers = this.#host.packsNumbers && this.#source.hasNumbers && this.#source.pullNumbers?.(size);
    return numbers || this.#source.pull(size);
  }

  /** At most `size` of these items; the others stay to be handed out. */
  #takeAgain(at: number, size: number): Batch {
    const again = this.#again[at]!;
    const { first, from, attempt, readyMs, solo } = again;
    const to = Math.min(again.to, from + size);
    // Arrays and typed arrays alike.
    const items = (again.items as unknown[]).slice(from, to);
    if (to === again.to) this.#again.splice(at, 1);
    again.from = to;
    again.first += items.length;
    this.#againItems -= items.length;
    return this.#batch({ first, items, attempt, readyMs, solo });
  }

  #batch({ first, items, attempt, readyMs, solo }: BatchStart): Batch {
    this.#inFlight++;
    // Field by field: a spread takes some microseconds, which an item that waits for nothing long would feel.
    return {
      id: ++lastBatch,
      job: this,
      first,
      items,
      attempt,
      readyMs,
      solo,
      settled: 0,
      end: items.length,
    };
  }

  /** How long a batch may take before its lane leaves the rest. */
  get budgetMs(): number {
    return typeof this.options.chunkSize === 'number'
      ? Number.POSITIVE_INFINITY
      : (this.#host.batchMs ?? BATCH_MS);
  }

  #chunkSize(): number {
    const { chunkSize, timeoutMs } = this.options;
    if (this.#host.backend === 'async') return 1;
    // Nobody but the kernel can time an item that never ends: such items go one by one.
    if (timeoutMs !== undefined) return 1;
    if (typeof chunkSize === 'number') return chunkSize;
    const { workers, batchMs = BATCH_MS, mostItems = Number.POSITIVE_INFINITY } = this.#host;
    const wanted = Math.min(
      mostItems,
      this.#itemMs === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(batchMs / this.#itemMs)),
    );
    const { total } = this.record;
    const left = total === null ? Number.POSITIVE_INFINITY : total - this.#next + this.#againItems;
    // Many numbers cost next to nothing to send, and what a lane has no time for comes back: all in one go.
    if (this.#source.hasNumbers && left >= MANY_NUMBERS) {
      return Math.min(wanted, Math.ceil(left / Math.max(1, workers - this.#inFlight)));
    }
    // Guided self-scheduling (Polychronopoulos and Kuck, 1987): never more than a fair share of what is left.
    const fair = Math.max(1, Math.ceil(left / (2 * workers)));
    const grown = this.#itemMs === undefined ? 1 : this.#largest * GROWTH;
    return Math.min(wanted, fair, grown, MOST_ITEMS);
  }

  /**
   * Takes the outcome of (part of) a batch.
   * @param last the lane is through with it
   */
  settle(batch: Batch, outcome: Outcome, lane: string, last: boolean): void {
    if (this.#ended) return;
    batch.settled = outcome.offset + outcome.count;
    if (last) this.#inFlight--;
    if (outcome.end < batch.end) {
      const { items, attempt, readyMs, solo } = batch;
      const [from, to] = [outcome.end, batch.end];
      this.#again.unshift({ first: batch.first + from, items, from, to, attempt, readyMs, solo });
      this.#againItems += to - from;
      batch.end = outcome.end;
      this.#host.wake();
    }
    this.#addSpans(batch, outcome, lane);
    const { values } = outcome;
    const isKept = this.options.keep !== false && this.options.onError !== 'collect';
    if (isKept && values instanceof Float64Array && outcome.failures.size === 0) {
      this.record.ok += outcome.count;
      this.#results.putNumbers(batch.first + outcome.offset, values);
      this.#endIfDone();
      return;
    }
    const failures: unknown[] = [];
    const isNumbers = outcome.values instanceof Float64Array;
    for (let at = 0; at < outcome.count; at++) {
      const offset = outcome.offset + at;
      if (outcome.failures.has(offset)) {
        const error = outcome.failures.get(offset);
        if (!this.#retry(batch, offset)) failures.push(this.#fail(batch, offset, error));
      } else {
        this.record.ok++;
        const value = isNumbers ? plain(outcome.values[at] as number) : outcome.values[at];
        this.#results.put(
          batch.first + offset,
          this.options.onError === 'collect' ? { status: 'fulfilled', value } : value,
        );
      }
    }
    if (failures.length > 0 && this.options.onError !== 'collect') {
      this.#end('failed', failures.length === 1 ? failures[0] : this.#several(failures));
    }
    this.#endIfDone();
  }

  #several(errors: unknown[]): AggregateError {
    const first = words(errors[0]).replace(/^Error: /, '');
    return new AggregateError(
      errors,
      `${errors.length} items of "${this.record.label}" failed; the first: ${first}`,
    );
  }

  #addSpans(batch: Batch, outcome: Outcome, lane: string): void {
    const { record } = this;
    const { spans } = outcome;
    let offset = outcome.offset;
    let timed = 0;
    for (let at = 0; at < spans.length; at += 3) {
      const count = spans[at]!;
      const startMs = spans[at + 1]! - record.origin;
      const endMs = spans[at + 2]! - record.origin;
      timed += endMs - startMs;
      const failed = outcome.failures.has(offset);
      record.add({
        index: batch.first + offset,
        count,
        lane,
        queuedMs: Math.max(0, startMs - batch.readyMs),
        startMs,
        endMs,
        status: failed ? 'failed' : 'ok',
        attempt: batch.attempt,
        ...this.#labelOf(batch, offset, count),
        ...(failed ? { error: words(outcome.failures.get(offset)) } : {}),
      });
      offset += count;
    }
    if (outcome.count > 0) {
      const each = Math.max(timed / outcome.count, 1e-6);
      // Recent items count for as much as all before them: what comes next is most like what came last.
      this.#itemMs = this.#itemMs === undefined ? each : (this.#itemMs + each) / 2;
      this.#largest = Math.max(this.#largest, outcome.count);
    }
  }

  /** Short names among the items name their blocks in the charts. */
  #labelOf(batch: Batch, offset: number, count: number): { label?: string } {
    const { total } = this.record;
    const item = batch.items[offset];
    if (count === 1 && this.options.name) {
      return { label: String(this.options.name(item, batch.first + offset)) };
    }
    if (count > 1 || total === null || total > 1000 || typeof item !== 'string' || item.length > 24)
      return {};
    return { label: item };
  }

  /** True when the item will be tried again. */
  #retry(batch: Batch, offset: number): boolean {
    if (batch.attempt > (this.options.retries ?? 0)) return false;
    this.#waiting++;
    // Exponential backoff with full jitter, so that what failed together doesn't come back together.
    const pauseMs = Math.random() * Math.min(5000, 50 * 2 ** (batch.attempt - 1));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#waiting--;
      this.#queueAgain(batch, offset, batch.attempt + 1, batch.solo);
      this.#host.wake();
    }, pauseMs);
    this.#timers.add(timer);
    return true;
  }

  #queueAgain(batch: Batch, offset: number, attempt: number, solo: boolean): void {
    this.#againItems++;
    this.#again.push({
      first: batch.first + offset,
      items: batch.items,
      from: offset,
      to: offset + 1,
      attempt,
      readyMs: this.record.now(),
      solo,
    });
  }

  #fail(batch: Batch, offset: number, error: unknown): unknown {
    this.record.failed++;
    const index = batch.first + offset;
    const reason = withItem(error, index, batch.items[offset]);
    if (this.options.onError === 'collect') this.#results.put(index, { status: 'rejected', reason });
    return reason;
  }

  /**
   * The lane died with this batch. If one item alone was there, it is to blame; otherwise each is tried alone.
   * @param alone nothing else was in flight on the lane
   * @param blameless the lane died for another reason than its items: they simply run again
   */
  lost(
    batch: Batch,
    error: unknown,
    lane: string,
    alone: boolean,
    startMs: number,
    blameless: boolean,
  ): void {
    if (this.#ended) return;
    const offset = batch.settled;
    if (alone && offset === batch.end - 1 && !blameless) {
      const spans = Float64Array.of(1, startMs, this.record.origin + this.record.now());
      const outcome = {
        offset,
        count: 1,
        end: batch.end,
        values: [undefined],
        failures: new Map([[offset, error]]),
        spans,
      };
      this.settle(batch, outcome, lane, true);
      return;
    }
    this.#inFlight--;
    for (let at = offset; at < batch.end; at++) {
      this.#queueAgain(batch, at, batch.attempt, batch.solo || !blameless);
    }
    this.#host.wake();
  }

  /** What can't travel is refused item by item, before it starts: a batch is taken apart. */
  refuse(batch: Batch, error: unknown, lane: string): void {
    this.lost(batch, error, lane, batch.items.length === 1, this.record.origin + this.record.now(), false);
  }

  /** What an item printed, in the cell that started the run. */
  print({ stream, text, item }: Extract<Aside, { aside: 'print' }>, lane: string): void {
    // With a prefix, before each line.
    this.write[stream](
      item === undefined ? text : text.replace(/^(?!$)/gm, () => `[${lane}, item ${item}] `),
    );
  }

  /** The run has ended while this batch was under way. */
  cutOff(batch: Batch, lane: string, startMs: number): void {
    const { record } = this;
    const count = batch.end - batch.settled;
    if (record.total === null) record.cancelled += count;
    const start = startMs - record.origin;
    record.add({
      index: batch.first + batch.settled,
      count,
      lane,
      queuedMs: Math.max(0, start - batch.readyMs),
      startMs: start,
      endMs: record.wallMs,
      status: 'cancelled',
      attempt: batch.attempt,
    });
  }

  /** The run can't go on: a worker can't start, its function can't be made there. */
  fail(error: unknown): void {
    this.#end('failed', error);
  }

  cancel(reason?: unknown): void {
    if (this.#ended) return;
    const error = isError(reason) ? reason : new CancelledError(this.#how('was cancelled', reason));
    this.#end('cancelled', error);
  }

  /** Its last reader left, and nobody awaits it. What is under way may end by itself: a warm worker is worth a moment. */
  #leave(): void {
    const error = new CancelledError(this.#how('was cancelled', 'nobody reads its results any more'));
    this.#end('cancelled', error, GRACE_MS);
  }

  #interrupt(): void {
    const error = new InterruptedError(this.#how('was interrupted'));
    // The trace would show how the signal came in, which helps nobody.
    error.stack = `${error.name}: ${error.message}`;
    this.#end('interrupted', error);
  }

  #how(what: string, reason?: unknown): string {
    const { label, ok, failed, total } = this.record;
    const why = reason === undefined ? '' : `: ${typeof reason === 'string' ? reason : words(reason)}`;
    return `"${label}" ${what}, ${ok + failed} of ${total ?? '(unknown)'} done${why}`;
  }

  #listen(signal: AbortSignal | undefined): void {
    if (!signal) return;
    const abort = () => this.#end('cancelled', signal.reason);
    if (signal.aborted) {
      // After the constructor: the run must exist before it can end.
      queueMicrotask(abort);
      return;
    }
    this.#cleanUps.push(onAbort(signal, abort));
  }

  #endIfDone(): void {
    if (this.#ended || this.#inFlight > 0 || this.#waiting > 0 || this.#again.length > 0) return;
    if (this.#source.ended) this.#end('done');
  }

  /** An empty input is done at once. @returns false when there is nothing to do */
  begin(): boolean {
    this.record.restart();
    this.#endIfDone();
    return !this.#ended;
  }

  /** The one place where a run ends. @param graceMs what is under way may still end by itself for so long */
  #end(status: 'done' | 'failed' | 'cancelled' | 'interrupted', error?: unknown, graceMs = 0): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#settle();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#source.close();
    if (this.record.total === null && status === 'done') this.record.total = this.#next;
    this.record.finish(status);
    this.#bar?.end();
    this.#again.length = 0;
    if (status === 'done') {
      this.#host.stopped(this, 0);
      this.#results.end();
      this.#resolve(this.options.keep === false ? [] : this.#results.values);
      return;
    }
    this.abort.abort(error);
    // A failed run's other items may be about to end, too.
    this.#host.stopped(this, status === 'failed' ? GRACE_MS : graceMs);
    this.#results.end({ reason: error });
    this.#reject(error);
    if (status !== 'interrupted' && !(isError(error) && error instanceof CancelledError))
      mention(this, error);
  }
}
