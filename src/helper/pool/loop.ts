import { now } from '../record/clock'; // not the whole room: a worker starts with this
import { after } from '../timer';

/** Below this an item is not worth two looks at the clock: such items share a span. */
const SHORTEST_SPAN_MS = 0.02;
/** So many results are handed over at the latest: memory for them is got as they come, and read elsewhere meanwhile. */
const MOST_RESULTS = 65536;

/** How long a loop keeps its batch, and what is done of it, to itself. */
export interface Patience {
  /** After so long it stops and leaves the rest to whoever is idle. */
  readonly budgetMs: number;
  /** What is done is handed over after so long, so that nobody waits for a long item to see the short ones before it. */
  readonly handOverMs: number;
}

/** What was worked off of a batch: `count` items from `offset` on. */
export interface Done {
  readonly offset: number;
  readonly count: number;
  /** How many of the batch's items this lane does in all; the others are given back. */
  readonly end: number;
  /** One value an item; numbers only as a Float64Array. */
  readonly values: Float64Array | unknown[];
  /** Item's offset in the batch to what it threw. */
  readonly failures: ReadonlyMap<number, unknown>;
  /** Three numbers a span: items in it, start and end (milliseconds of `record/clock`). */
  readonly spans: Float64Array;
}

/** How many items share a span: found out as the items go, and kept between the batches of one run. */
export interface Pace {
  group: number;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Calls `call` for each item, one after another: the same loop on a thread, in a process and in the kernel.
 * Never throws; what an item throws is its own failure.
 * @param handOver gets what is done while the batch goes on; what is left of it is returned
 * @param callAlone calls items that don't share a span
 */
export async function runBatch(
  items: ArrayLike<unknown>,
  call: (item: unknown, offset: number) => unknown,
  pace: Pace,
  { budgetMs, handOverMs }: Patience,
  handOver: (done: Done) => void,
  callAlone = call,
): Promise<Done> {
  let values = new Values(Math.min(items.length, MOST_RESULTS));
  let failures = new Map<number, unknown>();
  let spans: number[] = [];
  let offset = 0;
  let at = 0;
  let end = items.length;
  let handedMs = now();
  const untilMs = handedMs + budgetMs;

  const done = (): Done => ({
    offset,
    count: at - offset,
    end,
    values: values.take(at - offset),
    failures,
    spans: Float64Array.from(spans),
  });
  const flush = () => {
    handOver(done());
    offset = at;
    handedMs = now();
    values = new Values(Math.min(end - at, MOST_RESULTS));
    failures = new Map();
    spans = [];
  };
  // Whoever waits long for an item gives those behind it to others.
  const giveBack = () => {
    end = at + 1;
    flush();
  };

  while (at < end) {
    const from = at;
    const to = Math.min(end, at + pace.group, offset + MOST_RESULTS);
    const startMs = now();
    let failed = false;
    let waited = false;
    const callOne = pace.group === 1 ? callAlone : call;
    try {
      for (; at < to && at < end; at++) {
        let value = callOne(items[at], at);
        if (typeof value !== 'number' && isThenable(value)) {
          waited = true;
          // Of a group that shares a span only the whole can be handed over.
          value = await (at === from ? meanwhile(value, handOverMs, giveBack) : value);
        }
        values.set(at - offset, value);
      }
    } catch (error) {
      failures.set(at, error);
      failed = true;
    }
    const endMs = now();
    if (at > from) spans.push(at - from, startMs, endMs);
    if (failed) {
      spans.push(1, at > from ? endMs : startMs, endMs);
      at++;
    }
    const eachMs = (endMs - startMs) / (at - from);
    if (waited || eachMs >= SHORTEST_SPAN_MS) pace.group = 1;
    else if (endMs - startMs < 2 * SHORTEST_SPAN_MS) pace.group = Math.min(pace.group * 2, MOST_RESULTS);

    if (endMs > untilMs) end = at;
    else if (at < end && (endMs - handedMs > handOverMs || at - offset >= MOST_RESULTS)) flush();
  }
  return done();
}

/** Waits for it, and if that takes long, calls `act` once. */
async function meanwhile(promise: PromiseLike<unknown>, ms: number, act: () => void): Promise<unknown> {
  const timer = after(ms, act);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Results of one batch; while all are numbers they sit in a typed array, which travels without being copied. */
class Values {
  #numbers: Float64Array | undefined;
  #any: unknown[] | undefined;

  constructor(readonly length: number) {}

  set(index: number, value: unknown): void {
    if (this.#any) {
      this.#any[index] = value;
    } else if (typeof value === 'number') {
      this.#numbers ??= new Float64Array(this.length);
      this.#numbers[index] = value;
    } else {
      this.#any = this.#numbers ? Array.from(this.#numbers.subarray(0, index)) : [];
      this.#any[index] = value;
    }
  }

  take(count: number): Float64Array | unknown[] {
    if (this.#any) {
      this.#any.length = count;
      return this.#any;
    }
    const numbers = this.#numbers ?? new Float64Array(count);
    return numbers.length === count ? numbers : numbers.slice(0, count);
  }
}
