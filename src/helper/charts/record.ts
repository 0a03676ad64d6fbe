/** What charts read from records, and the sentences they share. */
import type { RunRecord } from '../record';
import { count, ordinal, ratio, time } from './units';

/** What a chart can be drawn from: a run, its record, or a record read back from JSON. */
export type Recorded = RunRecord | { readonly record: RunRecord };

/** The record of one `Recorded`; undefined for anything else. */
export function recordOf(value: unknown): RunRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const candidate of [(value as { record?: unknown }).record, value]) {
    if (isRecord(candidate)) return candidate;
  }
  return undefined;
}

function isRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { spans, wallMs, label } = value as Partial<Record<keyof RunRecord, unknown>>;
  return (
    typeof wallMs === 'number' &&
    typeof label === 'string' &&
    typeof spans === 'object' &&
    spans !== null &&
    Symbol.iterator in spans
  );
}

/** A chart's function, as errors name it. */
// biome-ignore lint/complexity/noBannedTypes: only its name and its place in the trace matter
export type ChartFunction = Function;

/** A TypeError whose trace begins where the reader called `chart`. */
export function refusal(chart: ChartFunction, message: string): TypeError {
  const error = new TypeError(message);
  Error.captureStackTrace(error, chart);
  // Node puts the line of ours that throws before the trace of an error that leaves a cell, unless it can't write it.
  Object.defineProperty(error, 'stack', { value: error.stack, writable: false });
  return error;
}

/**
 * @param chart the chart, for the error
 * @throws TypeError for anything that is no record and no list of them, in words that say which one.
 */
export function recordsOf(chart: ChartFunction, runs: unknown): RunRecord[] {
  const list: unknown[] = Array.isArray(runs) ? runs : [runs];
  return list.map((value, at) => {
    const record = recordOf(value);
    if (!record) throw notRecorded(chart, value, Array.isArray(runs) ? at : undefined);
    return record;
  });
}

/** @param draws what the chart can draw, for the error */
export function notRecorded(
  chart: ChartFunction,
  value: unknown,
  at: number | undefined,
  draws = 'a run, a record, or a list of them',
): TypeError {
  const place = at === undefined ? 'got' : `the ${ordinal(at + 1)} in the list is`;
  return refusal(
    chart,
    `${chart.name}() draws ${draws}; ${place} ${named(value)}. ` +
      'Give it the run itself (const run = pool.map(…)), not the results that awaiting it gives.',
  );
}

/** A value in an error message: what it is, short. */
export function named(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `the string ${JSON.stringify(cut(value))}`;
  if (typeof value === 'function') return `the function ${value.name || '(without a name)'}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object')
    return `an object with the keys ${cut(Object.keys(value).join(', ')) || '(none)'}`;
  return `the ${typeof value} ${String(value)}`;
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** `4 items on 2 threads`, `3 of 8 items so far`. */
export function whatAndWhere(record: RunRecord): string {
  // What a program counts as an item is its own affair.
  if (record.backend === 'python')
    return `in Python${lanesFor(record) > 1 ? `, ${count(lanesFor(record), 'lane')}` : ''}`;
  return `${what(record)}${where(record)}`;
}

function what(record: RunRecord): string {
  const settled = record.ok + record.failed + record.cancelled;
  if (record.status === 'running') {
    return record.total === null
      ? `${count(settled, 'item')} so far`
      : `${settled.toLocaleString('en-US')} of ${count(record.total, 'item')} so far`;
  }
  const items = record.total ?? settled;
  if (items === 0 && record.spans.length > 0) return `${count(record.spans.length, 'piece')} of work`;
  return items === 0 ? 'nothing to do' : count(items, 'item');
}

function where(record: RunRecord): string {
  const workers = lanesFor(record);
  switch (record.backend) {
    case 'serial':
      return record.total === 1 ? '' : ' one after another';
    case 'async':
      if (!Number.isFinite(record.workers)) return ' on one thread, all at once';
      return ` on one thread${workers > 1 ? `, up to ${workers.toLocaleString('en-US')} at once` : ''}`;
    case 'thread':
      return ` on ${count(workers, 'thread')}`;
    case 'process':
      return ` on ${count(workers, 'process', 'processes')}`;
    case 'simulated':
      return ` on ${count(workers, 'worker')} (simulated)`;
    default:
      return ` on ${count(workers, 'worker')}`;
  }
}

/** Lanes that the run could use: `workers`, or as many as items where that is unlimited (Infinity; null after JSON). */
export function lanesFor({ workers, total, ok, failed, cancelled }: RunRecord): number {
  return Number.isFinite(workers) ? workers : Math.max(1, total ?? ok + failed + cancelled);
}

/** What went wrong, such as `1 failed, 2 cancelled`; empty when nothing did. */
export function troubles(record: RunRecord): string[] {
  const words: string[] = [];
  if (record.failed) words.push(`${record.failed.toLocaleString('en-US')} failed`);
  if (record.cancelled) words.push(`${record.cancelled.toLocaleString('en-US')} cancelled`);
  if (record.status === 'interrupted') words.push('interrupted');
  return words;
}

/** The figures of one run: `4 items on 2 threads, 51.3 ms, 1 failed`. */
export function figures(record: RunRecord): string {
  return [whatAndWhere(record), time(record.wallMs), ...troubles(record)].join(', ');
}

/** A run that was cut short, or had nothing to do, has no time to compare. */
export function isComparable(record: RunRecord): boolean {
  return record.status === 'done' && record.total !== 0;
}

/** Several runs in words: the first, then each of the others against it. */
export function inWords(records: readonly RunRecord[]): string {
  if (records.length === 0) return 'No runs.';
  const [base] = records;
  const sentences = records.map((record, at) => {
    const against =
      at === 0 || !isComparable(record) || !isComparable(base!)
        ? ''
        : ratio(base!.wallMs, record.wallMs, 'times');
    const name = records.length > 1 ? `${record.label}: ` : '';
    return `${name}${figures(record)}${against ? `, ${against}` : ''}`;
  });
  return `${sentences.join('; ')}${records.length > 1 ? ` (compared with ${base!.label})` : ''}.`;
}
