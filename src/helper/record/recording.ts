import { inspect } from 'node:util';
import { printable } from '../printable';
import { redacted } from '../redact';
import { now } from './clock';
import { Table, toCSV, toTrace } from './export';
import type { Backend, RunRecord, RunStatus, Span, SpanStatus, Spans } from './types';

const STATUSES: readonly SpanStatus[] = ['ok', 'failed', 'cancelled'];

/** What a span needs at least: who, from when to when. Without an `index` it is no item of the run. */
export type NewSpan = Pick<Span, 'lane' | 'startMs' | 'endMs'> & Partial<Span>;

/** Spans in columns of typed arrays: 45 bytes a span, so that a million of them can be kept. */
class SpanTable implements Spans {
  length = 0;
  #index = new Float64Array(16);
  #count = new Uint32Array(16);
  #lane = new Uint32Array(16); // `async` has as many lanes as items in flight
  #queuedMs = new Float32Array(16);
  #startMs = new Float64Array(16);
  #endMs = new Float64Array(16);
  #status = new Uint8Array(16);
  #attempt = new Uint16Array(16);
  readonly #lanes: string[] = [];
  readonly #laneNumbers = new Map<string, number>();
  /** Few spans have these. */
  readonly #texts = new Map<number, { label?: string; error?: string }>();

  push(span: NewSpan): void {
    const at = this.length++;
    if (at === this.#index.length) this.#grow();
    this.#index[at] = span.index ?? -1;
    this.#count[at] = span.count ?? 1;
    this.#lane[at] = this.#laneNumber(span.lane);
    this.#queuedMs[at] = span.queuedMs ?? 0;
    this.#startMs[at] = span.startMs;
    this.#endMs[at] = span.endMs;
    this.#status[at] = STATUSES.indexOf(span.status ?? 'ok');
    this.#attempt[at] = span.attempt ?? 1;
    if (span.label !== undefined || span.error !== undefined) {
      // A record is stored, drawn and published.
      const text = (words: string | undefined) => (words === undefined ? undefined : redacted(words));
      this.#texts.set(at, { label: text(span.label), error: text(span.error) });
    }
  }

  *[Symbol.iterator](): Iterator<Span> {
    for (let at = 0; at < this.length; at++) {
      const span: Span = {
        index: this.#index[at]!,
        count: this.#count[at]!,
        lane: this.#lanes[this.#lane[at]!]!,
        queuedMs: this.#queuedMs[at]!,
        startMs: this.#startMs[at]!,
        endMs: this.#endMs[at]!,
        status: STATUSES[this.#status[at]!]!,
        attempt: this.#attempt[at]!,
      };
      const text = this.#texts.get(at);
      if (text?.label !== undefined) span.label = text.label;
      if (text?.error !== undefined) span.error = text.error;
      yield span;
    }
  }

  // As an array does it: written once, for what a reader asks of spans is asked of all of them.
  readonly every = this.#asArray('every');
  readonly filter = this.#asArray('filter');
  readonly find = this.#asArray('find');
  readonly findIndex = this.#asArray('findIndex');
  readonly flatMap = this.#asArray('flatMap');
  readonly forEach = this.#asArray('forEach');
  readonly map = this.#asArray('map');
  readonly reduce = this.#asArray('reduce');
  readonly slice = this.#asArray('slice');
  readonly some = this.#asArray('some');

  #asArray<M extends Exclude<keyof Spans, 'length' | typeof Symbol.iterator>>(method: M): Span[][M] {
    return ((...args: unknown[]) => {
      const spans = [...this];
      return Reflect.apply(spans[method], spans, args);
    }) as Span[][M];
  }

  #laneNumber(lane: string): number {
    let number = this.#laneNumbers.get(lane);
    if (number === undefined) {
      number = this.#lanes.push(lane) - 1;
      this.#laneNumbers.set(lane, number);
    }
    return number;
  }

  #grow(): void {
    this.#index = grown(this.#index);
    this.#count = grown(this.#count);
    this.#lane = grown(this.#lane);
    this.#queuedMs = grown(this.#queuedMs);
    this.#startMs = grown(this.#startMs);
    this.#endMs = grown(this.#endMs);
    this.#status = grown(this.#status);
    this.#attempt = grown(this.#attempt);
  }
}

function grown<A extends Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array>(array: A): A {
  const twice = new (array.constructor as new (length: number) => A)(array.length * 2);
  twice.set(array);
  return twice;
}

/** A record while it is written: the run's own, or one made by hand to draw one's own work. */
export class Recording implements RunRecord {
  readonly label: string;
  #backend: Backend;
  #workers: number;
  #why: string | undefined;
  total: number | null;
  ok = 0;
  failed = 0;
  cancelled = 0;
  readonly startedAt = new Date().toISOString();
  #origin = now();
  readonly #spans = new SpanTable();
  #status: RunStatus = 'running';
  #wallMs: number | undefined;

  constructor(
    of: {
      label?: string;
      backend?: Backend;
      workers?: number;
      total?: number | null;
    } = {},
  ) {
    this.label = redacted(of.label ?? 'run');
    this.#backend = of.backend ?? 'serial';
    this.#workers = of.workers ?? 1;
    this.total = of.total === undefined ? null : of.total;
  }

  get spans(): Spans {
    return this.#spans;
  }

  get backend(): Backend {
    return this.#backend;
  }

  get workers(): number {
    return this.#workers;
  }

