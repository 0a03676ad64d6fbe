import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type Bundle, inspectAs } from '../../helper/notebook/display';
import { escaped } from '../../helper/notebook/html';
import { MARKS } from './check';
import { type Claim, type Finding, remembered, tell } from './claim';

/** A claim as it stands in a notebook. */
export interface ClaimRow {
  readonly statement: string;
  /** The notebook's file, `05-concurrency-and-parallelism.ipynb`. */
  readonly notebook: string;
  /** The notebook's first heading. */
  readonly title: string;
  /** The nearest heading above the claim. */
  readonly section: string;
  /** The document's own heading, which stands as 「…」 below ours; '' where none does. */
  readonly heading: string;
  /** To the section, from a file beside the notebooks. */
  readonly link: string;
  /** What its last run showed; undefined if it has not been run here yet. */
  readonly outcome: Claim | undefined;
}

/**
 * The table of claims: each claim of the notebooks in the working directory, in their order, with what Python and
 * TypeScript showed of it when it was last run here. As a cell's last expression it is drawn.
 */
export function claims(): ClaimTable {
  const folder = process.cwd();
  const outcomes = remembered();
  const names = readdirSync(folder).filter((name) => /^[^.].*\.ipynb$/.test(name));
  return new ClaimTable(
    names.sort().flatMap((name) =>
      stated(name, readFileSync(join(folder, name), 'utf8')).map((row) => ({
        ...row,
        outcome: outcomes.get(row.statement),
      })),
    ),
  );
}

/** Claims with their places and outcomes. */
export class ClaimTable {
  constructor(readonly rows: readonly ClaimRow[]) {}

  [inspect.custom](depth: number): string {
    return inspectAs(
      depth,
      () => this.#text(),
      () => this.#bundle(),
    );
  }

  /** Deno's protocol for values that a notebook shows. */
  [Symbol.for('Jupyter.display')](): Bundle['data'] {
    return this.#bundle().data;
  }

  #bundle(): Bundle {
    return { data: { 'text/html': this.#html(), 'text/plain': this.#text() } };
  }

  #notebooks(): ClaimRow[][] {
    const groups = new Map<string, ClaimRow[]>();
    for (const row of this.rows) groups.set(row.notebook, [...(groups.get(row.notebook) ?? []), row]);
    return [...groups.values()];
  }

  #text(): string {
    if (this.rows.length === 0) return NONE;
    return this.#notebooks()
      .map((rows) => {
        const lines = rows.map(({ statement, outcome }) =>
          outcome
            ? `  ${statement}. Expected ${outcome.expected}. Python: ${said(outcome.python)}. TypeScript: ${said(outcome.typescript)}.`
            : `  ${statement}. Not run here yet.`,
        );
        return [`${rows[0]!.title} (${ran(rows)})`, ...lines].join('\n');
      })
      .concat(summary(this.rows))
      .join('\n');
  }

  #html(): string {
    if (this.rows.length === 0) return `<p>${NONE}</p>`;
    const bodies = this.#notebooks().map((rows) => {
      const { title, notebook } = rows[0]!;
      const head =
        `<tr><th colspan="4" scope="rowgroup" ${LEFT}><a href="${escaped(notebook)}">${escaped(title)}</a> ` +
        `<small>${escaped(ran(rows))}</small></th></tr>`;
      return `<tbody>${head}${rows.map(line).join('')}</tbody>`;
    });
    const columns = ['The documents claim', 'where', 'Python', 'TypeScript'];
    return (
      `<p>${summary(this.rows)}</p>` +
      `<table><thead><tr>${columns.map((name) => `<th scope="col" ${LEFT}>${name}</th>`).join('')}</tr></thead>` +
      `${bodies.join('')}</table>`
    );
  }
}

const NONE = 'No notebook in this folder makes a claim.';
const LEFT = 'style="text-align: left"';

