import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type Backend, createPool } from 'tslab-parallel';

// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are what this file is about.
type Any = any;

test('a wrong backend or option is refused by name, with what was expected and what came', () => {
  const refusals: [() => unknown, RegExp][] = [
    [
      () => createPool('threads' as Backend),
      /backend must be "serial", "async", .* got 'threads' \(string\)/,
    ],
    [() => createPool(undefined as Any), /backend must be .* got undefined/],
    [
      () => createPool('thread', { workers: 0 }),
      /workers must be a whole number, 1 or more; got 0 \(number\)/,
    ],
    [() => createPool('thread', { workers: 1.5 }), /workers must be .* got 1.5/],
    [() => createPool('thread', { workers: Number.NaN }), /workers must be .* got NaN/],
    [() => createPool('thread', { workers: '2' as Any }), /workers must be .* got '2' \(string\)/],
    [() => createPool('thread', { workers: Number.POSITIVE_INFINITY }), /workers must be .* got Infinity/],
    [() => createPool('process', { concurrency: -1 }), /concurrency must be .* got -1/],
    [() => createPool('process', { worker: 2 } as Any), /no "worker"; it takes workers, concurrency/],
    [() => createPool('process', { init: 5 as Any }), /init must be a function; got 5/],
    [() => createPool('process', 4 as Any), /createPool options must be an object; got 4/],
  ];
  for (const [call, message] of refusals) assert.throws(call, { name: 'TypeError', message });
  assert.equal(createPool('async', { workers: Number.POSITIVE_INFINITY }).workers, Number.POSITIVE_INFINITY);
});

test('wrong arguments of map are refused before anything runs', () => {
  const pool = createPool('serial');
  let calls = 0;
  const count = () => calls++;
  const refusals: [() => unknown, RegExp][] = [
    [
      () => pool.map(5 as Any, count),
      /items must be an iterable: an array, a Set, a generator; got 5 \(number\)/,
    ],
    [() => pool.map(null as Any, count), /items must be .* got null/],
    [() => pool.map({ length: 3 } as Any, count), /items must be an iterable/],
    [() => pool.map([1], 'count' as Any), /fn must be a function; got 'count' \(string\)/],
    [
      () => pool.map([1], count, { timeoutMs: 0 }),
      /timeoutMs must be a number of milliseconds above 0; got 0/,
    ],
    [() => pool.map([1], count, { retries: -1 }), /retries must be a whole number, 0 or more; got -1/],
    [() => pool.map([1], count, { chunkSize: 0 }), /chunkSize must be .* got 0/],
    [() => pool.map([1], count, { onError: 'ignore' as Any }), /onError must be "throw" or "collect"/],
    [() => pool.map([1], count, { signal: {} as Any }), /signal must be an AbortSignal/],
    [
      () => pool.map([1], count, { timeout: 5 } as Any),
      /map options has no "timeout"; it takes label, progress/,
    ],
  ];
  for (const [call, message] of refusals) assert.throws(call, { name: 'TypeError', message });
  assert.equal(calls, 0);
});

test('a run says how it stands, and that nobody waits for it', async () => {
  const run = createPool('serial').map([1, 2], (n) => n, { label: 'pairs' });
  assert.match(
    inspect(run),
    /^pairs: 0 of 2 done in a loop in .*, running\nNobody waits for it yet: write `await run`/,
  );
  await run;
  assert.match(inspect(run), /^pairs: 2 of 2 done in a loop in [\d.]+ (µs|ms)$/);
});
