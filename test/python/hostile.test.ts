/** Programs that print too much, leave broken lines, or give back what looks like our own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { python } from 'tslab-parallel/handbook';

const quiet = { quiet: true };

test('a value that looks like a large number comes back as it is, both ways', async () => {
  for (const value of [
    { __bigint__: 'zz' },
    { __bigint__: '0x10' },
    { __bigint__: { plain: 1 } },
    { a: [{ __bigint__: null }] },
    { __bigint__: 2n ** 70n },
    { __bigint__: 1, other: 2 },
  ]) {
    const run = await python('data', { ...quiet, input: value });
    assert.deepEqual(run.value, value);
  }
  assert.deepEqual((await python('{"__bigint__": "zz"}', quiet)).value, { __bigint__: 'zz' });
  assert.equal((await python('-(2 ** 80)', quiet)).value, -(2n ** 80n));
});

test('broken lines of spans are left out, and said', async (t) => {
  let said = '';
  t.mock.method(process.stderr, 'write', (text: string) => {
    said += text;
    return true;
  });
  const run = await python(
    `
import os, sys
import _tslab_parallel as runner
with open(os.path.join(runner.FOLDER, "spans.jsonl"), "a") as file:
    file.write('{"kind": "span", "label": "cut o\\n')
    file.write('null\\n[]\\n{"lane": 3}\\n')
with span("whole"):
    pass
1`,
    quiet,
  );
  t.mock.restoreAll();
  assert.equal(run.value, 1);
  assert.deepEqual(
    [...run.spans].map(({ label }) => label),
    ['whole'],
  );
  assert.match(said, /^4 blocks of the Python program's processes can't be read/);
});

test('of very much output the beginning and the end are kept, and what is left out is said', async () => {
  const before = process.memoryUsage().rss;
  const run = await python(
    'import sys\nfor _ in range(200): sys.stdout.write("x" * 999_999 + "\\n")\nprint("the end")',
    quiet,
  );
  assert.ok(run.output.length < 9_000_000, `${run.output.length} characters`);
  assert.match(run.output, /\n\[19\d{7} characters are left out here\]\n/);
  assert.match(run.output, /^x{1000}/);
  assert.match(run.output, /the end\n$/);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 150, `${grown.toFixed(0)} MiB more`);
});

test("Python does not get the cluster's secret", async () => {
  process.env.TSLAB_PARALLEL_SECRET = 'a secret that is long enough for it, surely';
  try {
    const run = await python('import os\n"TSLAB_PARALLEL_SECRET" in os.environ', quiet);
    assert.equal(run.value, false);
  } finally {
    delete process.env.TSLAB_PARALLEL_SECRET;
  }
});
