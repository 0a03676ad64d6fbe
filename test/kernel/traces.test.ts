/** An error shows the reader's own lines, and nothing of what lies beneath. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
  assert.equal(
    (await kernel.run(`import { createPool, fanOut } from 'tslab-parallel'; createPool;`)).error,
    '',
  );
});
after(() => kernel.close());

async function fails(code: string): Promise<string> {
  const { status, error } = await kernel.run(code);
  assert.equal(status, 'error', `it ran: ${code}`);
  return error.trim();
}

test('lines are those of the cell as it was written, in each cell that took part', async () => {
  const helpers = await kernel.run(`interface Size { width: number }

function width(size: Size): number {
  if (size.width < 0) throw new RangeError('too small');
  return size.width;
}`);
  assert.equal(helpers.error, '');
  const trace = await fails(`type Pair = [number, number];
const area = ([w, h]: Pair) => width({ width: w }) * h;

console.log(area([1, 2]));
area([-1, 2]);`);
  assert.match(
    trace,
    /^RangeError: too small\n {4}at width \(cell \[\d+\], line 4\)\n {4}at area \(cell \[\d+\], line 2\)\n {4}at cell \[\d+\], line 5$/,
  );
});

test('after an await, and of Node itself', async () => {
  const trace = await fails(`import { readFileSync } from 'node:fs';
await new Promise((resolve) => setTimeout(resolve, 1));
readFileSync('/nowhere/at/all');`);
  assert.match(trace, /^Error: ENOENT[^\n]*\n {4}at cell \[\d+\], line 3 \{/);
});

test('a refused option, and a function that can’t travel', async () => {
  assert.match(
    await fails(`\ncreatePool('thread', { workers: 0 });`),
    /^TypeError: workers must be [^\n]*\n {4}at cell \[\d+\], line 2$/,
  );
  const refused = await fails(`let total = 0;\ncreatePool('thread').map([1], (n) => { total += n; });`);
  assert.match(refused, /^CaptureError: `fn` can't run on a thread: it assigns to `total`/);
  assert.match(refused, /\n {2}line 2 of cell \[\d+\]: [^\n]*\n {4}at cell \[\d+\], line 2$/);
});

test('a failed request, without the transport’s own trace below it', async () => {
  for (const transport of ['node-fetch', 'undici']) {
    const trace = await fails(
      `await fanOut(['http://127.0.0.1:1/'], { retries: 0, transport: '${transport}' });`,
    );
    assert.match(trace, /^\[?RequestError: http:\/\/127\.0\.0\.1:1\/: the connection was refused/);
    assert.doesNotMatch(trace, /node_modules|\n\s+at /);
  }
});

test('what is no error, and one without a trace, stay what they are', async () => {
  assert.equal(await fails('throw 5'), '5');
  assert.match(
    await fails(`throw Object.assign(new Error('bare'), { stack: undefined })`),
    /^\[?Error: bare\]?/,
  );
});
