/**
 * Every notebook, cell by cell, on the real kernel. `NOTEBOOK_RUNS`: how often each, in the same kernel; default 1. Errors
 * and wrong results fail; what a busy machine spoils (measures, claims) is reported.
 */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { Kernel, root } from './harness/kernel';
import {
  type CellRun,
  charts,
  judgements,
  missing,
  nameOf,
  notebooks,
  readNotebook,
  runNotebook,
  wrongResults,
} from './harness/notebook';

const fixture = join(root, 'test', 'fixtures', 'chart.ipynb');
const times = Number(process.env.NOTEBOOK_RUNS ?? 1);

for (const path of [fixture, ...notebooks]) {
  const notebook = readNotebook(path);
  suite(notebook.name, () => {
    test('runs, every result is right, and every chart appears everywhere', async (t) => {
      const kernel = await Kernel.start({ cwd: dirname(path) });
      try {
        for (let time = 1; time <= times; time++) {
          const runs = await runNotebook(kernel, notebook);
          const shown = runs.flatMap(({ cell, result }) => charts(result).map((chart) => ({ cell, chart })));
          const problems = [
            ...shown.flatMap(({ cell, chart }) =>
              missing(chart).map((problem) => `${nameOf(notebook, cell)}: ${problem}`),
            ),
            ...runs.flatMap(({ cell, result }) =>
              wrongResults(result).map((wrong) => `${nameOf(notebook, cell)}: ${wrong}`),
            ),
          ];
          assert.deepEqual(problems, [], `run ${time}`);
          assert.ok(shown.length > 0, 'a notebook of this handbook shows at least one chart');
          t.diagnostic(`${notebook.name}, run ${time}: ${summary(runs)}, ${shown.length} charts`);
          for (const { checks, claims } of runs.map(({ result }) => judgements(result))) {
            for (const { kind, claim, expected, measured, verdict } of checks) {
              if (kind === 'measure' && verdict === 'did not hold')
                t.diagnostic(`missed: ${claim}; expected ${expected}, measured ${measured}`);
            }
            for (const { statement, python, typescript } of claims)
              t.diagnostic(
                `claim: ${statement}; Python ${python?.verdict ?? '-'}, TypeScript ${typescript?.verdict ?? '-'}`,
              );
          }
        }
      } finally {
        await kernel.close();
      }
    });
  });
}

function summary(runs: CellRun[]): string {
  const total = runs.reduce((sum, { result }) => sum + result.ms, 0);
  const slowest = runs.reduce((a, b) => (b.result.ms > a.result.ms ? b : a));
  return `${(total / 1000).toFixed(1)} s (cell ${slowest.cell.number}: ${(slowest.result.ms / 1000).toFixed(1)} s)`;
}
