/**
 * `npm run notebooks -- 05 --section 37`: runs notebooks, or one section with the first cell, on a real kernel, and tells what
 * each cell took, what its checks and claims came to, and at the end where the time went. src/cli/bootstrap.mjs has
 * installed and compiled before.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { CliError, exitWith, prepareEnvironment } from '#src/cli/index';
import { type Cell, type CellResult, Kernel, root } from './harness/kernel';
import {
  type CellRun,
  type CodeCell,
  charts,
  judgements,
  type Notebook,
  notebooks,
  readNotebook,
  type Section,
  wholeSection,
  wrongResults,
} from './harness/notebook';

const USAGE = `Usage: npm run notebooks -- [notebook ...] [--section name] [--set knob=value] [--output] [--times]

  notebook   part of a notebook's name, such as 05 or gallery; without one all are run
  --section  only the first cell and the section whose heading begins with this number or contains these words;
             the document's own heading and a cell's id will do, too
  --set      gives a knob another value wherever it stands at a line's beginning, const workers = 2; for instance
             --set workers=4; may be repeated
  --output   also what the cells print and the text of their charts
  --times    writes what each notebook took into the table of index.ipynb: for a quiet machine with two cores`;

export async function main(args: string[]): Promise<void> {
  await exitWith(async () => {
    const { values, positionals } = options(args);
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    if (values.times && values.section !== undefined)
      throw new CliError('--times is about whole notebooks: leave out --section.');
    const chosen = select(positionals).map((notebook) => ({
      notebook,
      cells: values.section === undefined ? notebook.cells : cellsOf(notebook, values.section),
    }));
    const some = chosen.filter(({ cells }) => cells.length > 0);
    if (some.length === 0) throw new CliError(noSection(values.section!, chosen));
    if (values.times && values.set.length > 0)
      throw new CliError('--times is about the notebooks as they are: leave out --set.');
    setKnobs(
      some.flatMap(({ cells }) => cells),
      values.set,
    );
    await prepareEnvironment(root);
    const runs: NotebookRun[] = [];
    for (const { notebook, cells } of some) runs.push(await run(notebook, cells, values.output ?? false));
    if (runs.length > 1) summarize(runs);
    if (values.times) writeTimes(runs);
    return runs.some(({ failed }) => failed) ? 1 : 0;
  });
}

function options(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        section: { type: 'string', short: 's' },
        set: { type: 'string', multiple: true, default: [] },
        output: { type: 'boolean', short: 'o' },
        times: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CliError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** Those whose names contain one of the words, each once, in reading order. */
function select(words: string[]): Notebook[] {
  const chosen = new Set<string>();
  for (const word of words.length > 0 ? words : ['']) {
    const found = notebooks.filter((path) => basename(path).includes(basename(word)));
    if (found.length === 0) {
      const names = notebooks.map((path) => basename(path)).join(', ');
      throw new CliError(`No notebook is called ${word}: there are ${names}.`);
    }
    for (const path of found) chosen.add(path);
  }
  return notebooks.filter((path) => chosen.has(path)).map(readNotebook);
}

/** What the sections that are called so need: the first cell, and what stands above them under the same `##`. */
function cellsOf({ cells, sections }: Notebook, called: string): CodeCell[] {
  const needed = new Set<CodeCell>();
  for (const [index, section] of sections.entries()) {
    if (!isCalled(section, called)) continue;
    const own = wholeSection(sections, index);
    const outer = sections
      .slice(0, index + 1)
      .reduce((last, { level }, at) => (level <= 2 ? at : last), index);
    const all = wholeSection(sections, outer);
    for (const cell of all.slice(0, all.indexOf(own.at(-1)!) + 1)) needed.add(cell);
  }
  return needed.size === 0 ? [] : [...new Set([cells[0]!, ...needed])];
}

function isCalled({ level, heading, document, cells }: Section, called: string): boolean {
  if (level === 1) return false;
  const headings = [heading, document].map((text) => text.toLowerCase());
  if (/^\d+\.?$/.test(called)) return headings.some((text) => text.startsWith(`${called.replace('.', '')}.`));
  return (
    headings.some((text) => text.includes(called.toLowerCase())) ||
    cells.some(({ id }) => id.startsWith(called))
  );
}

/** A knob is a constant on a line of its own: `const workers = 2;   // try 1, 4, 16`. */
function setKnobs(cells: CodeCell[], settings: readonly string[]): void {
  for (const setting of settings) {
    const [, name, value] = /^([A-Za-z_$][\w$]*)=(.+)$/s.exec(setting) ?? [];
    if (name === undefined || value === undefined)
      throw new CliError(`--set takes name=value, such as workers=4; got ${setting}.`);
    const knob = new RegExp(`^((?:const|let) ${name.replaceAll('$', '\\$')}(?:: [^=;]+)? = )[^;\n]+`, 'gm');
    let set = 0;
    for (const cell of cells) {
      cell.source = cell.source.replace(knob, (_, before: string) => {
        set++;
        return before + value;
      });
    }
    const parameters = cells.find(({ tags }) => tags.includes('parameters'));
    if (set === 0 && parameters) {
      // As papermill does it: what the cell with this tag doesn't define is defined after it.
      parameters.source += `\nconst ${name} = ${value};`;
      set = 1;
    }
    if (set === 0) throw new CliError(`No knob is called ${name}: ${knobsOf(cells)}.`);
    console.log(`${name} = ${value} in ${set} ${set === 1 ? 'cell' : 'cells'}`);
  }
}

