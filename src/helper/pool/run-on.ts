import { checkOptions, refuse } from '../arguments';
import type { Backend } from '../record';
import {
  checkBackend,
  checkFunction,
  checkItems,
  checkMapOptions,
  MAP_OPTIONS,
  type MapOptions,
  type PoolOptions,
  type WorkerContext,
} from './options';
import { createPool } from './pool';
import type { Run } from './run';

/** A backend by its name, or with options of its own pool. */
export type RunOn<L = undefined> = Backend | ({ backend: Backend } & PoolOptions<L>);

/** What each run gets; `workers` and `concurrency` for each pool that doesn't say otherwise. */
export interface RunOnOptions
  extends Omit<MapOptions, 'label'>,
    Pick<PoolOptions, 'workers' | 'concurrency'> {}

/**
 * The same work on several backends, one after the other, so that none disturbs another. Workers are up before a run's clock
 * starts, and each run is labelled as it is named here.
 *
 * @param backends a list of names, or labels with a backend each: `{ loop: 'serial', threads: { backend: 'thread', workers: 4 } }`
 * @param items read once, before the first run
 * @returns the runs in that order, all of them ended: for `compare`, `timeline`, `speedup`
 *
 * @example
 * const runs = await runOn(['serial', 'thread', 'process'], numbers, divisors, { workers: 2 });
 * compare(runs)
 *
 * @throws TypeError when an argument is wrong, before anything starts; what a run rejects with
 */
export async function runOn<T, R, L = undefined>(
  backends: readonly RunOn<L>[] | Readonly<Record<string, RunOn<L>>>,
  items: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number, worker: WorkerContext<L>) => R | Promise<R>,
  options: RunOnOptions = {},
): Promise<Run<R>[]> {
  checkItems(items);
  checkFunction(fn);
  const known = [...MAP_OPTIONS.filter((name) => name !== 'label'), 'workers', 'concurrency'];
  checkOptions('runOn options', options, known);
  const { workers, concurrency, ...mapOptions } = options;
  checkMapOptions(mapOptions);
  const pools = named(backends).map(([label, on]) => {
    const { backend, ...own } = typeof on === 'string' ? { backend: on } : on;
    const shared = { ...(workers && { workers }), ...(concurrency && { concurrency }) };
    return { label, pool: createPool<L>(backend, { ...shared, ...own }) };
  });
  const list: T[] = [];
  for await (const item of items) list.push(item);
  const runs: Run<R>[] = [];
  for (const { label, pool } of pools) {
    try {
      await pool.ready();
      const run = pool.map(list, fn, { ...mapOptions, label }) as Run<R>;
      await run;
      runs.push(run);
    } finally {
      await pool.close();
    }
  }
  return runs;
}

function named<L>(
  backends: readonly RunOn<L>[] | Readonly<Record<string, RunOn<L>>>,
): [label: string, on: RunOn<L>][] {
  if (typeof backends !== 'object' || backends === null || Object.keys(backends).length === 0) {
    refuse('backends', "a list such as ['serial', 'thread'], or { loop: 'serial' }", backends);
  }
  const nameOf = (on: RunOn<L>) => (typeof on === 'string' ? on : on?.backend);
  const pairs: [string, RunOn<L>][] = Array.isArray(backends)
    ? backends.map((on: RunOn<L>) => [nameOf(on), on])
    : Object.entries(backends);
  for (const [, on] of pairs) checkBackend(nameOf(on));
  return pairs;
}
