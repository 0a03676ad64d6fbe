import { performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { checkMilliseconds, checkOptions, checkWhole, refuse } from '../arguments';
import { advice, type Chart, units } from '../charts';
import { type AnyFunction, CaptureError, capture, encode } from '../closure';
import { TimeoutError, withItem } from '../errors';
import { display, figure } from '../notebook';
import { availableCores, createPool, type WorkerContext } from '../pool';
import { asyncPlan, choose, type Machine, type Plan, serialPlan, type Work, workersPlan } from './estimate';
import { type Probed, probe, processUsage } from './probe';

const { count, time } = units;

/** No other item begins after so long. */
const BUDGET_MS = 250;
/** Items looked at, spread over all. */
const MOST_TRIED = 1000;
/** And no more than so many bytes of them are sent. */
const MOST_BYTES = 1_000_000;
/** A pool's start is measured with no more workers than this. */
const MOST_STARTED = 8;

export interface AdviceOptions {
  /** Workers to plan with, 1 or more. Default: found out; the cores, for work that computes. */
  workers?: number;
  /** An item that takes longer than so many milliseconds is cut off, and judged by what it did so far. Default 2000. */
  limitMs?: number;
  /** Gives up; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What was measured. Times in milliseconds. */
export interface AdviceEvidence {
  /** Items in all, and how many of them were tried. */
  readonly items: number;
  readonly tried: number;
  /** One item, one after another, with nothing else on the machine. */
  readonly itemMs: number;
  /** It was cut off after `limitMs`: it takes at least `itemMs`. */
  readonly cutOff: boolean;
  /** Processor time of an item, and its share of `itemMs`, 0 to 1. */
  readonly cpuMs: number;
  readonly cpuShare: number;
  /** What would travel: an item and a result, on average, and once to each worker the function with all it uses. */
  readonly itemBytes: number;
  readonly resultBytes: number;
  readonly functionBytes: number;
  /** For an item to be packed and unpacked, with its result. */
  readonly travelMs: number;
  /** Until new workers, one a core, are up; and a message to one that is up, and back. */
  readonly threadStartMs: number;
  readonly processStartMs: number;
  readonly roundTripMs: number;
  /** Why the function can't leave the kernel, if it can't. */
  readonly refusal?: string;
}

/** What to do with the items, and why. As a cell's last expression it shows its sentence and its chart. */
export interface Advice {
  /** `short`: the loop takes less than sharing would. `mixed`: it waits and computes. */
  readonly kind: 'waiting' | 'computing' | 'mixed' | 'short';
  /** For `createPool(backend, { workers, concurrency })`. */
  readonly backend: 'serial' | 'async' | 'thread' | 'process';
  readonly workers: number;
  /** Items in flight inside one worker. */
  readonly concurrency: number;
  /** How many times faster than the loop, with a new pool; 1 for the loop itself. */
  readonly gain: number;
  readonly sentence: string;
  readonly evidence: AdviceEvidence;
  /** Expected time on each backend. */
  readonly chart: Chart;
}

/**
 * Tries a few of the items, and says where to run all of them: what takes their time, waiting or computing; which
 * backend and how many workers; how much faster than a loop, and why not more.
 *
 * Items run for a quarter of a second (or one item, if it takes longer), and if they wait, some more at once, at most
 * 64; each at most once, on a thread of their own, or in the kernel where the function can't travel. What they do is
 * done: an item that sends a mail has sent it. The figures hold for a machine with nothing else to do; how many calls
 * somebody else's server takes at once, nobody can see from here.
 *
 * @param items an array, a typed array, a Set or a Map: what can be read without being used up
 * @param fn what `map` takes
 * @returns {@link Advice}
 * @throws TypeError when an argument is wrong; what an item throws, with its index
 *
 * @example
 * await advise(numbers, divisors)
 */
export async function advise<T, R>(
  items: readonly T[] | ReadonlySet<T> | Iterable<T>,
  fn: (item: T, index: number, worker: WorkerContext<undefined>) => R | Promise<R>,
  options: AdviceOptions = {},
): Promise<Advice> {
  const list = listOf(items);
  if (typeof fn !== 'function') refuse('fn', 'a function', fn);
  checkOptions('advise options', options, ['workers', 'limitMs', 'signal']);
  const { workers: asked, limitMs = 2000, signal } = options;
  checkWhole('workers', asked, 1);
  checkMilliseconds('limitMs', limitMs);
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse('signal', 'an AbortSignal', signal);
  signal?.throwIfAborted();

  const cores = availableCores();
  const lanes = Math.max(1, Math.min(asked ?? cores, list.length, MOST_STARTED));
  const { sample, itemBytes, packMs } = sampleOf(list);
  const { functionBytes, refusal } = functionOf(fn as AnyFunction);
  const call = fn as Parameters<typeof probe>[1];

  const trial =
    list.length === 0
      ? { ...NOTHING, startMs: 0, roundTripMs: 0 }
      : refusal
        ? { ...(await inKernel(sample, call)), startMs: 0, roundTripMs: 0 }
        : await onWorker('thread', lanes, sample, call, limitMs, signal);
  if (trial.failure) {
    const { index, error } = trial.failure;
    throw withItem(error, index, list[index]);
  }
  const processStartMs = refusal || list.length === 0 ? 0 : await startOfProcesses(lanes);

  const resultPackMs = itemBytes > 0 ? (packMs * trial.resultBytes) / itemBytes : 0;
  const work: Work = { items: list.length, ...trial };
  const machine: Machine = {
    cores,
    asked,
    startMs: { thread: trial.startMs, process: processStartMs },
    travelMs: packMs + resultPackMs,
    asyncMs: trial.promises ? await asyncOverhead() : 0,
  };
  const plans = [
    serialPlan(work),
    ...(trial.promises ? [asyncPlan(work, machine)] : []),
    ...(refusal || list.length === 0
      ? []
      : (['thread', 'process'] as const)
          // What only a process can do failed on the thread.
          .filter((backend) => backend === 'process' || trial.backend !== 'process')
          .map((backend) => workersPlan(backend, work, machine))),
  ];
  return new Advised(plans, work, machine, {
    items: list.length,
    tried: trial.tried,
    itemMs: trial.itemMs,
    cutOff: trial.cutOff,
    cpuMs: trial.cpuMs,
    cpuShare: trial.itemMs > 0 ? Math.min(1, trial.cpuMs / trial.itemMs) : 0,
    itemBytes,
    resultBytes: trial.resultBytes,
    functionBytes,
    travelMs: machine.travelMs,
    threadStartMs: trial.startMs,
    processStartMs,
    roundTripMs: trial.roundTripMs,
    ...(refusal ? { refusal } : {}),
  });
}

interface Trial extends Probed {
  readonly cutOff: boolean;
  readonly backend: 'serial' | 'thread' | 'process';
}

const NOTHING: Trial = {
  tried: 0,
  itemMs: 0,
  heldMs: 0,
  cpuMs: 0,
  promises: false,
  resultBytes: 0,
  cutOff: false,
  backend: 'serial',
};

/** The items, if looking at some doesn't use them up. */
function listOf(items: unknown): ArrayLike<unknown> {
  if (Array.isArray(items)) return items;
  if (ArrayBuffer.isView(items) && !(items instanceof DataView))
    return items as unknown as ArrayLike<unknown>;
  if (items instanceof Set || items instanceof Map) return [...items];
  return refuse('items', 'an array, a typed array, a Set or a Map; of anything else, give [...items]', items);
}

/** Items from all over the list, in an order of which every beginning is spread over it (van der Corput, 1935). */
function sampleOf(list: ArrayLike<unknown>) {
  const sample: [index: number, item: unknown][] = [];
  const seen = new Set<number>();
  let most = Math.min(MOST_TRIED, list.length);
  for (let n = 0; sample.length < most; n++) {
    const index = Math.floor(bitReversed(n) * list.length);
    if (seen.has(index)) continue;
    seen.add(index);
    sample.push([index, list[index]]);
    if (sample.length === 8) {
      const { bytes } = packed(sample.map(([, item]) => item));
      most = Math.min(most, Math.max(8, Math.ceil(MOST_BYTES / (bytes / 8))));
    }
  }
  const values = sample.map(([, item]) => item);
  packed(values); // compiles it
  const { bytes, ms } = packed(values);
  const items = sample.length || 1;
  return { sample, itemBytes: bytes / items, packMs: ms / items };
}

/** 0, 1/2, 1/4, 3/4, 1/8, … */
function bitReversed(n: number): number {
  let value = 0;
  for (let bit = 0.5; n > 0; n >>= 1, bit /= 2) value += (n & 1) * bit;
  return value;
}

/** How items travel: numbers in a typed array, anything else in what the closure's encoder makes of it. */
function packed(values: readonly unknown[]): { bytes: number; ms: number } {
  return packedSize(() =>
    values.every((value) => typeof value === 'number')
      ? Float64Array.from(values as number[])
      : encode(values, { target: 'thread', name: 'items' }).message,
  );
}

/** What can't be packed counts nothing here: the pool refuses it, with its name. */
function packedSize(make: () => unknown): { bytes: number; ms: number } {
  try {
    const startMs = performance.now();
    const buffer = serialize(make());
    deserialize(buffer);
    return { bytes: buffer.byteLength, ms: performance.now() - startMs };
  } catch {
    return { bytes: 0, ms: 0 };
  }
}

function functionOf(fn: AnyFunction): { functionBytes: number; refusal?: string } {
  try {
    const { parts } = capture(fn, { target: 'thread' });
    return { functionBytes: parts.reduce((sum, { message }) => sum + packedSize(() => message).bytes, 0) };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { functionBytes: 0, refusal: error.message };
  }
}

type Sample = readonly (readonly [index: number, item: unknown])[];
type Call = Parameters<typeof probe>[1];

async function inKernel(sample: Sample, fn: Call): Promise<Trial> {
  const worker = { lane: 'main', local: undefined, signal: new AbortController().signal };
  return { ...(await probe(sample, fn, BUDGET_MS, worker)), cutOff: false, backend: 'serial' };
}

/** Starts new workers, as whoever follows the advice will, and tries the items on one of them. */
async function onWorker(
  backend: 'thread' | 'process',
  workers: number,
  sample: Sample,
  fn: Call,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<Trial & { startMs: number; roundTripMs: number }> {
  const pool = newWorkers(backend, workers);
  try {
    const startMs = await elapsed(() => pool.ready());
    await pool.submit(nothing);
    const roundTripMs = await elapsed(() => pool.submit(nothing));
    const before = processUsage();
    const budgetMs = BUDGET_MS;
    // An item may be cut off, and with it all that ran before: so the first one goes alone.
    let trial: Trial | undefined;
    try {
      for (const part of [sample.slice(0, 1), sample.slice(1)]) {
        if (part.length === 0 || (trial && (trial.failure || trial.itemMs > budgetMs))) break;
        const [probed] = await pool.map([part], (some, _, worker) => probe(some, fn, budgetMs, worker), {
          progress: false,
          // One after another, and then at once.
          timeoutMs: limitMs + budgetMs * (trial ? 2 : 1),
          ...(signal ? { signal } : {}),
        });
        trial = { ...probed!, tried: probed!.tried + (trial?.tried ?? 0), cutOff: false, backend };
      }
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      trial ??= cutOff(fn, limitMs, before, backend);
    }
    const { code } = (trial!.failure?.error ?? {}) as { code?: unknown };
    if (backend === 'thread' && code === 'ERR_WORKER_UNSUPPORTED_OPERATION') {
      return { ...(await onWorker('process', workers, sample, fn, limitMs, signal)), startMs };
    }
    return { ...trial!, startMs, roundTripMs };
  } finally {
    await pool.close();
  }
}

/** An item that took too long: it takes at least so long, and this is how it spent that time. */
function cutOff(
  fn: Call,
  limitMs: number,
  before: ReturnType<typeof processUsage>,
  backend: 'thread' | 'process',
): Trial {
  const after = processUsage();
  const promises = Object.prototype.toString.call(fn) === '[object AsyncFunction]';
  const cpuMs = Math.min(limitMs, after.cpuMs - before.cpuMs);
  const itemMs = Math.max(cpuMs, limitMs - Math.max(0, after.queuedMs - before.queuedMs));
  return {
    ...NOTHING,
    tried: 1,
    itemMs,
    heldMs: promises ? cpuMs : itemMs,
    cpuMs,
    promises,
    cutOff: true,
    backend,
  };
}

const nothing = () => undefined;

/** Workers that nobody else has: those that are shared are up already, and would tell nothing of a start. */
function newWorkers(backend: 'thread' | 'process', workers: number) {
  const own = Math.random();
  return createPool(backend, { workers, idleMs: 10, init: () => own });
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

let processes: Promise<number> | undefined;
/** Measured once a kernel: it is the same for any function. */
function startOfProcesses(workers: number): Promise<number> {
  processes ??= (async () => {
    const pool = newWorkers('process', workers);
    try {
      return await elapsed(() => pool.ready());
    } finally {
      await pool.close();
    }
  })();
  processes.catch(() => {
    processes = undefined;
  });
  return processes;
}

/** Milliseconds an item that does nothing takes on the async backend. */
async function asyncOverhead(): Promise<number> {
  const items = Array.from({ length: 200 }, (_, index) => index);
  const round = () =>
    elapsed(() => createPool('async').map(items, async () => undefined, { progress: false }));
  await round();
  return Math.min(await round(), await round(), await round()) / items.length;
}

class Advised implements Advice {
  readonly kind: Advice['kind'];
  readonly backend: Advice['backend'];
  readonly workers: number;
  readonly concurrency: number;
  readonly gain: number;
  readonly sentence: string;
  readonly evidence: AdviceEvidence;
  readonly chart: Chart;

  constructor(plans: readonly Plan[], work: Work, machine: Machine, evidence: AdviceEvidence) {
    const plan = choose(plans);
    const serial = plans[0]!;
    const couldShare = plans.length > 1 && work.items > 1 && machine.cores > 1;
    this.evidence = evidence;
    this.backend = plan.backend;
    this.workers = plan.workers;
    this.concurrency = plan.concurrency;
    this.gain = plan === serial ? 1 : serial.ms / plan.ms;
    const { cpuShare } = evidence;
    this.kind =
      work.items === 0 || (plan === serial && couldShare)
        ? 'short'
        : cpuShare >= 0.8
          ? 'computing'
          : cpuShare <= 0.2
            ? 'waiting'
            : 'mixed';
    this.sentence = sentenceOf(this, plan, serial, work, machine, plans);
    this.chart = advice(plans, plan, { title: `Expected time of ${count(work.items, 'item')}` });
  }

  [inspect.custom](depth: number, options: object): string {
    const isTop = depth === (inspect.defaultOptions.depth ?? 2);
    if (!isTop || !display({ data: { 'text/plain': this.sentence } })) return this.sentence;
    return inspect(this.chart, { ...options, depth });
  }
}

const KINDS = { waiting: 'Waiting', computing: 'Computing', mixed: 'Waiting and computing', short: 'Short' };

/** What it is, what to use, what that gains and why not more. */
function sentenceOf(
  { kind, gain, evidence }: Pick<Advice, 'kind' | 'gain' | 'evidence'>,
  plan: Plan,
  serial: Plan,
  work: Work,
  machine: Machine,
  plans: readonly Plan[],
): string {
  if (work.items === 0) return 'Nothing to do: there are no items.';
  const { itemMs, cpuShare, cutOff, refusal } = evidence;
  const what =
    `${KINDS[kind]}: an item takes ${cutOff ? 'more than ' : ''}${time(itemMs)}, ` +
    `${Math.round(100 * cpuShare)} % of that on the processor.`;
  if (plan === serial) {
    const all = `all ${work.items.toLocaleString('en-US')} take ${time(serial.ms)}`;
    const rival = plans.slice(1).sort((a, b) => a.ms - b.ms)[0];
    const why = refusal
      ? `the function can't leave the kernel: ${refusal}`
      : work.items === 1
        ? 'there is only one'
        : machine.cores === 1 && kind !== 'waiting'
          ? 'there is one core'
          : `${all}, and ${rival ? `${named(rival)} would take ${time(rival.ms)}` : 'sharing costs more'}`;
    return `${what} Leave it a loop: ${why}${/[.!?]$/.test(why) ? '' : '.'}`;
  }
  const options = [
    plan.backend === 'async' && plan.workers === work.items ? '' : `workers: ${plan.workers}`,
    plan.concurrency > 1 ? `concurrency: ${plan.concurrency}` : '',
  ].filter(Boolean);
  const pool = `createPool('${plan.backend}'${options.length > 0 ? `, { ${options.join(', ')} }` : ''})`;
  const times = cutOff ? '' : ` (${time(plan.ms)} instead of ${time(serial.ms)})`;
  return `${what} Use ${pool}: about ${figure(+gain.toPrecision(2))} times faster than the loop${times}. ${limitOf(plan, work, machine)}`;
}

/** Why it doesn't gain more. */
function limitOf(plan: Plan, work: Work, machine: Machine): string {
  const { cores, asked, travelMs, startMs } = machine;
  const { items, itemMs, heldMs, cpuMs } = work;
  if (plan.backend === 'async') {
    if (items * heldMs > itemMs) {
      return `Not more: an item holds the one thread for ${time(heldMs)}, and the others wait meanwhile.`;
    }
    return plan.workers < items
      ? `Not more: ${count(plan.workers, 'item')} at once.`
      : 'Not more: all wait at once already. Whatever they wait for must take so many at once.';
  }
  const lanes = named(plan);
  const starting = startMs[plan.backend === 'process' ? 'process' : 'thread'];
  const costs = [
    starting > 0.05 * plan.ms ? `starting them takes ${time(starting)}` : '',
    items * travelMs > 0.05 * plan.ms ? `items and results travel for ${time(items * travelMs)}` : '',
    items % plan.workers !== 0 && items < 4 * plan.workers
      ? `${count(items, 'item')} on ${lanes} don't come out even`
      : '',
    items <= plan.workers ? 'each item has its own already' : '',
    plan.workers === asked ? `${lanes} were asked for` : '',
    cpuMs > 0.5 * heldMs && plan.workers >= cores ? `there are ${count(cores, 'core')}` : '',
  ].filter(Boolean);
  return costs.length > 0
    ? `Not more: ${costs.join(', ')}.`
    : 'Not more: more threads cost more than they save.';
}

function named(plan: Plan): string {
  if (plan.backend === 'async') return 'all at once';
  return count(plan.workers, plan.backend, plan.backend === 'process' ? 'processes' : 'threads');
}
