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
    return new ArraySource(items as unknown as unknown[]);
  }
  const iterable = items as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  return iterable[Symbol.asyncIterator]
    ? new AsyncSource((iterable as AsyncIterable<unknown>)[Symbol.asyncIterator](), wake, fail)
    : new IteratorSource(iterable as Iterable<unknown>, fail);
}

class ArraySource implements Source {
  readonly total: number;
  #at = 0;

  constructor(readonly items: unknown[]) {
    this.total = items.length;
  }

  get ended(): boolean {
    return this.#at >= this.total;
  }

  get available(): number {
    return this.total - this.#at;
  }

  get hasNumbers(): boolean {
    return typeof this.items[this.#at] === 'number';
  }

  pull(max: number): ArrayLike<unknown> {
    const from = this.#at;
    this.#at = Math.min(this.total, from + max);
    return this.items.slice(from, this.#at);
  }

  pullNumbers(max: number): Float64Array | undefined {
    const items: ArrayLike<unknown> = this.items;
    const from = this.#at;
    const to = Math.min(this.total, from + max);
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
        const next = this.#iterator.next();
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
    try {
      this.#iterator.return?.();
    } catch {
      // The run has its outcome already; what the iterator says on leaving can't change it.
    }
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
        const next = await this.iterator.next();
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
    // A generator that is waiting answers only when it wakes up: nobody waits for that.
    Promise.resolve(this.iterator.return?.()).catch(() => {});
  }
}
