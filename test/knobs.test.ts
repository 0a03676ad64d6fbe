/**
 * Knobs turned too far: a cell with the number of workers at its top says in a sentence what it needs, and nothing hangs.
 * `KNOBS=all`: every such cell, with every wrong value; without it one of each notebook, with two.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Kernel } from './harness/kernel';
import { type CodeCell, earlierInSection, nameOf, notebooks, readNotebook } from './harness/notebook';

const KNOB = 'const workers = 2;';
const isThorough = process.env.KNOBS === 'all';
const VALUES = isThorough ? ['0', '-1', '1.5', "'two'"] : ['0', "'two'"];

for (const notebook of notebooks.map(readNotebook)) {
  suite(notebook.name, () => {
    const cells = notebook.cells.filter(({ source }) => source.includes(KNOB));
    let kernel: Kernel;
    const ran = new Set<CodeCell>();
    before(async () => {
      kernel = await Kernel.start({ cwd: dirname(notebook.path) });
    });
    after(() => kernel.close());

    async function run(cell: CodeCell): Promise<void> {
      if (ran.has(cell)) return;
      ran.add(cell);
      const { ok, error } = await kernel.run(cell.source);
      assert.ok(ok || cell.tags.includes('raises-exception'), `${nameOf(notebook, cell)}: ${error}`);
    }

    test('a cell has the knob', () => {
      assert.ok(cells.length > 0, `no cell has ${KNOB}`);
    });

    for (const cell of isThorough ? cells : cells.slice(0, 1)) {
      test(`${cell.id}: ${VALUES.join(', ')}`, async () => {
        // What it may use: the first cell, and those before it in its section.
        await run(notebook.cells[0]!);
        for (const earlier of earlierInSection(notebook, cell)) await run(earlier);
        for (const value of VALUES) {
          const turned = cell.source.replaceAll(KNOB, `const workers = ${value};`);
          const { ok, error } = await kernel.run(turned, { timeoutMs: 30_000 });
          if (ok) continue; // harmless
          const said = `workers = ${value}: ${error}`;
          // Ours, or TypeScript's about a word where a number must be.
          assert.match(
            error,
            /\bworkers\b.*\bgot\b|'string' is not assignable|must be of type 'any', 'number'/,
            said,
          );
          assert.doesNotMatch(error, /node_modules|[\\/]dist[\\/]|^\s+at (?!cell )/m, said);
          assert.ok(error.trim().split('\n').length <= 12, said);
        }
      });
    }
  });
}
