import { inspect } from 'node:util';
import { inspectAs } from './display';
import { figure } from './figure';
import { escaped } from './html';

export interface TableOptions {
  /** What the table shows, above it. */
  title?: string;
}

/** Any object: its own enumerable properties are the cells. */
type Row = object;

type Cells = Readonly<Record<string, unknown>>;

const DISPLAY = Symbol.for('Jupyter.display');

/**
 * Figures as a table: as a cell's last expression, or by `show(table(…))`, it shows itself.
 *
 * Columns are the rows' keys, in order of their first appearance. Numbers are rounded to three digits and stand to the
 * right; what a row lacks stays empty.
 *
 * @example table([{ workers: 1, 'time (ms)': 80.2 }, { workers: 2, 'time (ms)': 43.1 }])
 * @param rows any iterable of objects, such as `run.record.spans`
 * @throws TypeError when the rows are not that
 */
export function table(rows: Iterable<Row>, options: TableOptions = {}): Table {
  const isRow = (row: unknown) => typeof row === 'object' && row !== null && !Array.isArray(row);
  const isIterable = typeof rows === 'object' && rows !== null && Symbol.iterator in rows;
  const list = isIterable ? [...rows] : [];
  if (!isIterable || !list.every(isRow)) {
    throw new TypeError(
      `table() needs objects in a list, such as [{ workers: 1, ms: 80 }]; got ${inspect(rows)}.`,
    );
  }
  return new Table(list, options.title);
}

/** See {@link table}. */
export class Table {
  readonly rows: readonly Cells[];

  constructor(
    rows: readonly Row[],
    readonly title: string | undefined,
  ) {
    this.rows = rows as readonly Cells[];
  }

  get columns(): string[] {
    return [...new Set(this.rows.flatMap((row) => Object.keys(row)))];
  }

  [DISPLAY](): Record<string, string> {
    const { rows, columns, title } = this;
    const style = (value: unknown) =>
      typeof value === 'number' ? ' style="text-align:right"' : ' style="text-align:left"';
    const cells = (row: Cells) =>
      columns.map((column) => `<td${style(row[column])}>${escaped(textOf(row[column]))}</td>`).join('');
    const heads = columns.map((column) => `<th${style(rows[0]?.[column])}>${escaped(column)}</th>`).join('');
    return {
      'text/html':
        `<table>${title ? `<caption>${escaped(title)}</caption>` : ''}<thead><tr>${heads}</tr></thead>` +
        `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table>`,
      'text/plain': this.toString(),
    };
  }

  /** The table in plain text, for a terminal. */
  toString(): string {
    const { rows, columns, title } = this;
    const lines = [columns, ...rows.map((row) => columns.map((column) => textOf(row[column])))];
    const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
    const isNumber = columns.map((column) => typeof rows[0]?.[column] === 'number');
    const body = lines.map((line) =>
      line
        .map((text, at) => (isNumber[at] ? text.padStart(widths[at]!) : text.padEnd(widths[at]!)))
        .join('  ')
        .trimEnd(),
    );
    return [...(title ? [title] : []), ...body].join('\n');
  }

  [inspect.custom](depth: number): string {
    return inspectAs(
      depth,
      () => this.toString(),
      () => ({ data: this[DISPLAY]() }),
    );
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return figure(value);
  return typeof value === 'string' ? value : inspect(value);
}
