import { words } from '../errors';

/** The run's input, pulled as needed: arrays by slices, iterators item by item, asynchronous ones ahead of need. */
export interface Source {
  /** Items in all; null where that is not known. */
  readonly total: number | null;
  /** Items that could be pulled now; Infinity where that is not known. */
  readonly available: number;
  /** Up to `max` items; none when they are still to come (then `wake` is called later) or at the end. */
  pull(max: number): ArrayLike<unknown>;
  /** The next item is a number, and so perhaps are all. */
  readonly hasNumbers: boolean;
  /** The next `max` items, if it can be seen that all are numbers; undefined, and nothing is pulled, if not. */
  pullNumbers?(max: number): Float64Array | undefined;
  /** True when nothing more will come. */
  readonly ended: boolean;
  /** Passes over items that were read from the array itself. */
  skip(count: number): void;
  /** Tells the iterator that no more is wanted. */
  close(): void;
}

export function openSource(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  wake: () => void,
  fail: (error: unknown) => void,
): Source {
  if (Array.isArray(items) || (ArrayBuffer.isView(items) && !(items instanceof DataView))) {
    return new ArraySource(items as unknown as unknown[], fail);
  }
  const iterable = items as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  return iterable[Symbol.asyncIterator]
    ? new AsyncSource((iterable as AsyncIterable<unknown>)[Symbol.asyncIterator](), wake, fail)
    : new IteratorSource(iterable as Iterable<unknown>, fail);
}

/** A list is read as the run goes on, not copied: the items that it no longer has can't be given to anybody. */
export function shortened(total: number, items: ArrayLike<unknown>): Error | undefined {
  if (items.length >= total) return undefined;
  return new RangeError(
    `The list of items had ${total} items when the run began and has ${items.length} now: give the run a copy, such as [...items], or wait for it first.`,
  );
}

class ArraySource implements Source {
  readonly total: number;
  #at = 0;

  constructor(
    readonly items: unknown[],
    readonly fail: (error: unknown) => void,
  ) {
    this.total = items.length;
  }

  get ended(): boolean {
    return this.#at >= this.total;
  }

  get available(): number {
    return this.total - this.#at;
  }

  get hasNumbers(): boolean {
    try {
      return typeof this.items[this.#at] === 'number';
    } catch {
      return false; // a getter: `pull` will meet it, and say so
    }
  }

  pull(max: number): ArrayLike<unknown> {
    const from = this.#at;
    this.#at = Math.min(this.total, from + max);
    try {
      const wrong = shortened(this.total, this.items);
      if (!wrong) return this.items.slice(from, this.#at);
      this.fail(wrong);
    } catch (error) {
      this.fail(error); // an element with a getter, a proxy
    }
    this.#at = this.total;
    return [];
  }

  pullNumbers(max: number): Float64Array | undefined {
    const items: ArrayLike<unknown> = this.items;
    const from = this.#at;
    const to = Math.min(this.total, from + max);
    if (shortened(this.total, items)) return undefined;
    const numbers = new Float64Array(to - from);
    for (let at = from; at < to; at++) {
      const item = items[at];
      if (typeof item !== 'number') return undefined;
      numbers[at - from] = item;
    }
    this.#at = to;
    return numbers;
  }

  skip(count: number): void {
    this.#at += count;
  }

  close(): void {
    this.#at = this.total;
  }
}

/** As `for … of` does it: else an iterator that answers with a number would have no end. */
function checked(result: IteratorResult<unknown>): IteratorResult<unknown> {
  if ((typeof result === 'object' && result !== null) || typeof result === 'function') return result;
  throw new TypeError(
    `The iterator of the items must answer with an object; its next() gave ${words(result)}.`,
  );
}

/**
 * Tells the iterator that no more is wanted. The run has its outcome already: what the iterator says to that can't change it,
 * and a generator that is waiting answers only when it wakes up.
 */
function leave(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {
    // See above.
  }
}

class IteratorSource implements Source {
  readonly total: number | null;
  readonly hasNumbers = false;
  ended = false;
  readonly #iterator: Iterator<unknown>;
  readonly #fail: (error: unknown) => void;

  constructor(items: Iterable<unknown>, fail: (error: unknown) => void) {
    this.total = items instanceof Set || items instanceof Map ? items.size : null;
    this.#iterator = items[Symbol.iterator]();
    this.#fail = fail;
  }

  get available(): number {
    return this.ended ? 0 : Number.POSITIVE_INFINITY;
  }

  pull(max: number): unknown[] {
    const pulled: unknown[] = [];
    try {
      while (pulled.length < max) {
        const next = checked(this.#iterator.next());
        if (next.done) {
          this.ended = true;
          break;
        }
        pulled.push(next.value);
      }
    } catch (error) {
      this.ended = true;
      this.#fail(error);
    }
    return pulled;
  }

  skip(count: number): void {
    this.pull(count);
  }

  close(): void {
    if (this.ended) return;
    this.ended = true;
    leave(this.#iterator);
  }
}

class AsyncSource implements Source {
  readonly total = null;
  readonly hasNumbers = false;
  #finished = false;
  #pulling = false;
  #wanted = 0;
  #buffer: unknown[] = [];

  constructor(
    readonly iterator: AsyncIterator<unknown>,
    readonly wake: () => void,
    readonly fail: (error: unknown) => void,
  ) {}

  get ended(): boolean {
    return this.#finished && this.#buffer.length === 0;
  }

  get available(): number {
    return this.#buffer.length;
  }

  pull(max: number): unknown[] {
    const pulled = this.#buffer.splice(0, max);
    this.#wanted = max;
    if (!this.#finished && !this.#pulling) void this.#pullAhead();
    return pulled;
  }

  async #pullAhead(): Promise<void> {
    this.#pulling = true;
    try {
      while (!this.#finished && this.#buffer.length < this.#wanted) {
        const next = checked(await this.iterator.next());
        if (next.done) this.#finished = true;
        else this.#buffer.push(next.value);
        this.wake();
      }
    } catch (error) {
      this.#finished = true;
      this.fail(error);
    }
    this.#pulling = false;
  }

  skip(count: number): void {
    this.pull(count);
  }

  close(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#buffer = [];
    leave(this.iterator);
  }
}
