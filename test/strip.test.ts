import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notebooks } from './harness/notebook';
import { asText, stripped } from './strip';

const root = join(__dirname, '..', '..');
const clean = readFileSync(join(root, 'test', 'fixtures', 'chart.ipynb'), 'utf8');

test('what a run leaves in a notebook goes, ids and everything else stay', () => {
  const notebook = JSON.parse(stripped(clean));
  const ran = structuredClone(notebook);
  ran.metadata.widgets = { state: {} };
  ran.metadata.papermill = { duration: 2 };
  for (const cell of ran.cells) {
    if (cell.cell_type !== 'code') continue;
    cell.execution_count = 7;
    cell.outputs = [{ output_type: 'stream', name: 'stdout', text: ['1500 kB of pictures'] }];
    Object.assign(cell.metadata, { execution: { 'iopub.status.busy': 'now' }, scrolled: true });
  }
  const again = JSON.parse(stripped(JSON.stringify(ran)));
  assert.deepEqual(again, notebook);
  assert.deepEqual(
    again.cells.map(({ id }: { id: string }) => id),
    JSON.parse(clean).cells.map(({ id }: { id: string }) => id),
  );
  assert.deepEqual(
    again.cells.map(({ metadata }: { metadata: object }) => metadata),
    JSON.parse(clean).cells.map(({ metadata }: { metadata: object }) => metadata),
  );
});

test('the handbook has no outputs and no counts: stripping it changes no byte', () => {
  for (const path of notebooks) {
    const text = readFileSync(path, 'utf8');
    assert.equal(stripped(text), text, `${path}: run npm run strip`);
  }
});

test('as text, a cell is its source below its kind and id', () => {
  const json = JSON.stringify({ cells: [{ cell_type: 'code', id: 'a', source: ['1 +\n', '1'] }] });
  assert.equal(asText(json), '=== code a\n1 +\n1\n');
});
