export { type Advice, type AdviceEvidence, type AdviceOptions, advise } from './advise';
export {
  type Chart,
  type ChartOptions,
  compare,
  type KnownTime,
  type LatencyOptions,
  type LinesOptions,
  latency,
  lines,
  loopDelay,
  memory,
  type Recorded,
  type SpeedupOptions,
  type SweepOptions,
  show,
  speedup,
  sweep,
  type TimelineOptions,
  timeline,
  utilization,
} from './charts';

import './cluster';

export {
  CancelledError,
  ClusterError,
  InterruptedError,
  ItemError,
  TimeoutError,
  WorkerLostError,
} from './errors';
export {
  type Entry,
  type Failure,
  type FanOutOptions,
  type Fetched,
  type FetchLike,
  fanOut,
  RequestError,
  type RequestErrorCode,
  type Site,
  type SiteOptions,
  type SiteStats,
  startSite,
} from './fetch';
export {
  type Check,
  type Claim,
  type ClaimRow,
  type ClaimTable,
  check,
  claim,
  claims,
  type Expectation,
  type Finding,
  Table,
  type TableOptions,
  table,
} from './notebook';
export {
  availableCores,
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
} from './pool';
export { type TrackOptions, track } from './progress';
export { PythonError, type PythonOptions, type PythonRun, python } from './python';
export type { Backend, RunRecord, Sample, Samples, Span, Spans, Timing, Watch } from './record';
export { Recording, timeit, watchLoopDelay, watchMemory } from './record';
export {
  type SimulateOptions,
  Simulation,
  type SimulationItem,
  type SimulationStep,
  seededRandom,
  simulate,
} from './simulate';
export { AbandonedError, Mutex, Queue, QueueClosedError, type QueueOptions, Semaphore } from './sync';
