import { deserialize, serialize } from 'node:v8';
import { checkOptions, checkWhole } from '../arguments';
import { Mutex } from './semaphore';
import { changed, until } from './wait';

export interface QueueOptions {
  /** Values it holds before `put` waits. 1 or more, default 16. */
  capacity?: number;
  /** Bytes it holds before `put` waits, and more than its largest value takes. Default 1 MiB. */
  bytes?: number;
}

/** The queue is closed: nothing more can be put, or there is nothing left to get. */
export class QueueClosedError extends Error {
  override name = 'QueueClosedError';
}

const VERSION = 0;
const COUNT = 1;
const HEAD = 2;
const USED = 3;
const CLOSED = 4;
const CELLS = 5;

/**
 * A bounded queue between threads, first in, first out, with back-pressure: `put` waits while it is full, `get` while
 * it is empty. Values are copied (`v8.serialize`). On a thread, waiting blocks; in the kernel it awaits.
 */
export class Queue<T> {
  readonly capacity: number;
  readonly cells: Int32Array;
  readonly data: Uint8Array;
  readonly lock: Mutex;

  /** @throws TypeError when an option is not one */
  constructor(options: QueueOptions = {}) {
    checkOptions('Queue options', options, ['capacity', 'bytes']);
    const { capacity = 16, bytes = 1 << 20 } = options;
    checkWhole('capacity', capacity, 1);
    checkWhole('bytes', bytes, 64);
    this.capacity = capacity;
    this.cells = new Int32Array(new SharedArrayBuffer(4 * CELLS));
    this.data = new Uint8Array(new SharedArrayBuffer(bytes));
    this.lock = new Mutex();
  }

  /** Values in it now. */
  get length(): number {
    return Atomics.load(this.cells, COUNT);
  }

  /**
   * Adds a value at the end; waits while the queue is full. In the kernel it must be awaited.
   * @throws QueueClosedError, RangeError when the value alone is larger than the queue
   */
  put(value: T): undefined | Promise<undefined> {
    const bytes = serialize(value);
    if (bytes.length + 4 > this.data.length) {
      throw new RangeError(
        `A value of ${bytes.length} bytes does not fit into a queue of ${this.data.length} bytes; give it more (bytes).`,
      );
    }
    const done = until(this.cells, VERSION, () =>
      this.locked(() => {
        if (this.cells[CLOSED]) throw new QueueClosedError('put: the queue is closed.');
        const isFull =
          this.cells[COUNT]! >= this.capacity || this.cells[USED]! + bytes.length + 4 > this.data.length;
        if (isFull) return undefined;
        const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
        const tail = this.cells[HEAD]! + this.cells[USED]!;
        this.write(tail, length);
        this.write(tail + 4, bytes);
        this.cells[USED]! += bytes.length + 4;
        this.cells[COUNT]! += 1;
        return true;
      }),
    );
    return done instanceof Promise ? done.then(() => undefined) : undefined;
  }

  /**
   * Takes the value that has been in longest; waits while the queue is empty. In the kernel it must be awaited.
   * @throws QueueClosedError when it is closed and empty
   */
  get(): T | Promise<T> {
    const got = until(this.cells, VERSION, () =>
      this.locked(() => {
        if (this.cells[COUNT] === 0) {
          if (this.cells[CLOSED]) throw new QueueClosedError('get: the queue is closed and empty.');
          return undefined;
        }
        const head = this.cells[HEAD]!;
        const length = new Uint32Array(this.read(head, 4).buffer)[0]!;
        const bytes = this.read(head + 4, length);
        this.cells[HEAD] = (head + length + 4) % this.data.length;
        this.cells[USED]! -= length + 4;
        this.cells[COUNT]! -= 1;
        return { value: deserialize(bytes) as T };
      }),
    );
    return got instanceof Promise ? got.then(({ value }) => value) : got.value;
  }

  /** No more values: `get` hands out what is left and then throws, and so does a `put` that waits. */
  close(): void {
    Atomics.store(this.cells, CLOSED, 1);
    changed(this.cells, VERSION);
  }

  /** All values up to the end, for a thread that does nothing else: `for (const value of queue)`. Blocks. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (;;) {
      let value: T;
      try {
        value = this.get() as T;
      } catch (error) {
        if (error instanceof QueueClosedError) return;
        throw error;
      }
      yield value;
    }
  }

  /** All values up to the end, in the kernel: `for await (const value of queue)`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let value: T;
      try {
        value = await this.get();
      } catch (error) {
        if (error instanceof QueueClosedError) return;
        throw error;
      }
      yield value;
    }
  }

  /** Held for a few microseconds only, so everybody spins, the kernel too. */
  private locked<R>(work: () => R): R {
    while (!this.lock.tryAcquire());
    try {
      const result = work();
      if (result !== undefined) changed(this.cells, VERSION);
      return result;
    } finally {
      this.lock.release();
    }
  }

  private write(at: number, bytes: Uint8Array): void {
    const from = at % this.data.length;
    const room = this.data.length - from;
    this.data.set(bytes.subarray(0, room), from);
    this.data.set(bytes.subarray(room), 0);
  }

  private read(at: number, length: number): Uint8Array {
    const from = at % this.data.length;
    const bytes = new Uint8Array(length);
    const room = Math.min(length, this.data.length - from);
    bytes.set(this.data.subarray(from, from + room));
    bytes.set(this.data.subarray(0, length - room), room);
    return bytes;
  }
}
