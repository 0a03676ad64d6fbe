/** `name` and `warm`, what a record tells of itself, and options that only some backends have. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Backend, createPool, timeline } from 'tslab-parallel';

for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
  suite(`names, ${backend}`, () => {
    test('name() names the blocks and is not called where nobody sees it', async () => {
      const orders = [{ dish: 'ramyeon' }, { dish: 'fried rice' }];
      const run = createPool(backend, { workers: 2 }).map(
        orders,
        async ({ dish }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          if (dish === 'fried rice') throw new Error('burnt');
          return dish;
        },
        { name: ({ dish }, index) => `${index} ${dish}`, onError: 'collect' },
      );
      await run;
      assert.deepEqual(run.record.spans.map(({ label }) => label).sort(), ['0 ramyeon', '1 fried rice']);
      assert.match(JSON.stringify(timeline(run).spec), /0 ramyeon/);
    });

    test('warm: the clock starts when the workers are up', async () => {
      const init = async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return Math.random();
      };
      const run = createPool(backend, { workers: 1, init }).map([1, 2], (n) => n * 2, { warm: true });
      assert.deepEqual(await run, [2, 4]);
      assert.ok(run.record.wallMs < 250, `${run.record.wallMs} ms`);
      assert.ok(run.record.spans.every(({ startMs }) => startMs >= 0 && startMs < 250));
      await assert.rejects(
        createPool(backend, {
          init: () => {
            throw new Error('no database');
          },
        }).map([1], (n) => n, { warm: true }),
        /no database/,
      );
    });
  });
}

test('parallelism and relabel', async () => {
  const wait = () => new Promise((resolve) => setTimeout(resolve, 60));
  const items = [1, 2, 3, 4];
  const loop = createPool('serial').map(items, wait);
  await loop;
  const all = createPool('async').map(items, wait);
  await all;
  assert.ok(loop.record.parallelism <= 1.01, `${loop.record.parallelism}`);
  assert.ok(all.record.parallelism > 2 && all.record.parallelism <= 4.01, `${all.record.parallelism}`);
  const renamed = all.record.relabel(({ index }) => `job ${index + 1}`);
  assert.deepEqual(renamed.spans.map(({ label }) => label).sort(), ['job 1', 'job 2', 'job 3', 'job 4']);
  assert.equal(renamed.wallMs, all.record.wallMs);
});

test('a backend takes only its own options, and says whose the others are', () => {
  const wrong: [Backend, object, RegExp][] = [
    [
      'thread',
      { redis: 'redis://localhost' },
      /createPool\("thread"\) has no "redis"; it is an option of "cluster"\./,
    ],
    [
      'serial',
      { memoryMb: 64 },
      /createPool\("serial"\) has no "memoryMb"; it is an option of "thread", "process", "cluster"\./,
    ],
    ['async', { memoryMb: 64 }, /"async"/],
    ['process', { name: 'mine' }, /has no "name"/],
    ['thread', { secretFile: 'x' }, /has no "secretFile"/],
  ];
  for (const [backend, options, words] of wrong) assert.throws(() => createPool(backend, options), words);
  assert.throws(
    () => createPool('serial').map([1], (n) => n, { name: 'x' as never }),
    /name must be a function/,
  );
  assert.throws(
    () => createPool('serial').map([1], (n) => n, { warm: 1 as never }),
    /warm must be true or false/,
  );
});
