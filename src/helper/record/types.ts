/** Where a run's items are worked on. */
export type Backend = 'serial' | 'async' | 'thread' | 'process' | 'cluster';

export type RunStatus = 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
export type SpanStatus = 'ok' | 'failed' | 'cancelled';

/** One attempt at one item (or at `count` items too short to time one by one) on one lane. */
export interface Span {
  /** Place of the (first) item in the input, from 0; -1 for work that is not an item of the run. */
  index: number;
  /** How many items share this span; more than 1 only where an item takes less than 20 µs. */
  count: number;
  /** Who did it: `thread 1`, `process 2`, `main`. */
  lane: string;
  /** Milliseconds from the moment the item was ready to go to its start. */
  queuedMs: number;
  /** Milliseconds from the start of the run. */
  startMs: number;
  /** Milliseconds from the start of the run. */
  endMs: number;
  status: SpanStatus;
  /** 1 for the first attempt. */
  attempt: number;
  label?: string;
  error?: string;
}

/** A record's spans, in order of their recording: read like an array, which they are after JSON. */
export interface Spans
  extends Iterable<Span>,
    Pick<
      readonly Span[],
      | 'length'
      | 'every'
      | 'filter'
      | 'find'
      | 'findIndex'
      | 'flatMap'
      | 'forEach'
      | 'map'
      | 'reduce'
      | 'slice'
      | 'some'
    > {}

/**
 * What happened in a run: plain data, so that `JSON.parse(JSON.stringify(record))` works wherever a record does.
 */
export interface RunRecord {
  readonly label: string;
  /** A backend of the pool, the language of a program beside it, or that nothing ran but a simulation. */
  readonly backend: Backend | 'python' | 'simulated';
  /** Lanes the run could use. */
  readonly workers: number;
  /** `parmap` only: why it chose this backend, in a sentence. */
  readonly why?: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Milliseconds from start to end; so far, while it runs. */
  readonly wallMs: number;
  readonly status: RunStatus;
  /** Items in the input; null where that is not known (an endless input). */
  readonly total: number | null;
  readonly ok: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly spans: Spans;
}
