/** `tslab-parallel`: runs a notebook's functions elsewhere, records what happened and draws it. */
export { type Advice, type AdviceEvidence, type AdviceOptions, advise } from './helper/advise';
export {
  type Chart,
  type ChartOptions,
  compare,
  type KnownTime,
  type LatencyOptions,
  type LinesOptions,
  latency,
  lines,
  type Recorded,
  type SpeedupOptions,
  type SweepOptions,
  show,
  speedup,
  sweep,
  type TimelineOptions,
  timeline,
  utilization,
} from './helper/charts';

import './cluster';

export {
  CancelledError,
  ClusterError,
  InterruptedError,
  ItemError,
  TimeoutError,
  WorkerLostError,
} from './helper/errors';
export {
  type Entry,
  type FanOutOptions,
  type Fetched,
  type FetchLike,
  fanOut,
  RequestError,
  type RequestErrorCode,
} from './helper/fetch';
export { Table, type TableOptions, table } from './helper/notebook';
export {
  availableCores,
  type Call,
  type CallOptions,
  createPool,
  type MapOptions,
  type ParmapOptions,
  type Pool,
  type PoolOptions,
  parmap,
  Run,
  type RunOn,
  type RunOnOptions,
  runOn,
  type WorkerContext,
} from './helper/pool';
export { type TrackOptions, track } from './helper/progress';
export type { Backend, RunRecord, Span, Spans, Timing } from './helper/record';
export { Recording, timeit } from './helper/record';
export {
  AbandonedError,
  Mutex,
  Queue,
  QueueClosedError,
  type QueueOptions,
  Semaphore,
} from './helper/sync';
