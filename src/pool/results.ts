import { plain } from './protocol';

/** Results as they come: kept in input order for `await run`, handed out as they finish by `completed()`. */
export class Results<R> {
  #values: R[] | undefined;
  readonly #total: number | null;
  readonly #keep: boolean;
  /** Kept results, in the order they finished: from this index (inclusive) … */
  readonly #from: number[] = [];
  /** … to this one (exclusive). Neighbours mostly finish one after another, so this stays short. */
  readonly #to: number[] = [];
  /** Results that are not kept, not yet taken. */
  #untaken: { index: number; value: R }[] = [];
  #readers = 0;
  #ended = false;
  #error: { reason: unknown } | undefined;
  #waiting: (() => void)[] = [];
  readonly #madeRoom: () => void;
  /** True when somebody waits for the run itself: what nobody reads need not be held back then. */
  awaited = false;

  constructor(keep: boolean, total: number | null, madeRoom: () => void) {
    this.#keep = keep;
    this.#madeRoom = madeRoom;
    this.#total = total;
  }

  /** In input order. Made when the first one comes: for a million items that takes milliseconds, in which workers could begin. */
  get values(): R[] {
    this.#values ??= this.#keep && this.#total !== null ? new Array<R>(this.#total) : [];
    return this.#values;
  }

  /** Unread results that are not kept hold the run back, so that an endless input needs no endless memory. */
  hasRoom(batch: number): boolean {
    if (this.#keep || (this.awaited && this.#readers === 0)) return true;
    return this.#untaken.length < Math.max(64, 4 * batch);
  }

  put(index: number, value: R): void {
    if (this.#keep) {
      this.values[index] = value;
      this.putRange(index, 1);
      return;
    }
    if (!this.awaited || this.#readers > 0) this.#untaken.push({ index, value });
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

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wakeReaders(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** @param left called when the reader leaves before the end and nobody else can have the rest */
  completed(left: () => void): AsyncGenerator<{ index: number; value: R }, void, undefined> {
    this.#readers++;
    return this.#read(left);
  }

  async *#read(left: () => void): AsyncGenerator<{ index: number; value: R }, void, undefined> {
    let range = 0;
    let index = -1;
    let whole = false;
    try {
      while (true) {
        if (this.#keep && range < this.#to.length) {
          index = Math.max(index, this.#from[range]!);
          if (index < this.#to[range]!) {
            yield { index, value: this.values[index]! };
            index++;
          } else if (range < this.#to.length - 1) {
            range++;
            index = -1;
          } else if (this.#ended) {
            range++;
          } else {
            await this.#change();
          }
        } else if (!this.#keep && this.#untaken.length > 0) {
          // Taken all at once: an array that is shifted item by item is slow.
          const taken = this.#untaken;
          this.#untaken = [];
          this.#madeRoom();
          yield* taken;
        } else if (this.#ended) {
          whole = true;
          if (this.#error) throw this.#error.reason;
          return;
        } else {
          await this.#change();
        }
      }
    } finally {
      this.#readers--;
      // Nobody else can get results that are not kept.
      if (!whole && !this.#keep) left();
    }
  }
}