function line({ statement, section, heading, link, outcome }: ClaimRow): string {
  const expected = outcome ? `<br><small>expected ${escaped(outcome.expected)}</small>` : '';
  const where =
    `<a href="${escaped(link)}">${escaped(section)}</a>` +
    (heading ? `<br><small>「${escaped(heading)}」</small>` : '');
  const found = [outcome?.python, outcome?.typescript];
  const isDivided = found.every(Boolean) && found[0]!.verdict !== found[1]!.verdict;
  const shown = found.map((finding) => {
    const text = outcome ? escaped(said(finding)) : 'not run here yet';
    return isDivided ? `<strong>${text}</strong>` : text;
  });
  const cells = [`${escaped(statement)}${expected}`, where, ...shown];
  return `<tr>${cells.map((cell) => `<td ${LEFT}>${cell}</td>`).join('')}</tr>`;
}

/** `53 claims, 40 of them tried in both languages: 20 held in both, …` */
function summary(rows: readonly ClaimRow[]): string {
  const both = rows
    .map(({ outcome }) => [outcome?.python?.verdict, outcome?.typescript?.verdict])
    .filter((verdicts) => verdicts.every((verdict) => verdict === 'held' || verdict === 'did not hold'));
  const count = (python: boolean, typescript: boolean) =>
    both.filter(([p, t]) => (p === 'held') === python && (t === 'held') === typescript).length;
  const waiting = rows.filter(({ outcome }) => !outcome).length;
  const claims = `${rows.length} ${rows.length === 1 ? 'claim' : 'claims'}`;
  return (
    `${claims}, ${both.length} of them tried in both languages: ${count(true, true)} held in both, ` +
    `${count(true, false)} only in Python, ${count(false, true)} only in TypeScript, ${count(false, false)} in neither.` +
    (waiting > 0 ? ` ${waiting} not run here yet.` : '')
  );
}

function said(finding: Finding | undefined): string {
  if (!finding) return 'not tried';
  const { measured, verdict, why } = finding;
  // What spoils a measure is told at length below its cell.
  const isSpoilt = why !== undefined && verdict === 'did not hold';
  return `${MARKS[verdict]} ${tell(isSpoilt ? { measured, verdict, why: 'on a busy machine' } : finding)}`;
}

/** When a notebook's claims were last shown, and on what. */
function ran(rows: ClaimRow[]): string {
  const outcomes = rows.flatMap(({ outcome }) => outcome ?? []).sort((a, b) => (a.at < b.at ? 1 : -1));
  const [newest] = outcomes;
  if (!newest) return 'not run here yet';
  const python = outcomes.find(({ ran }) => ran.python)?.ran.python;
  const when = new Date(newest.at);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  return (
    `run ${day} ${two(when.getHours())}:${two(when.getMinutes())}, Node ${newest.ran.node}` +
    (python ? `, Python ${python}` : '')
  );
}

interface RawCell {
  readonly cell_type: string;
  readonly id?: string;
  readonly source: string | readonly string[];
}

/** A statement is a string in one piece, the first argument: so a claim can be found before it was ever run. */
const CALL = /\bclaim\(\s*(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`)\s*,/g;

/** The claims in a notebook's file. One that can't be read makes none: JupyterLab may be writing it. */
function stated(notebook: string, json: string): Omit<ClaimRow, 'outcome'>[] {
  let cells: readonly RawCell[];
  try {
    cells = (JSON.parse(json) as { cells: readonly RawCell[] }).cells;
  } catch {
    return [];
  }
  const rows: Omit<ClaimRow, 'outcome'>[] = [];
  let title = '';
  let section = '';
  let heading = '';
  let link = notebook;
  for (const { cell_type, id, source } of cells) {
    const text = typeof source === 'string' ? source : source.join('');
    if (cell_type === 'markdown') {
      const [, ours = '', document = ''] = /^#{1,6} (.+)\n*(?:「(.+)」\n)?/m.exec(`${text}\n`) ?? [];
      if (!ours) continue;
      title ||= plain(ours);
      section = plain(ours);
      heading = document;
      // JupyterLab and exported pages both know a cell by this.
      link = id ? `${notebook}#cell-id=${id}` : notebook;
    } else if (cell_type === 'code') {
      for (const [, single, double, template] of text.matchAll(CALL)) {
        const statement = (single ?? double ?? template ?? '').replace(/\\(.)/g, '$1');
        rows.push({ statement, notebook, title, section, heading, link });
      }
    }
  }
  return rows;
}

/** A heading without its Markdown. */
function plain(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`]/g, '')
    .trim();
}
