/**
 * `npm run strip`, or `npm run strip -- my.ipynb`: takes out of notebooks what a run left in them, and nothing else: outputs, counts,
 * times and widgets. Ids stay (`SECTIONS.md` names cells by them), and so does the order of the keys.
 *
 * `npm run strip -- --text my.ipynb` prints a notebook's cells as plain text: what `git diff` shows, once the driver that
 * `.gitattributes` names is set up (see CONTRIBUTING).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { notebooks } from './harness/notebook';

interface RawNotebook {
  metadata: Record<string, unknown>;
  cells: RawCell[];
}
interface RawCell {
  id?: string;
  cell_type: string;
  source: string | string[];
  metadata: Record<string, unknown>;
  outputs?: unknown[];
  execution_count?: number | null;
}

/** What JupyterLab, its extensions and papermill write down about a run. */
const OF_A_RUN = ['execution', 'ExecuteTime', 'papermill', 'collapsed', 'scrolled', 'widgets'];

/** The notebook's JSON as it belongs in the repository: one space deep, as Jupyter writes it. */
export function stripped(json: string): string {
  const notebook = JSON.parse(json) as RawNotebook;
  for (const { metadata } of [notebook, ...notebook.cells]) {
    for (const key of OF_A_RUN) delete metadata[key];
  }
  for (const cell of notebook.cells) {
    if (cell.cell_type !== 'code') continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

/** The cells as a reader sees them, each below a line with its kind and id. */
export function asText(json: string): string {
  const { cells } = JSON.parse(json) as RawNotebook;
  return cells
    .map(({ cell_type: type, id, source }) => {
      const text = Array.isArray(source) ? source.join('') : source;
      return `=== ${type} ${id ?? ''}\n${text}\n`;
    })
    .join('\n');
}

if (require.main === module) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { text: { type: 'boolean' } },
  });
  for (const path of positionals.length > 0 ? positionals : notebooks) {
    const json = readFileSync(path, 'utf8');
    if (values.text) {
      process.stdout.write(asText(json));
      continue;
    }
    const clean = stripped(json);
    if (clean === json) continue;
    writeFileSync(path, clean);
    console.log(`${basename(path)}: ${kB(json)} are ${kB(clean)} now`);
  }
}

function kB(text: string): string {
  return `${(Buffer.byteLength(text) / 1000).toFixed(0)} kB`;
}
