/** What goes to a lane, what comes back, and what a backend does for the jobs of its pool. */
import type { Backend } from '../record';
import type { Job } from './job';

/** Items on their way to one lane. */
export interface Batch {
  readonly id: number;
  readonly job: Job;
  /** Index of the first item; the others follow. */
  readonly first: number;
  readonly items: ArrayLike<unknown>;
  readonly attempt: number;
  /** On the record's clock: when these items were ready to go. */
  readonly readyMs: number;
  /** Must be alone on its lane: one of these items may have brought a worker down. */
  readonly solo: boolean;
  /** Items whose outcome is known, from the first on. */
  settled: number;
  /** Items that the lane has; those from here on were given back. */
  end: number;
}

/** What a lane reports of (part of) a batch, in the kernel's own values. */
export interface Outcome {
  readonly offset: number;
  readonly count: number;
  /** Of the batch's items the lane keeps so many; the others are handed out again. */
  readonly end: number;
  readonly values: ArrayLike<unknown>;
  readonly failures: ReadonlyMap<number, unknown>;
  readonly spans: Float64Array;
}

/** What the job asks of the pool it belongs to. */
export interface JobHost {
  readonly backend: Backend;
  readonly workers: number;
  /** What an auto-sized batch is to take; default 15. More where messages cost more. */
  readonly batchMs?: number;
  /** No batch has more items; default: as many as are worth it. */
  readonly mostItems?: number;
  /** Numbers leave the kernel in a typed array, so that is how it wants them. */
  readonly packsNumbers?: boolean;
  /** There is something to hand out. */
  wake(): void;
  /** The job has ended: whatever of it still runs must stop. `graceMs`: it may still end by itself for so long. */
  stopped(job: Job, graceMs: number): void;
}
