/** A record in the forms that other programs read. */
import { inspect } from 'node:util';
import { escaped, inspectAs } from '../notebook';
import type { RunRecord, Span } from './types';

const COLUMNS = [
  'index',
  'count',
  'lane',
  'label',
  'queuedMs',
  'startMs',
  'endMs',
  'status',
  'attempt',
  'error',
] as const;

/** Rows that a reader looks through; the others are said to be left out. */
const MOST_ROWS = 40;

function cell(span: Span, column: (typeof COLUMNS)[number]): string {
  const value = span[column];
  if (value === undefined) return '';
  // A nanosecond is below what the clock can tell.
  return typeof value === 'number' && !Number.isInteger(value) ? String(+value.toFixed(6)) : String(value);
}

/** The figures of a record, as rows; as a cell's last expression it shows them as a table. */
export class Table {
  constructor(readonly record: RunRecord) {}

  get rows(): Span[] {
    return [...this.record.spans];
  }

  [inspect.custom](depth: number): string {
    const { rows, left } = this.#shown();
    const columns = COLUMNS.filter((column) => rows.some((span) => cell(span, column) !== ''));
    const short = (span: Span, column: (typeof COLUMNS)[number]) =>
      column.endsWith('Ms') ? (span[column] as number).toFixed(2) : cell(span, column);
    const note = left > 0 ? `${left} more rows: see record.toCSV()` : '';
    const text = () => {
      const lines = [
        columns as readonly string[],
        ...rows.map((span) => columns.map((column) => short(span, column))),
      ];
      const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
      const body = lines.map((line) => line.map((value, at) => value.padStart(widths[at]!)).join('  '));
      return [...body, ...(note ? [note] : [])].join('\n');
    };
    return inspectAs(depth, text, () => ({
      data: {
        'text/html':
          `<table><thead><tr>${columns.map((column) => `<th>${column}</th>`).join('')}</tr></thead><tbody>` +
          rows
            .map(
              (span) =>
                `<tr>${columns.map((column) => `<td>${escaped(short(span, column))}</td>`).join('')}</tr>`,
            )
            .join('') +
          `</tbody></table>${note ? `<p>${note}</p>` : ''}`,
        'text/plain': text(),
      },
    }));
  }

  #shown(): { rows: Span[]; left: number } {
    const rows: Span[] = [];
    for (const span of this.record.spans) {
      if (rows.length === MOST_ROWS) break;
      rows.push(span);
    }
    return { rows, left: this.record.spans.length - rows.length };
  }
}

/**
 * Comma-separated values, a line a span (RFC 4180). Times in milliseconds. Text that a spreadsheet would run as a formula
 * begins with an apostrophe, as OWASP's page on CSV injection advises.
 */
export function toCSV(record: RunRecord): string {
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const harmless = (text: string) => (/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text);
  const lines = [COLUMNS.join(',')];
  for (const span of record.spans) {
    const values = COLUMNS.map((column) => {
      const text = cell(span, column);
      return quoted(typeof span[column] === 'number' ? text : harmless(text));
    });
    lines.push(values.join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * Chrome's trace format (the "Trace Event Format", complete events), as JSON: save it and open it in Perfetto. A lane is
 * a thread there.
 */
export function toTrace(record: RunRecord): string {
  const lanes = new Map<string, number>();
  const events: object[] = [{ ph: 'M', pid: 1, name: 'process_name', args: { name: record.label } }];
  for (const span of record.spans) {
    let tid = lanes.get(span.lane);
    if (tid === undefined) {
      tid = lanes.size + 1;
      lanes.set(span.lane, tid);
      events.push({ ph: 'M', pid: 1, tid, name: 'thread_name', args: { name: span.lane } });
    }
    const { index, count, queuedMs, status, attempt, error } = span;
    events.push({
      ph: 'X',
      pid: 1,
      tid,
      name: span.label ?? (count > 1 ? `items ${index} to ${index + count - 1}` : `item ${index}`),
      cat: status,
      // The format counts in microseconds.
      ts: span.startMs * 1000,
      dur: (span.endMs - span.startMs) * 1000,
      args: { index, count, queuedMs, status, attempt, ...(error === undefined ? {} : { error }) },
    });
  }
  return JSON.stringify({
    traceEvents: events,
    displayTimeUnit: 'ms',
    otherData: { startedAt: record.startedAt },
  });
}
