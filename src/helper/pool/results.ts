import { serialize } from 'node:v8';
import { plain } from './protocol';

export interface ResultsOptions {
  readonly keep: boolean;
  /** Items of the input; null where that is not known. */
  readonly total: number | null;
  readonly workers: number;
  /** Unread results may take so much memory. */
  readonly bufferBytes: number;
  /** Called when there is room again after there was none. */
  readonly madeRoom: () => void;
}

/** So many items a worker may be ahead of a reader at first; a reader that waits gets more. */
const AHEAD = 64;

/** Results as they come: kept in input order for `await run`, handed out as they finish by `completed()`. */
export class Results<R> {
  readonly #options: ResultsOptions;
  #values: R[] | undefined;
  /** Kept results, in the order they finished: from this index (inclusive) … */
  readonly #from: number[] = [];
  /** … to this one (exclusive). Neighbours mostly finish one after another, so this stays short. */
  readonly #to: number[] = [];
  /** Results that are not kept, not yet taken. */
  #untaken: { index: number; value: R }[] = [];
  /** Iterators that were asked for, and those that read. */
  #asked = 0;
  #readers = 0;
  /** How many results the foremost reader has had. */
  #read = 0;
  /** Items that may be ahead of the reader: with the workers, or unread. */
  #window: number;
  /** There was no room when it was asked for. */
  #isHeldBack = false;
  /** Of the last result that was looked at. */
  #bytes = 0;
  #ended = false;
  #error: { reason: unknown } | undefined;
  #waiting: (() => void)[] = [];
  /** True when somebody waits for the run itself: what nobody reads need not be held back then. */
  awaited = false;

  constructor(options: ResultsOptions) {
    this.#options = options;
    this.#window = AHEAD * Math.min(options.workers, 64);
  }

  /** In input order. Made when the first one comes: for a million items that takes milliseconds, in which workers could begin. */
  get values(): R[] {
    const { keep, total } = this.#options;
    this.#values ??= keep && total !== null ? new Array<R>(total) : [];
    return this.#values;
  }

  /**
   * How many more items may be pulled; Infinity where nobody has to be waited for. The reader sets the pace of a run whose
   * results are not kept or whose end is not known, unless somebody awaits the run itself.
   * @param pulled items so far
   */
  room(pulled: number): number {
    const { keep, total, bufferBytes, workers } = this.#options;
    const isPaced = !this.awaited && (!keep || (this.#readers > 0 && total === null));
    if (!isPaced) return Number.POSITIVE_INFINITY;
    // A worker must not stand still for want of memory for one result.
    const most = this.#bytes > 0 ? Math.max(workers, Math.floor(bufferBytes / this.#bytes)) : this.#window;
    const window = Math.min(this.#window, most);
    const left = window - (pulled - this.#read);
    // Half a window at once: handing out single items would cost more than they do.
    const hasRoom = left >= Math.max(1, Math.min(window, this.#isHeldBack ? window / 2 : 1));
    this.#isHeldBack = !hasRoom;
    return hasRoom ? Math.max(1, Math.ceil(left / Math.min(workers, left))) : 0;
  }

  put(index: number, value: R): void {
    // Whether the next ones fit is found out from those that are there.
    if (index % AHEAD === 0 || this.#bytes === 0) this.#bytes = bytesOf(value);
    if (this.#options.keep) {
      this.values[index] = value;
      this.putRange(index, 1);
      return;
    }
    if (!this.awaited || this.#asked > 0) this.#untaken.push({ index, value });
    this.#wakeReaders();
  }

  /** Many at once; only where results are kept. */
  putNumbers(first: number, numbers: Float64Array): void {
    const { values } = this as unknown as { values: number[] };
    for (let at = 0; at < numbers.length; at++) values[first + at] = plain(numbers[at]!);
    this.putRange(first, numbers.length);
  }

  /** These have been written to `values` already. */
  putRange(first: number, count: number): void {
    const last = this.#to.length - 1;
    if (this.#to[last] === first) this.#to[last] = first + count;
    else {
      this.#from.push(first);
      this.#to.push(first + count);
    }
    this.#wakeReaders();
  }

  end(error?: { reason: unknown }): void {
    this.#ended = true;
    this.#error = error;
    this.#wakeReaders();
  }

  /** A reader that waits while it was the one to be waited for is faster than it seemed. */
  #change(): Promise<void> {
    if (this.#isHeldBack) {
      this.#window = Math.min(this.#window * 2, 2 ** 30);
      this.#options.madeRoom();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wakeReaders(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** @param count results that this reader has had, or undefined where all readers share them */
  #took(count?: number): void {
    this.#read = count === undefined ? this.#read + 1 : Math.max(this.#read, count);
    if (this.#isHeldBack && this.#read % (AHEAD / 2) === 0) this.#options.madeRoom();
  }

  /** @param left called when the last reader leaves before the end and nobody awaits the run */
  completed(left: () => void): AsyncGenerator<{ index: number; value: R }, void, undefined> {
    this.#asked++;
    return this.#options.keep ? this.#readKept(left) : this.#readOnce(left);
  }

  async *#readKept(left: () => void): AsyncGenerator<{ index: number; value: R }, void, undefined> {
    let range = 0;
    let index = -1;
    let count = 0;
    this.#readers++;
    try {
      while (true) {
        if (range < this.#to.length) {
          index = Math.max(index, this.#from[range]!);
          if (index < this.#to[range]!) {
            yield { index, value: this.values[index]! };
            index++;
            this.#took(++count);
            continue;
          }
          if (range < this.#to.length - 1) {
            range++;
            index = -1;
            continue;
          }
        }
        if (this.#ended) break;
        await this.#change();
      }
      if (this.#error) throw this.#error.reason;
    } finally {
      this.#leave(left);
    }
  }

  async *#readOnce(left: () => void): AsyncGenerator<{ index: number; value: R }, void, undefined> {
    let taken: { index: number; value: R }[] = [];
    let at = 0;
    this.#readers++;
    try {
      while (true) {
        // Taken all at once: an array that is shifted item by item is slow.
        taken = this.#untaken;
        this.#untaken = [];
        for (at = 0; at < taken.length; ) {
          yield taken[at++]!;
          this.#took();
        }
        if (this.#untaken.length > 0) continue;
        if (this.#ended) break;
        await this.#change();
      }
      if (this.#error) throw this.#error.reason;
    } finally {
      // What this reader leaves is for the others.
      if (at < taken.length) this.#untaken = taken.slice(at).concat(this.#untaken);
      this.#leave(left);
    }
  }

  #leave(left: () => void): void {
    this.#readers--;
    if (!this.#ended && this.#readers === 0 && !this.awaited) left();
  }
}

/** Roughly what it takes to hold a value. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return 2 * value.length + 16;
  if (typeof value !== 'object' || value === null) return 16;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength + 100;
  try {
    return serialize(value).length + 50;
  } catch {
    return 1000; // a function, or what holds one
  }
}
