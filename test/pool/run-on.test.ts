import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOn } from 'tslab-parallel';

const square = (n: number) => n * n;

test('the same work on each backend, labelled by its name, with the workers up before the clock starts', async () => {
  const runs = await runOn(['serial', 'async', 'thread', 'process'], [1, 2, 3], square, { workers: 2 });
  assert.deepEqual(
    runs.map(({ record }) => [record.label, record.backend, record.status]),
    ['serial', 'async', 'thread', 'process'].map((name) => [name, name, 'done']),
  );
  for (const run of runs) assert.deepEqual(await run, [1, 4, 9]);
});

test('labels of one’s own, and options of one pool', async () => {
  const runs = await runOn({ loop: 'serial', three: { backend: 'thread', workers: 3 } }, [1, 2], square, {
    workers: 1,
  });
  assert.deepEqual(
    runs.map(({ record }) => [record.label, record.workers]),
    [
      ['loop', 1],
      ['three', 3],
    ],
  );
});

test('items that can be read only once are the same for all', async () => {
  async function* numbers() {
    yield 2;
    yield 3;
  }
  for (const run of await runOn(['serial', 'async'], numbers(), square)) assert.deepEqual(await run, [4, 9]);
});

test('one run at a time', async () => {
  let atWork = 0;
  let most = 0;
  await runOn(['serial', { backend: 'async', workers: 1 }, 'serial'], [1, 2, 3], async () => {
    most = Math.max(most, ++atWork);
    await new Promise((resolve) => setTimeout(resolve, 2));
    atWork--;
  });
  assert.equal(most, 1);
});

test('a wrong argument is refused before anything starts', async () => {
  let calls = 0;
  const count = () => ++calls;
  // biome-ignore lint/suspicious/noExplicitAny: what a reader without types may give
  const wrong: [any, any, any, RegExp][] = [
    [[], [1], {}, /backends must be a list such as \['serial', 'thread'\]/],
    [['serial', 'threads'], [1], {}, /backend must be .*"thread".*; got 'threads'/],
    [['serial', {}], [1], {}, /backend must be .*; got undefined/],
    [['serial'], 5, {}, /items must be an iterable/],
    [['serial'], [1], { label: 'a' }, /runOn options has no "label"/],
    [['serial'], [1], { workers: 0.5 }, /workers must be a whole number/],
    [['serial'], [1], { retries: -1 }, /retries must be a whole number/],
  ];
  for (const [backends, items, options, message] of wrong)
    await assert.rejects(runOn(backends, items, count, options), message);
  assert.equal(calls, 0);
});

test('a failure is the failure of that run', async () => {
  const fail = () => {
    throw new RangeError('on purpose');
  };
  await assert.rejects(runOn(['serial', 'thread'], [1], fail), /on purpose/);
  const [run] = await runOn(['serial'], [1], fail, { onError: 'collect' });
  assert.equal(run?.record.failed, 1);
});
