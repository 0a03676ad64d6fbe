/** `{ name }` with a name of an earlier cell, which tslab alone compiles to something that fails. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
  const cells = [
    `import { createPool } from 'tslab-parallel'; import * as path from 'node:path'; createPool;`,
    `const workers = 2; let count = 1; const shown = [1, 2];`,
  ];
  for (const cell of cells) assert.equal((await kernel.run(cell)).error, '');
});
after(() => kernel.close());

const prints = async (code: string, expected: string) => {
  const { stdout, error } = await kernel.run(code);
  assert.equal(error, '');
  assert.equal(stdout.trim(), expected);
};

test('at the top, in functions, in objects in objects', async () => {
  await prints('console.log(JSON.stringify({ workers, count }))', '{"workers":2,"count":1}');
  await prints(
    'const all = (n: number) => ({ n, deep: { shown, workers } }); console.log(JSON.stringify(all(3)))',
    '{"n":3,"deep":{"shown":[1,2],"workers":2}}',
  );
  await prints(`console.log(typeof { path }.path.join)`, 'function');
});

test('a name that the cell declares itself is its own', async () => {
  await prints(
    `const count = 7;
     const inner = (workers: string) => ({ workers, count });
     console.log(JSON.stringify([inner('mine'), (({ workers }) => ({ workers }))({ workers: 'theirs' })]))`,
    '[{"workers":"mine","count":7},{"workers":"theirs"}]',
  );
});

test('options of a pool, and what travels to its workers', async () => {
  await prints(
    `const pool = createPool('thread', { workers });
     console.log(JSON.stringify(await pool.map([1, 2], (n) => ({ n, workers }))));`,
    '[{"n":1,"workers":2},{"n":2,"workers":2}]',
  );
});

test('an error still names the reader’s own line', async () => {
  const { error } = await kernel.run(
    `const one = { workers };\nconst two = { shown, count };\nJSON.parse('{');`,
  );
  assert.match(error, /^SyntaxError[^\n]*\n {4}at cell \[\d+\], line 3/);
});
