export { now } from './clock';
export { describe, milliseconds, Recording } from './recording';
export { type Timing, timeit } from './timeit';
export type { Backend, RunRecord, RunStatus, Span, SpanStatus, Spans } from './types';
