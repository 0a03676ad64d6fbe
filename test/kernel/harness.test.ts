/** What the other kernel tests rely on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel, room } from '../harness/kernel';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
});
after(() => kernel.close());

test('a cell shows its streams, its bundles and what updated them', async () => {
  const cell = await kernel.run(`
    import { display } from '${room('helper/notebook')}';
    display({ data: { 'text/plain': 'one' }, metadata: { 'text/plain': { a: 1 } } }, 'id');
    console.log('out'); console.log('more'); console.error('err');
    display({ data: { 'text/plain': 'two' } }, 'id', true);
    6 * 7`);
  assert.equal(cell.error, '');
  assert.deepEqual(cell.displays, [
    { type: 'display', data: { 'text/plain': 'two' }, metadata: {}, id: 'id', updates: 1 },
  ]);
  assert.match(cell.stdout, /^out\nmore\n.*42/s);
  assert.equal(cell.stderr, 'err\n');
  assert.ok(cell.ms > 0 && cell.ms < 60_000);

  await kernel.run(`display({ data: { 'text/plain': 'three' } }, 'id', true);`);
  assert.equal(cell.displays[0]?.data['text/plain'], 'three');
});

test('a failed cell says why, and the next one runs', async () => {
  const wrong = await kernel.run(`const n: number = 'word';`);
  assert.equal(wrong.ok, false);
  assert.match(wrong.error, /Type 'string' is not assignable to type 'number'/);
  const thrown = await kernel.run(`throw new Error('oops')`);
  assert.match(thrown.error, /oops/);
  assert.equal((await kernel.run('1 + 1')).ok, true);
});

test('interrupt ends a waiting cell', async () => {
  const cell = await kernel.begin(
    `setImmediate(() => console.log('ready')); await new Promise((r) => setTimeout(r, 60_000))`,
  );
  // Not before the event loop has turned: in the instant in which a cell's synchronous part ends, Node's vm loses the
  // signal (tslab alone: 4 of 23 tries).
  await cell.printed('ready');
  await kernel.interrupt();
  const result = await cell.done;
  assert.equal(result.status, 'error');
  assert.match(result.error, /Interrupted/);
});

test('children, restart and kill are seen', async () => {
  await kernel.run(`import { spawn } from 'node:child_process'; spawn('sleep', ['60']);`);
  assert.equal(kernel.children().length, 1);
  const { pid } = kernel;
  const { ms, stopMs, exitCode } = await kernel.restart();
  assert.ok(stopMs < ms);
  // A child process holds up plain tslab until it is terminated, unless the child heard the interrupt in time.
  assert.ok(exitCode === -15 || exitCode === 0, `exit code ${exitCode}`);
  assert.equal((await kernel.restart()).exitCode, 0);
  assert.notEqual(kernel.pid, pid);
  assert.equal((await kernel.run('6 * 8')).stdout.includes('48'), true);
  const cell = await kernel.begin('await new Promise((r) => setTimeout(r, 60_000))');
  kernel.kill();
  await assert.rejects(cell.done, /The kernel died/);
});
