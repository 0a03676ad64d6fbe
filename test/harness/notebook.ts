/** Notebook files: reading them, running them cell by cell, and what must hold for each. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Check, Claim } from 'tslab-parallel/handbook';
import { CHECK_MIME, CLAIM_MIME } from '#src/handbook/claims/index';
import { type CellResult, type DisplayOutput, type Kernel, root } from './kernel';

export interface CodeCell {
  id: string;
  /** Place among all cells of the notebook, from 1. */
  number: number;
  source: string;
  tags: string[];
}

export interface Notebook {
  path: string;
  name: string;
  /** Code cells only. */
  cells: CodeCell[];
  /** The parts, in order; what stands above the first heading belongs to none. */
  sections: Section[];
  /** Every cell, in order. */
  all: { id: string; type: string; source: string }[];
}

/** What stands below a heading, up to the next one. */
export interface Section {
  /** 1 for the title. */
  level: number;
  /** Ours, as it stands in Markdown. */
  heading: string;
  /** The document's own, from the line 「…」 below ours; '' where there is none. */
  document: string;
  /** Code cells only. */
  cells: CodeCell[];
}

export interface CellRun {
  cell: CodeCell;
  result: CellResult;
}

interface RawCell {
  id: string;
  cell_type: string;
  source: string | string[];
  metadata?: { tags?: string[] };
}

/** The handbook's notebooks, in reading order. */
export const notebooks = readdirSync(join(root, 'notebooks'))
  .filter((name) => /^[^.].*\.ipynb$/.test(name))
  .sort()
  .map((name) => join(root, 'notebooks', name));

export function readNotebook(path: string): Notebook {
  const { cells: raw } = JSON.parse(readFileSync(path, 'utf8')) as { cells: RawCell[] };
  const notebook: Notebook = { path, name: basename(path), cells: [], sections: [], all: [] };
  for (const [index, cell] of raw.entries()) {
    const source = Array.isArray(cell.source) ? cell.source.join('') : cell.source;
    notebook.all.push({ id: cell.id, type: cell.cell_type, source });
    if (cell.cell_type === 'markdown') notebook.sections.push(...headings(source));
    if (cell.cell_type !== 'code') continue;
    const code = {
      id: cell.id,
      number: index + 1,
      source,
      tags: cell.metadata?.tags ?? [],
    };
    notebook.cells.push(code);
    notebook.sections.at(-1)?.cells.push(code);
  }
  return notebook;
}

function headings(markdown: string): Section[] {
  const found = `${markdown}\n`.matchAll(/^(#{1,6}) (.+)\n*(?:「(.+)」\n)?/gm);
  return [...found].map(([, marks = '', heading = '', document = '']) => ({
    level: marks.length,
    heading: heading.trim(),
    document,
    cells: [],
  }));
}

/** What a cell may use beside the notebook's first one: those before it under the same `##`. */
export function earlierInSection({ sections }: Notebook, cell: CodeCell): CodeCell[] {
  const own = sections
    .map(({ level }, index) => (level <= 2 ? wholeSection(sections, index) : []))
    .find((cells) => cells.includes(cell));
  return own?.slice(0, own.indexOf(cell)) ?? [];
}

/** The code cells of a section and of the smaller ones in it. A title has its own only. */
export function wholeSection(sections: Section[], index: number): CodeCell[] {
  const { level, cells } = sections[index]!;
  if (level === 1) return cells;
  const after = sections.slice(index + 1);
  const end = after.findIndex((other) => other.level <= level);
  return [...cells, ...(end === -1 ? after : after.slice(0, end)).flatMap((part) => part.cells)];
}

/** `05.ipynb, cell 7 (const workers = 2;)` */
export function nameOf(notebook: Notebook, cell: CodeCell): string {
  return `${notebook.name}, cell ${cell.number} (${cell.source.trim().split('\n', 1)[0]})`;
}

/**
 * Runs the code cells one by one, as "Run All" does, and stops at the first that fails.
 * A cell with the tag `raises-exception` may fail, as in nbclient.
 */
export async function runNotebook(kernel: Kernel, notebook: Notebook): Promise<CellRun[]> {
  const runs: CellRun[] = [];
  for (const cell of notebook.cells) {
    const result = await kernel.run(cell.source);
    if (!result.ok && !cell.tags.includes('raises-exception')) {
      throw new Error(`${nameOf(notebook, cell)} failed:\n${result.error}`);
    }
    runs.push({ cell, result });
  }
  return runs;
}

/** What a cell's checks and claims came to. */
export function judgements(result: CellResult): { checks: Check[]; claims: Claim[] } {
  const shown = <T>(type: string) =>
    result.displays.flatMap(({ data }) => (data[type] as T | undefined) ?? []);
  return { checks: shown<Check>(CHECK_MIME), claims: shown<Claim>(CLAIM_MIME) };
}

/** A result that is not what it must be, one line each. Measures and claims depend on the machine. */
export function wrongResults(result: CellResult): string[] {
  return judgements(result)
    .checks.filter(({ kind, verdict }) => kind === 'result' && verdict === 'did not hold')
    .map(({ claim, expected, measured }) => `${claim}: expected ${expected}, got ${measured}`);
}

export const vegaLite = 'application/vnd.vegalite.v5+json';
export const svg = 'image/svg+xml';

/** Outputs that are pictures, in whatever format. */
export function charts(result: CellResult): DisplayOutput[] {
  return result.displays.filter(({ data }) => Object.keys(data).some((type) => /vega|^image\//.test(type)));
}

export function altText({ metadata }: DisplayOutput, type = svg): string | undefined {
  // nbconvert looks beside the format first, then at the top.
  const alt = (metadata[type] as { alt?: unknown } | undefined)?.alt ?? metadata.alt;
  return typeof alt === 'string' ? alt : undefined;
}

/** What a chart lacks to appear everywhere, one line each. */
export function missing(chart: DisplayOutput): string[] {
  const { data } = chart;
  const spec = data[vegaLite] as { $schema?: unknown } | undefined;
  // A photograph is no drawing of data.
  const isPhotograph = 'image/png' in data && !spec && !(svg in data);
  const alt = altText(chart, isPhotograph ? 'image/png' : svg);
  const problems: string[] = [];
  if (isPhotograph) return alt && alt.length >= 10 ? [] : [`an image without alternative text: ${alt}`];
  if (typeof spec !== 'object' || spec === null)
    problems.push(`no ${vegaLite} as an object (JupyterLab, VS Code)`);
  else if (!/\/vega-lite\/v5\b/.test(String(spec.$schema)))
    problems.push(`$schema is ${spec.$schema}, not Vega-Lite 5`);
  if (!/^<svg[^>]* xmlns=/.test(String(data[svg]))) problems.push(`no ${svg} (nbconvert)`);
  if (!alt || alt.length < 10)
    problems.push(`no alternative text that says something in the metadata: ${alt}`);
  if (!String(data['text/plain'] ?? '').trim()) problems.push('no text/plain (terminal)');
  if ('text/html' in data) problems.push('text/html, which JupyterLab would prefer to the chart');
  return problems;
}
