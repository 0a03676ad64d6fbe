import { checkMilliseconds, checkOptions, checkWhole, refuse } from '../arguments';
import type { Backend } from '../record';
import { availableCores } from './cores';

/** What a worker knows about itself: the third argument of `map`'s function. */
export interface WorkerContext<L> {
  /** `thread 1`, `process 2`, `async 3`, `main`. */
  readonly lane: string;
  /** What `init` returned on this worker. */
  readonly local: L;
  /**
   * Aborts when the item is cancelled, interrupted or out of time. On threads and processes the worker is ended
   * instead; on `serial` and `async` nothing else can stop a function that is waiting.
   */
  readonly signal: AbortSignal;
}

export interface PoolOptions<L = undefined> {
  /**
   * Lanes: threads or processes, 1 or more; for `async` the items in flight; of a cluster at most so many workers.
   * Default: the cores of this machine or container; for `async` all items at once; for `cluster` all workers that
   * are there. `serial` has one.
   */
  workers?: number;
  /** Items in flight inside one worker, for functions that wait. 1 or more, default 1. */
  concurrency?: number;
  /** Called once on each worker before its first item; what it returns reaches the function as `worker.local`. */
  init?: () => L | Promise<L>;
  /** JavaScript heap of one worker in MiB. A worker that needs more ends, and its item fails. Default: Node's. */
  memoryMb?: number;
  /** A worker idle for so many milliseconds leaves, and comes back when there is work. Default 5000. */
  idleMs?: number;
  /** `cluster`, as all below: where Redis is. Default: `REDIS_URL` of the environment, else `redis://localhost:6379`. */
  redis?: string;
  /** Which workers: those that were started with this name. Letters, digits, `.`, `_` and `-`. Default `tslab`. */
  name?: string;
  /**
   * A file with the secret that the notebook and its workers share, 32 bytes or more. Default: the environment's
   * `TSLAB_PARALLEL_SECRET`, else the file that `TSLAB_PARALLEL_SECRET_FILE` names.
   */
  secretFile?: string;
  /** The largest job and the largest result in MiB: what is larger is refused. Default 16. */
  payloadMb?: number;
  /** Redis may be away for so many milliseconds before a run fails. Default 20000. */
  reconnectMs?: number;
}

export interface MapOptions {
  /** Names the run in progress bars and charts. Default: the function's name. */
  label?: string;
  /** Names an item in charts, errors and tables; called here, once for each item that gets a block of its own. Default: short texts name themselves. */
  // biome-ignore lint/suspicious/noExplicitAny: `map` knows the items, its options don't.
  name?: (item: any, index: number) => string;
  /** `true`: the clock starts when the workers are up. Default false. */
  warm?: boolean;
  /** A live bar in the cell: `true` or a label at once, `false` never. Default: after one second, in a notebook. */
  progress?: boolean | string;
  /** Cancels the run; it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds for one item, from its start; more fails it with a `TimeoutError`. Default: no limit. */
  timeoutMs?: number;
  /** How often an item that failed is tried again, with growing pauses. Default 0. */
  retries?: number;
  /**
   * `throw` (default): the first failure ends the run, which rejects with it. `collect`: every item is run and the
   * results are `PromiseSettledResult`s.
   */
  onError?: 'throw' | 'collect';
  /** Items that travel together. Default `auto`: sized by measured time, so that a batch takes some milliseconds. */
  chunkSize?: number | 'auto';
  /** `true`: each line that a thread or process prints begins with its lane and item. Default false. */
  prefix?: boolean;
  /** `false`: results are only handed out by `completed()` and the run resolves to `[]`. Default true. */
  keep?: boolean;
  /** Memory in MiB for results that a reader of `completed()` has not taken yet; then the run waits for it. Default 64. */
  bufferMb?: number;
}

const BACKENDS: readonly Backend[] = ['serial', 'async', 'thread', 'process', 'cluster'];

export function checkBackend(value: unknown): asserts value is Backend {
  if (!BACKENDS.includes(value as Backend)) {
    refuse('backend', BACKENDS.map((name) => `"${name}"`).join(', '), value);
  }
}

/** What only some backends have. */
const OWN_OPTIONS: Readonly<Record<string, readonly Backend[]>> = {
  memoryMb: ['thread', 'process', 'cluster'],
  redis: ['cluster'],
  name: ['cluster'],
  secretFile: ['cluster'],
  payloadMb: ['cluster'],
  reconnectMs: ['cluster'],
};

const POOL_OPTIONS = [
  'workers',
  'concurrency',
  'init',
  'memoryMb',
  'idleMs',
  'redis',
  'name',
  'secretFile',
  'payloadMb',
  'reconnectMs',
];

/** A name for workers: it becomes part of Redis keys. */
export function isQueueName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w.-]{1,80}$/.test(name);
}

