/** Cells that wait in `for await` alone, which tslab does not let wait by itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
  await kernel.run("import { createPool } from 'tslab-parallel';");
});
after(() => kernel?.close());

const steps = 'async function* steps(n: number) { for (let i = 1; i <= n; i++) yield i }';

const cells = {
  'as the only thing to wait for': [
    `for await (const { index, value } of createPool('thread').map([4], (n) => n * n).completed())
  console.log(index, value);`,
    '0 16\n',
  ],
  'in a block, after another one, and the last value is shown': [
    `${steps}
if (true) { for await (const n of steps(1)) console.log(n) }
for await (const n of steps(2)) console.log(n);
'end'`,
    '1\n1\n2\nend\n',
  ],
  'beside another await': [`${steps}\nawait null;\nfor await (const n of steps(1)) console.log(n);`, '1\n'],
  'in a function only': [
    `${steps}\nconst sum = async () => { let all = 0; for await (const n of steps(3)) all += n; return all };\nawait sum()`,
    '6\n',
  ],
  'in a string only': ["console.log('for await (x of y)')", 'for await (x of y)\n'],
} as const;

for (const [name, [code, printed]] of Object.entries(cells)) {
  test(`for await ${name}`, async () => {
    const result = await kernel.run(code);
    assert.equal(result.error, '');
    assert.equal(result.stdout, printed);
  });
}

test('the stop button ends such a loop, and an error in it shows its own line', async () => {
  const cell = await kernel.begin(
    `async function* ticks() { for (let i = 0; ; i++) { await new Promise((r) => setTimeout(r, 20)); yield i } }
for await (const tick of ticks()) if (tick === 2) console.log('runs');`,
  );
  await cell.printed('runs');
  await kernel.interrupt();
  assert.equal((await cell.done).status, 'error');
  const failed = await kernel.run(
    `${steps}\nfor await (const n of steps(2)) {\n  if (n === 2) throw new RangeError('two');\n}`,
  );
  assert.match(failed.error, /RangeError: two\n\s+at cell \[\d+\], line 3/);
});

test('a wrong type in it is still told where it stands', async () => {
  const { error } = await kernel.run('for await (const n of 5) console.log(n);');
  assert.match(error, /^1:23 - Type '5' must have a '\[Symbol\.asyncIterator\]\(\)' method/);
});
