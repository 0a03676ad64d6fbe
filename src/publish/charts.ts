/**
 * What a page needs of its charts and only Vega knows. Reads Vega-Lite specs from standard input, a JSON array, and
 * writes a line for each: a `Drawn`, or null for a spec that can't be drawn. A program of its own: outputs.py runs it, ends
 * it when a spec takes too long, and goes on with the next.
 */
import { text } from 'node:stream/consumers';
import { renderSVG } from '../helper/charts/svg';
import { svgConfig } from '../helper/charts/theme';

interface Drawn {
  svg: string;
  /** The spec compiled for Vega, with the page's text colour: what a page with moving charts runs. */
  vega: object;
  /** The figures behind the marks, as the pointer would find them. */
  tables: Table[];
}

interface Table {
  columns: string[];
  /** The first of them; a cell is '' where a mark has no such figure. */
  rows: string[][];
  /** How many rows there are in all. */
  total: number;
}

/** More are no longer read, and make the page heavy. */
const ROWS = 40;

/** The few names of Vega that are used here; its own types don't compile everywhere ours do. */
interface Vega {
  parse(spec: object): object;
  View: new (runtime: object, options: object) => View;
}
interface View {
  runAsync(): Promise<View>;
  finalize(): void;
  scenegraph(): { root: Item };
}
interface VegaLite {
  compile(spec: object, options: object): { spec: object };
}
/** A mark, a group, or one of a mark's items. */
interface Item {
  marktype?: string;
  items?: Item[];
  tooltip?: unknown;
}

const silent = {
  level: () => silent,
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
  error: () => silent,
};

async function draw(spec: object): Promise<Drawn | null> {
  try {
    const vega = compile(spec, {});
    let tables = await tablesOf(vega);
    // A spec without tooltips: those that Vega-Lite would make of its encodings.
    if (tables.length === 0) {
      const unnamed = unnamedFields(spec);
      tables = (await tablesOf(compile(spec, { mark: { tooltip: true } }))).filter(
        ({ columns }) => columns.length > 1 && !columns.some((column) => unnamed.has(column)),
      );
    }
    const { description } = spec as { description?: unknown };
    return { svg: renderSVG(spec, typeof description === 'string' ? description : ''), vega, tables };
  } catch {
    return null;
  }
}

function compile(spec: object, config: object): object {
  const vegaLite = require('vega-lite') as VegaLite;
  return vegaLite.compile(spec, { config: { ...svgConfig, ...config }, logger: silent }).spec;
}

async function tablesOf(spec: object): Promise<Table[]> {
  const vega = require('vega') as Vega;
  const refuse = () => Promise.reject(new Error('A chart on a page brings its data along.'));
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logger: silent, loader });
  try {
    await view.runAsync();
    const tables: Map<string, string>[][] = [];
    collect(view.scenegraph().root, tables);
    return merged(tables);
  } finally {
    view.finalize();
  }
}

/** Fields on an axis that has no title: what stands there is scenery, places in pixels for instance. */
function unnamedFields(spec: unknown, found = new Set<string>()): Set<string> {
  if (typeof spec !== 'object' || spec === null) return found;
  const { field, axis } = spec as { field?: unknown; axis?: { title?: unknown } | null };
  if (typeof field === 'string' && axis && axis.title === null) found.add(field);
  for (const part of Object.values(spec)) unnamedFields(part, found);
  return found;
}

/** The tooltips of each mark, as lists of names and figures. */
function collect(item: Item, tables: Map<string, string>[][]): void {
  const rows: Map<string, string>[] = [];
  for (const inner of item.items ?? []) {
    const { tooltip } = inner;
    if (typeof tooltip === 'object' && tooltip !== null) {
      rows.push(new Map(Object.entries(tooltip).map(([name, value]) => [name, String(value)])));
    }
    collect(inner, tables);
  }
  if (rows.length > 0) tables.push(rows);
}

/** Marks that tell the same kind of figures share a table, and what two of them tell stands there once. */
function merged(marks: Map<string, string>[][]): Table[] {
  const tables = new Map<string, { columns: string[]; rows: Map<string, string[]> }>();
  for (const rows of marks) {
    const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
    const key = JSON.stringify([...columns].sort());
    const table = tables.get(key) ?? { columns, rows: new Map() };
    tables.set(key, table);
    for (const row of rows) {
      const cells = table.columns.map((column) => row.get(column) ?? '');
      table.rows.set(JSON.stringify(cells), cells);
    }
  }
  return [...tables.values()].map(({ columns, rows }) => ({
    columns,
    rows: [...rows.values()].slice(0, ROWS),
    total: rows.size,
  }));
}

async function main(): Promise<void> {
  const specs = JSON.parse(await text(process.stdin)) as object[];
  for (const spec of specs) process.stdout.write(`${JSON.stringify(await draw(spec))}\n`);
}

if (require.main === module) main();
