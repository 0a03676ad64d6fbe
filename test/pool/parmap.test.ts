import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { parmap } from 'tslab-parallel';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

test('trivial work stays a loop in the kernel', async () => {
  for (const count of [0, 1, 7, 1000, 300_000]) {
    // It decides by time, and a busy machine may disturb one run: it has to be a loop in one of five.
    const backends: string[] = [];
    while (backends.length < 5 && !backends.includes('serial')) {
      const run = parmap(numbers(count), (n) => n * n);
      const squares = await run;
      assert.equal(squares.length, count);
      assert.ok(squares.every((square, n) => square === n * n));
      assert.equal(run.record.ok, count);
      backends.push(run.record.backend);
    }
    assert.ok(backends.includes('serial'), `${count} items: ${backends.join(', ')}`);
  }
});

test('computing goes to threads, and every item is done once', async () => {
  const run = parmap(numbers(100), (n) => {
    let sum = n;
    for (let i = 0; i < 6_000_000; i++) sum += i % 2;
    return sum;
  });
  const sums = await run;
  assert.deepEqual(
    sums,
    numbers(100).map((n) => n + 3_000_000),
  );
  assert.equal(run.record.backend, 'thread');
  assert.match(run.record.why ?? '', /^on \d+ threads: an item takes about .*, which is worth sharing$/);
  assert.equal(run.record.ok, 100);
});

test('waiting becomes async', async () => {
  const run = parmap(numbers(20), async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 40));
    return n;
  });
  assert.deepEqual(await run, numbers(20));
  assert.equal(run.record.backend, 'async');
  assert.match(run.record.why ?? '', /^async: an item waits \d+ % of its/);
});

test('a first item that takes long does not freeze the kernel', async () => {
  let last = performance.now();
  let frozenMs = 0;
  const timer = setInterval(() => {
    frozenMs = Math.max(frozenMs, performance.now() - last);
    last = performance.now();
  }, 5);
  const run = parmap([1, 2], (n) => {
    const end = Date.now() + 3000;
    while (Date.now() < end);
    return n;
  });
  assert.deepEqual(await run, [1, 2]);
  clearInterval(timer);
  assert.equal(run.record.backend, 'thread');
  assert.ok(frozenMs < 2500, `the kernel was frozen for ${frozenMs} ms`);
});

test('what can’t travel stays here, and why says so', async () => {
  const server = createServer();
  const run = parmap(numbers(3), (n) => {
    const end = Date.now() + 100;
    while (Date.now() < end);
    return server.listening ? 0 : n;
  });
  assert.deepEqual(await run, numbers(3));
  assert.equal(run.record.backend, 'serial');
  assert.match(run.record.why ?? '', /in the kernel: .*server/);
});

test('a failure names its item, on whichever side', async () => {
  const run = parmap(numbers(10), (n) => {
    if (n === 3) throw new RangeError('three');
    return n;
  });
  await assert.rejects(run, (error: RangeError & { index: number }) => {
    assert.ok(error instanceof RangeError);
    assert.equal(error.index, 3);
    return true;
  });
});

test('collect, retries, timeouts and other iterables go the general way', async () => {
  const results = await parmap(
    new Set([1, 2]),
    (n) => {
      if (n === 2) throw new Error('two');
      return n;
    },
    { onError: 'collect' },
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
});

test('wrong arguments are refused', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a wrong argument.
  const wrong = (...args: any[]) => (parmap as (...args: any[]) => unknown)(...args);
  assert.throws(() => wrong(5, (n: number) => n), /items must be an iterable/);
  assert.throws(() => wrong([1], 5), /fn must be a function/);
  assert.throws(() => wrong([1], (n: number) => n, { workers: 0 }), /workers must be/);
  assert.throws(() => wrong([1], (n: number) => n, 5), /parmap options must be an object/);
});