  /** Lanes that could be used, where that is known later than the run's start. */
  set workers(count: number) {
    this.#workers = count;
  }

  get why(): string | undefined {
    return this.#why;
  }

  /** The rest of the run happens there, and why. */
  moved(backend: Backend, workers: number, why: string): void {
    this.#backend = backend;
    this.#workers = workers;
    this.#why = why;
  }

  get status(): RunStatus {
    return this.#status;
  }

  get wallMs(): number {
    return this.#wallMs ?? this.now();
  }

  /** The shared clock (`clock.ts`) at the run's start: where the record's own clock is 0. */
  get origin(): number {
    return this.#origin;
  }

  /** The clock starts now: what came before was no part of the run. */
  restart(): void {
    if (this.#spans.length === 0) this.#origin = now();
  }

  /** How many items were under way at the same moment, on average over the run. */
  get parallelism(): number {
    const busyMs = this.#spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    return this.wallMs > 0 ? busyMs / this.wallMs : 0;
  }

  /**
   * The record with other names for its blocks, as plain data.
   * @example timeline(run.record.relabel(({ index }) => menu[index].label))
   */
  relabel(name: (span: Span) => string): RunRecord {
    return {
      ...this.toJSON(),
      spans: this.#spans.map((span) => ({ ...span, label: redacted(String(name(span))) })),
    };
  }

  /** Milliseconds on the record's clock. */
  now(): number {
    return now() - this.origin;
  }

  /**
   * Adds a span, such as one that somebody else measured. It counts no items: `ok`, `failed` and `cancelled` are yours.
   * @example record.add({ lane: 'printer', label: 'page 1', startMs: 10, endMs: 35 })
   */
  add(span: NewSpan): void {
    this.#spans.push(span);
  }

  /**
   * Runs `work` and puts it on the record as a span of its own, such as what the main thread did meanwhile.
   * Returns what `work` returns, and throws what it throws.
   * @param options.lane the row it is drawn in; default `main`
   */
  measure<R>(label: string, work: () => R, options: { lane?: string } = {}): R {
    const startMs = this.now();
    const end = (error?: unknown) =>
      this.add({
        lane: options.lane ?? 'main',
        startMs,
        endMs: this.now(),
        status: error === undefined ? 'ok' : 'failed',
        label,
        ...(error === undefined ? {} : { error: String(error) }),
      });
    let result: R;
    try {
      result = work();
    } catch (error) {
      end(error ?? 'nothing');
      throw error;
    }
    if (result instanceof Promise) {
      result.then(
        () => end(),
        (error: unknown) => end(error ?? 'nothing'),
      );
    } else {
      end();
    }
    return result;
  }

  /** Stops the clock. Later calls change nothing. */
  finish(status: Exclude<RunStatus, 'running'>): void {
    if (this.#status !== 'running') return;
    this.#status = status;
    if (this.total !== null && status !== 'done') this.cancelled = this.total - this.ok - this.failed;
    this.#wallMs = this.now();
  }

  /** The figures in a line: `divisors: 4 of 4 done on 2 threads in 51 ms`. */
  [inspect.custom](): string {
    return describe(this);
  }

  /** The figures, span by span; as a cell's last expression it shows a table. */
  toTable(): Table {
    return new Table(this);
  }

  /** Comma-separated values, a line a span; times in milliseconds. */
  toCSV(): string {
    return toCSV(this);
  }

  /** Chrome's trace format, as JSON: save it and open it in Perfetto. */
  toTrace(): string {
    return toTrace(this);
  }

  /** Plain data: what `JSON.stringify` writes, and what every chart reads. */
  toJSON(): RunRecord & { spans: Span[] } {
    return {
      label: this.label,
      backend: this.backend,
      workers: this.workers,
      ...(this.why === undefined ? {} : { why: this.why }),
      startedAt: this.startedAt,
      wallMs: this.wallMs,
      status: this.status,
      total: this.total,
      ok: this.ok,
      failed: this.failed,
      cancelled: this.cancelled,
      spans: [...this.#spans],
    };
  }
}

/** A record in a line: label, how many of how many, where, how long, how it ended. */
export function describe(record: RunRecord): string {
  const label = printable(record.label);
  if (record.total === 0) return `${label}: nothing to do`;
  const of = record.total === null ? '' : ` of ${record.total}`;
  const failed = record.failed > 0 ? `, ${record.failed} failed` : '';
  const how = record.status === 'done' ? '' : `, ${record.status}`;
  return `${label}: ${record.ok}${of} done${where(record)} in ${milliseconds(record.wallMs)}${failed}${how}`;
}

function where(record: RunRecord): string {
  const lanes = new Set<string>();
  for (const { index, lane } of record.spans) if (index >= 0 && lane !== 'main') lanes.add(lane);
  if (record.backend === 'serial') return ' in a loop';
  if (record.backend === 'python') return ' in Python';
  if (lanes.size === 0) return '';
  if (record.backend === 'async') return ` with ${lanes.size} in flight`;
  const lane = record.backend === 'thread' || record.backend === 'process' ? record.backend : 'worker';
  const how = record.backend === 'simulated' ? ' (simulated)' : '';
  return ` on ${lanes.size} ${lane}${lanes.size === 1 ? '' : lane === 'process' ? 'es' : 's'}${how}`;
}

/** A time that reads well: 12 µs, 1.2 ms, 340 ms, 2.6 s, 3 min 20 s. */
export function milliseconds(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
