import { inspect } from 'node:util';
import { now } from './clock';
import { milliseconds } from './recording';

/** What a function took, in milliseconds. As a cell's last expression it is a sentence. */
export interface Timing {
  readonly medianMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
  /** In the order of the calls. */
  readonly values: readonly number[];
}

/**
 * Times a function, warm: it is called once before the clock starts, and the event loop turns between two calls.
 *
 * @param fn what it returns is awaited
 * @param options.times calls that are timed, 1 or more; default 7
 * @example
 * await timeit(() => numbers.sort()) // sort: 3.1 ms (median of 7, from 2.9 ms to 4.4 ms)
 * @throws TypeError when an argument is wrong; what `fn` throws
 */
export async function timeit(fn: () => unknown, options: { times?: number } = {}): Promise<Timing> {
  if (typeof fn !== 'function') throw new TypeError(`timeit() takes a function; got ${inspect(fn)}.`);
  const { times = 7 } = options;
  if (!Number.isSafeInteger(times) || times < 1) {
    throw new TypeError(`timeit()'s times is a whole number, 1 or more; got ${inspect(times)}.`);
  }
  await fn();
  const values: number[] = [];
  for (let at = 0; at < times; at++) {
    await new Promise((resolve) => setImmediate(resolve));
    const startMs = now();
    await fn();
    values.push(now() - startMs);
  }
  const sorted = [...values].sort((a, b) => a - b);
  const timing: Timing = {
    medianMs: (sorted[(times - 1) >> 1]! + sorted[times >> 1]!) / 2,
    leastMs: sorted[0]!,
    mostMs: sorted[times - 1]!,
    values,
  };
  const name = fn.name ? `${fn.name}: ` : '';
  const spread = `median of ${times}, from ${milliseconds(timing.leastMs)} to ${milliseconds(timing.mostMs)}`;
  const sentence = `${name}${milliseconds(timing.medianMs)} (${spread})`;
  return Object.defineProperty(timing, inspect.custom, { value: () => sentence, enumerable: false });
}
