import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { serialize } from 'node:v8';

/** What trying some items showed, in milliseconds an item unless it says otherwise. */
export interface Probed {
  /** Items that ran. */
  readonly tried: number;
  /** From its start to its end, without the time for which other programs had the processor. */
  readonly itemMs: number;
  /** Of that, for how long it held its thread, computing or not: nothing else could run there. */
  readonly heldMs: number;
  /** Processor time, on whatever thread. */
  readonly cpuMs: number;
  /** Its function returns promises. */
  readonly promises: boolean;
  /** Bytes of a result. */
  readonly resultBytes: number;
  /** The item that threw, and what: then the figures are of those before it. */
  readonly failure?: { readonly index: number; readonly error: unknown };
}

type Tried = (item: unknown, index: number, worker: object) => unknown;

interface Lap {
  readonly items: number;
  readonly itemMs: number;
  readonly heldMs: number;
  readonly cpuMs: number;
}

/** Items that wait are tried at once as well: so many, and no more than take this long to compute. */
const CROWD = 64;
const CROWD_MS = 100;
/** With fewer there is nothing to see. */
const LEAST_CROWD = 4;

/**
 * Runs some items, one after another, and looks where their time goes; then, if they wait, some more of them at once:
 * one by one each wakes the thread anew, which costs more than what it does there. It travels to a worker like any
 * function, so all that it uses is in this file.
 *
 * @param sample index and item; each runs at most once
 * @param budgetMs no other item begins after so many milliseconds
 * @param worker what the function gets as its third argument
 */
export async function probe(
  sample: readonly (readonly [index: number, item: unknown])[],
  fn: Tried,
  budgetMs: number,
  worker: object,
): Promise<Probed> {
  const laps: Lap[] = [];
  let promises = false;
  let result: unknown;
  let failure: Probed['failure'];
  let at = 0;
  let group = 1;
  const untilMs = performance.now() + budgetMs;
  while (at < sample.length && !failure && performance.now() < untilMs) {
    const from = at;
    const to = Math.min(sample.length, at + group);
    const before = usage();
    const startMs = performance.now();
    while (at < to) {
      const [index, item] = sample[at]!;
      try {
        result = fn(item, index, worker);
        if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function') {
          promises = true;
          result = await result;
        }
      } catch (error) {
        failure = { index, error };
        break;
      }
      at++;
    }
    const wallMs = performance.now() - startMs;
    const after = usage();
    const items = at - from;
    if (items > 0) laps.push(lapOf(items, wallMs, before, after));
    // Items too short to time one by one share a lap.
    if (wallMs < 1) group *= 2;
  }
  // The first ones run before the function is compiled.
  const settled = laps.length < 3 ? laps : laps.slice(Math.ceil(laps.length / 3));
  const items = settled.reduce((sum, lap) => sum + lap.items, 0) || 1;
  const mean = (of: 'itemMs' | 'heldMs' | 'cpuMs') => settled.reduce((sum, lap) => sum + lap[of], 0) / items;
  const alone = { itemMs: mean('itemMs'), heldMs: mean('heldMs'), cpuMs: mean('cpuMs') };
  const crowd = sample.slice(at, at + Math.min(CROWD, Math.floor(CROWD_MS / Math.max(alone.heldMs, 0.001))));
  let together: Lap | undefined;
  if (!failure && promises && alone.heldMs < 0.8 * alone.itemMs && crowd.length >= LEAST_CROWD) {
    const before = usage();
    const startMs = performance.now();
    await Promise.all(
      crowd.map(async ([index, item]) => {
        try {
          await fn(item, index, worker);
        } catch (error) {
          failure ??= { index, error };
        }
      }),
    );
    together = lapOf(crowd.length, performance.now() - startMs, before, usage());
    at += crowd.length;
  }
  return {
    tried: at,
    ...alone,
    ...(together && {
      heldMs: together.heldMs / together.items,
      cpuMs: together.cpuMs / together.items,
    }),
    promises,
    resultBytes: bytesOf(result),
    ...(failure ? { failure } : {}),
  };
}

interface Usage {
  readonly idleMs: number;
  readonly processMs: number;
  readonly thread: { readonly cpuMs: number; readonly queuedMs: number } | undefined;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return {
    idleMs: performance.eventLoopUtilization().idle,
    processMs: (user + system) / 1000,
    thread: threadUsage(),
  };
}

/** Linux counts a thread's time to the nanosecond: on the processor, and ready to run while others had it. */
function threadUsage(): { cpuMs: number; queuedMs: number } | undefined {
  try {
    const [cpu, queued] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number);
    return { cpuMs: cpu! / 1e6, queuedMs: queued! / 1e6 };
  } catch {
    return undefined;
  }
}

/**
 * Of the kernel with all its threads: processor time, and how long they were ready to run while others had it.
 * For an item that never came to an end.
 */
export function processUsage(): { cpuMs: number; queuedMs: number } {
  const { user, system } = process.cpuUsage();
  let queuedMs = 0;
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      const [, queued] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ').map(Number);
      queuedMs += queued! / 1e6;
    }
  } catch {
    // Not Linux, or a thread has just ended: then it is not known.
  }
  return { cpuMs: (user + system) / 1000, queuedMs };
}

function lapOf(items: number, wallMs: number, before: Usage, after: Usage): Lap {
  const processMs = after.processMs - before.processMs;
  const threads = before.thread && after.thread ? { from: before.thread, to: after.thread } : undefined;
  const cpuMs = threads ? threads.to.cpuMs - threads.from.cpuMs : processMs;
  const queuedMs = threads ? threads.to.queuedMs - threads.from.queuedMs : 0;
  // What Node's other threads computed for it: compression, cryptography. A little is only the compiler.
  const elsewhereMs = processMs - cpuMs > 0.3 * wallMs ? processMs - cpuMs : 0;
  const itemMs = Math.max(wallMs - queuedMs, Math.min(cpuMs, wallMs));
  return {
    items,
    itemMs,
    heldMs: Math.min(itemMs, Math.max(0, itemMs - (after.idleMs - before.idleMs))),
    cpuMs: cpuMs + elsewhereMs,
  };
}

function bytesOf(value: unknown): number {
  try {
    return serialize(value).byteLength;
  } catch {
    return 0;
  }
}