/** @returns the options with their defaults; throws a `TypeError` that names what is wrong. */
export function checkPoolOptions<L>(backend: Backend, options: PoolOptions<L> | undefined) {
  checkOptions('createPool options', options, POOL_OPTIONS);
  for (const [key, backends] of Object.entries(OWN_OPTIONS)) {
    if (options?.[key as keyof PoolOptions<L>] === undefined || backends.includes(backend)) continue;
    const theirs = backends.map((one) => `"${one}"`).join(', ');
    throw new TypeError(`createPool("${backend}") has no "${key}"; it is an option of ${theirs}.`);
  }
  const { workers, concurrency, init, memoryMb, idleMs } = options ?? {};
  const { redis, name, secretFile, payloadMb, reconnectMs } = options ?? {};
  if (workers !== Number.POSITIVE_INFINITY || backend !== 'async') checkWhole('workers', workers, 1);
  checkWhole('concurrency', concurrency, 1);
  checkWhole('memoryMb', memoryMb, 1);
  checkMilliseconds('idleMs', idleMs);
  if (init !== undefined && typeof init !== 'function') refuse('init', 'a function', init);
  if (redis !== undefined && !(typeof redis === 'string' && /^rediss?:\/\/./.test(redis))) {
    refuse('redis', 'an address like redis://localhost:6379', redis);
  }
  if (name !== undefined && !isQueueName(name)) refuse('name', 'letters, digits, ".", "_" and "-"', name);
  if (secretFile !== undefined && typeof secretFile !== 'string') {
    refuse('secretFile', 'the path of a file', secretFile);
  }
  if (payloadMb !== undefined && !(typeof payloadMb === 'number' && payloadMb > 0 && payloadMb <= 300)) {
    refuse('payloadMb', 'a number of MiB above 0, at most 300 (Redis takes 512 MB)', payloadMb);
  }
  checkMilliseconds('reconnectMs', reconnectMs);
  const isOpen = backend === 'async' || backend === 'cluster';
  const lanes = isOpen ? Number.POSITIVE_INFINITY : availableCores();
  return {
    workers: backend === 'serial' ? 1 : (workers ?? lanes),
    concurrency: concurrency ?? 1,
    init,
    memoryMb,
    idleMs: idleMs ?? 5000,
    redis,
    name: name ?? 'tslab',
    secretFile,
    payloadMb: payloadMb ?? 16,
    reconnectMs: reconnectMs ?? 20_000,
  };
}

export type CheckedPoolOptions<L> = ReturnType<typeof checkPoolOptions<L>>;

export const MAP_OPTIONS = [
  'label',
  'progress',
  'name',
  'warm',
  'signal',
  'timeoutMs',
  'retries',
  'onError',
  'chunkSize',
  'prefix',
  'keep',
  'bufferMb',
] as const;

/** What limits a single call, too. */
export const CALL_OPTIONS = ['label', 'progress', 'signal', 'timeoutMs', 'retries'] as const;

/** Limits for `pool.submit`: see {@link MapOptions}. */
export type CallOptions = Pick<MapOptions, (typeof CALL_OPTIONS)[number]>;

export function checkMapOptions(options: MapOptions | undefined): void {
  checkOptions('map options', options, MAP_OPTIONS);
  const { label, progress, signal, timeoutMs, retries, onError, chunkSize, prefix, keep, bufferMb } =
    options ?? {};
  const { name, warm } = options ?? {};
  if (name !== undefined && typeof name !== 'function')
    refuse('name', 'a function of an item and its index', name);
  if (warm !== undefined && typeof warm !== 'boolean') refuse('warm', 'true or false', warm);
  if (label !== undefined && typeof label !== 'string') refuse('label', 'a string', label);
  if (progress !== undefined && typeof progress !== 'boolean' && typeof progress !== 'string') {
    refuse('progress', 'true, false or a label', progress);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse('signal', 'an AbortSignal', signal);
  checkMilliseconds('timeoutMs', timeoutMs);
  checkWhole('retries', retries, 0);
  if (onError !== undefined && onError !== 'throw' && onError !== 'collect') {
    refuse('onError', '"throw" or "collect"', onError);
  }
  if (chunkSize !== 'auto') checkWhole('chunkSize', chunkSize, 1);
  if (prefix !== undefined && typeof prefix !== 'boolean') refuse('prefix', 'true or false', prefix);
  if (keep !== undefined && typeof keep !== 'boolean') refuse('keep', 'true or false', keep);
  if (bufferMb !== undefined && !(typeof bufferMb === 'number' && bufferMb > 0)) {
    refuse('bufferMb', 'a number of MiB above 0', bufferMb);
  }
}

export function checkFunction(value: unknown): void {
  if (typeof value !== 'function') refuse('fn', 'a function', value);
}

export function checkItems(value: unknown): void {
  const items = value as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (
    items === null ||
    items === undefined ||
    (typeof items[Symbol.iterator] !== 'function' && typeof items[Symbol.asyncIterator] !== 'function')
  ) {
    refuse('items', 'an iterable: an array, a Set, a generator', value);
  }
}
