import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { timeit } from 'tslab-parallel';

test('called once before the clock starts; median, least and most of what follows', async () => {
  let calls = 0;
  const timing = await timeit(
    async () => {
      calls++;
      await new Promise((resolve) => setTimeout(resolve, 3));
    },
    { times: 4 },
  );
  assert.equal(calls, 5);
  assert.equal(timing.values.length, 4);
  const sorted = [...timing.values].sort((a, b) => a - b);
  assert.deepEqual([timing.leastMs, timing.mostMs], [sorted[0], sorted[3]]);
  assert.equal(timing.medianMs, (sorted[1]! + sorted[2]!) / 2);
  assert.ok(timing.leastMs >= 2, 'a promise is waited for');
});

test('in a cell it is a sentence', async () => {
  const sum = () => 1 + 1;
  assert.match(inspect(await timeit(sum)), /^sum: \d+ µs \(median of 7, from \d+ µs to [\d.]+ [µm]s\)$/);
});

test('anything but a function, or a wrong number of times, is refused', async () => {
  await assert.rejects(timeit(5 as never), /timeit\(\) takes a function; got 5/);
  for (const times of [0, -1, 1.5, Number.NaN])
    await assert.rejects(
      timeit(() => 1, { times }),
      /times is a whole number, 1 or more; got/,
    );
  await assert.rejects(
    timeit(() => {
      throw new RangeError('on purpose');
    }),
    /on purpose/,
  );
});
