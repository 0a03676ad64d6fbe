import type { AnyFunction } from '../closure';
import type { JobHost } from './batch';
import type { Job } from './job';
import type { CheckedPoolOptions } from './options';

/** What a backend has to do for its pool. `P`: what it makes of a function before the run starts. */
export interface Engine<P = unknown> extends JobHost {
  /** @throws CaptureError when the function uses what can't travel */
  prepare(fn: AnyFunction): P;
  start(job: Job, prepared: P): void;
  ready(): Promise<void>;
  close(): void | Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: each engine takes back what its own `prepare` made.
type MakeEngine = (options: CheckedPoolOptions<unknown>) => Engine<any>;

let makeCluster: MakeEngine | undefined;

/** The cluster is a room of its own, above this one: it says here how its engine is made. */
export function provideCluster(make: MakeEngine): void {
  makeCluster = make;
}

export function clusterEngine(options: CheckedPoolOptions<unknown>): ReturnType<MakeEngine> {
  if (!makeCluster)
    throw new TypeError('The cluster backend comes with the package itself: import "tslab-parallel".');
  return makeCluster(options);
}