/** The knobs there are, for the message that one isn't. */
function knobsOf(cells: readonly CodeCell[]): string {
  const found = cells.flatMap(({ source }) =>
    [...source.matchAll(/^const ([\w$]+)(?:: [^=;]+)? = [^;\n]+; *\/\/ try /gm)].map(([, name]) => name),
  );
  return found.length === 0 ? 'there are none in these cells' : `there are ${[...new Set(found)].join(', ')}`;
}

function noSection(called: string, chosen: { notebook: Notebook }[]): string {
  const lines = chosen.map(({ notebook: { name, sections } }) => {
    const headings = sections.filter(({ level, cells }) => level > 1 && cells.length > 0);
    return [name, ...headings.map(({ heading }) => `  ${heading}`)].join('\n');
  });
  return `No section is called ${called}. There are:\n${lines.join('\n')}`;
}

interface NotebookRun {
  notebook: Notebook;
  runs: CellRun[];
  failed: boolean;
}

async function run(notebook: Notebook, cells: CodeCell[], output: boolean): Promise<NotebookRun> {
  console.log(`\n${notebook.name}`);
  const runs: CellRun[] = [];
  let failed = false;
  const kernel = await Kernel.start({ cwd: dirname(notebook.path) });
  // The driver ends the kernel, and all it started, when we are gone; this also removes its folder.
  const stop = () => kernel.close().finally(() => process.exit(130));
  process.once('SIGINT', stop);
  try {
    for (const cell of cells) {
      const result = await shown(cell, await kernel.begin(cell.source));
      runs.push({ cell, result });
      const isError = !result.ok && !cell.tags.includes('raises-exception');
      const wrong = wrongResults(result);
      report(result, { output, isError });
      failed ||= isError || wrong.length > 0;
      if (isError) break; // as Run All Cells
    }
  } catch (error) {
    // The kernel died: the cell ended its process.
    console.log(`\n${(error as Error).message}`);
    failed = true;
  } finally {
    process.removeListener('SIGINT', stop);
    await kernel.close();
  }
  whereTheTimeWent(notebook, runs);
  return { notebook, runs, failed };
}

/** Says that the cell runs, in a terminal for how long, and at its end how long it took. */
async function shown(cell: CodeCell, running: Cell): Promise<CellResult> {
  const name = cell.id.padEnd(24);
  const before = performance.now();
  const tell = (ms: number) => process.stdout.write(`\r${seconds(ms)}  ${name}`);
  if (!process.stdout.isTTY) {
    const result = await running.done;
    console.log(`${seconds(result.ms)}  ${name}${result.ok ? '' : ' failed'}`);
    return result;
  }
  const ticking = setInterval(() => tell(performance.now() - before), 100);
  try {
    const result = await running.done;
    tell(result.ms);
    console.log(result.ok ? '' : ' failed');
    return result;
  } finally {
    clearInterval(ticking);
  }
}

function report({ outputs }: CellResult, { output, isError }: { output: boolean; isError: boolean }): void {
  for (const part of outputs) {
    // What went wrong is told in any case, as the reader sees it.
    const isTold =
      output || (part.type === 'stream' ? part.name === 'stderr' || isError : isJudgement(part.data));
    if (!isTold) continue;
    const text = part.type === 'stream' ? part.text : String(part.data['text/plain'] ?? '');
    console.log(text.trimEnd().replace(/^/gm, '          '));
  }
}

function isJudgement(data: Record<string, unknown>): boolean {
  return Object.keys(data).some((type) => /\.(check|claim)\+json$/.test(type));
}

/** Longest first, until nine tenths are told. */
function whereTheTimeWent(notebook: Notebook, runs: CellRun[]): void {
  const ms = total(runs);
  const checks = runs.flatMap(({ result }) => judgements(result).checks);
  const claims = runs.flatMap(({ result }) => judgements(result).claims);
  const held = checks.filter(({ verdict }) => verdict === 'held').length;
  const parts = notebook.sections
    .map(({ heading, cells }) => ({
      heading,
      ms: total(runs.filter(({ cell }) => cells.includes(cell))),
    }))
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms);
  console.log(
    `\n${seconds(ms)}  in all: ${held} of ${checks.length} checks held, ${claims.length} claims, ` +
      `${runs.flatMap(({ result }) => charts(result)).length} charts. Where the time went:`,
  );
  let told = 0;
  for (const part of parts) {
    if (told > 0.9 * ms) break;
    told += part.ms;
    console.log(
      `${seconds(part.ms)}  ${'█'.repeat(Math.round((20 * part.ms) / ms)).padEnd(20)}  ${part.heading}`,
    );
  }
}

function total(runs: CellRun[]): number {
  return runs.reduce((sum, { result }) => sum + result.ms, 0);
}

/** Into the last column of the rows that lead to a notebook. */
function writeTimes(runs: NotebookRun[]): void {
  const index = notebooks.find((path) => basename(path) === 'index.ipynb')!;
  let text = readFileSync(index, 'utf8');
  for (const { notebook, runs: cells, failed } of runs) {
    const row = new RegExp(`(\\(${notebook.name.replaceAll('.', '\\.')}\\) \\|[^|]*\\| )[^|]*( \\|)`);
    if (!failed) text = text.replace(row, `$1${Math.ceil(total(cells) / 1000)} s$2`);
  }
  writeFileSync(index, text);
  console.log('\nWritten into index.ipynb.');
}

function summarize(runs: NotebookRun[]): void {
  console.log('');
  for (const { notebook, runs: cells, failed } of runs) {
    console.log(`${seconds(total(cells))}  ${notebook.name}${failed ? '  failed' : ''}`);
  }
  console.log(`${seconds(total(runs.flatMap(({ runs: cells }) => cells)))}  in all`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`.padStart(8);
}
