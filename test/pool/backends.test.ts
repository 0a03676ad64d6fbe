/** One suite over all backends: what `map`, `submit` and `close` promise, kept by each of them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CancelledError, createPool, ItemError, type Pool, TimeoutError } from 'tslab-parallel';
import { startCluster } from '../harness/cluster';
import { redisServer } from '../harness/requirements';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

for (const backend of ['serial', 'async', 'thread', 'process', 'cluster'] as const) {
  describe(backend, { skip: backend === 'cluster' && redisServer().skip }, () => {
    let pool: Pool;
    let end = async () => {};
    before(async () => {
      if (backend === 'cluster') end = await startCluster();
      pool = createPool(backend, { workers: 2 });
    });
    after(async () => {
      await pool.close();
      await end();
    });

    test('results are in input order', async () => {
      const waits = [40, 10, 30, 0, 20];
      const run = pool.map(waits, async (ms, index) => {
        await sleep(ms);
        return `${index}: ${ms}`;
      });
      assert.deepEqual(await run, ['0: 40', '1: 10', '2: 30', '3: 0', '4: 20']);
      assert.equal(run.record.status, 'done');
      assert.equal(run.record.ok, 5);
      assert.equal(run.record.total, 5);
    });

    test('many small items: each once, all spans together cover them', async () => {
      const run = pool.map(numbers(20_000), (n) => n * n);
      const squares = await run;
      assert.equal(squares.length, 20_000);
      assert.ok(squares.every((square, n) => square === n * n));
      let counted = 0;
      for (const span of run.record.spans) {
        counted += span.count;
        assert.ok(span.endMs >= span.startMs && span.startMs >= 0 && span.endMs <= run.record.wallMs);
        assert.equal(span.status, 'ok');
      }
      assert.equal(counted, 20_000);
    });

    test('very many numbers, the last item or some results something else, some failing', async () => {
      const count = backend === 'async' ? 3000 : 150_000;
      const many = numbers(count);
      const halves = await pool.map([...many, 'end'], (item) => (typeof item === 'number' ? item / 2 : item));
      assert.equal(halves.length, count + 1);
      assert.ok(halves.every((half, n) => half === (n === count ? 'end' : n / 2)));

      const words = await pool.map(Float32Array.from(many), (n) => (n % 1000 === 999 ? `${n}` : -n));
      assert.ok(words.every((word, n) => Object.is(word, n % 1000 === 999 ? `${n}` : -n)));

      const run = pool.map(
        many,
        (n) => {
          if (n % 1000 === 500) throw new RangeError(`not ${n}`);
          return n;
        },
        { onError: 'collect' },
      );
      const settled = await run;
      assert.equal(run.record.failed, count / 1000);
      for (const [n, one] of settled.entries()) {
        if (one.status === 'fulfilled') assert.equal(one.value, n);
        else {
          assert.equal(one.reason.message, `not ${n}`);
          assert.equal(one.reason.index, n);
        }
      }
      let read = 0;
      for await (const { index, value } of pool.map(many, (n) => n + 1).completed()) {
        assert.equal(value, index + 1);
        read++;
      }
      assert.equal(read, count);
    });

    test('completed() hands out each result once, with its index', async () => {
      const run = pool.map([30, 0, 10], async (ms) => {
        await sleep(ms);
        return ms;
      });
      const seen = new Map<number, number>();
      for await (const { index, value } of run.completed()) seen.set(index, value);
      assert.deepEqual([...seen].sort(), [
        [0, 30],
        [1, 0],
        [2, 10],
      ]);
      assert.deepEqual(await run, [30, 0, 10]);
    });

    test('a long item does not hold back the short ones before it, nor after it', {
      timeout: 20_000,
    }, async () => {
      // Many short ones first, so that they travel together.
      const waits = [...Array(40).fill(1), 60_000, ...Array(20).fill(1)];
      const run = pool.map(waits, (ms) =>
        // The long one must not keep this program alive either.
        ms === 1 ? sleep(1) : new Promise<void>((resolve) => setTimeout(resolve, ms).unref()),
      );
      let read = 0;
      for await (const { index } of run.completed()) {
        assert.notEqual(index, 40);
        if (++read === (backend === 'serial' ? 40 : 59)) break;
      }
      run.cancel();
      await assert.rejects(run, CancelledError);
    });

    test('any iterable: a Set, a generator, an asynchronous generator, a typed array, nothing', async () => {
      const twice = (n: number) => 2 * n;
      assert.deepEqual(await pool.map(new Set([1, 2]), twice), [2, 4]);
      assert.deepEqual(await pool.map(numbers(3).values(), twice), [0, 2, 4]);
      async function* slowly() {
        for (const n of [5, 6, 7]) {
          await sleep(2);
          yield n;
        }
      }
      assert.deepEqual(await pool.map(slowly(), twice), [10, 12, 14]);
      assert.deepEqual(await pool.map(Int32Array.of(3, 4), twice), [6, 8]);
      assert.deepEqual(await pool.map([], twice), []);
      assert.deepEqual(await pool.map((async function* () {})(), twice), []);
    });

    test('an endless input with keep: false ends with the reader', async () => {
      function* endless() {
        for (let n = 0; ; n++) yield n;
      }
      const run = pool.map(endless(), (n) => n, { keep: false });
      let read = 0;
      for await (const { index, value } of run.completed()) {
        assert.equal(index, value);
        if (++read === 5000) break;
      }
      assert.equal(run.record.status, 'cancelled');
      assert.equal(run.record.total, null);
      await assert.rejects(run, CancelledError);
    });

    test('keep: false without a reader runs everything and keeps nothing', async () => {
      const run = pool.map(numbers(3000), (n) => n, { keep: false });
      assert.deepEqual(await run, []);
      assert.equal(run.record.ok, 3000);
    });

    test('values of every common kind come back as they are', async () => {
      const values = [1, Number.NaN, -0, 7n, 'ga', undefined, null, true, [1, [2]], { a: { b: 1 } }];
      assert.deepEqual(await pool.map(values, (value) => value), values);
      const [map, date] = await pool.map([new Map([[1, 'a']]), new Date(5)], (value) => value);
      assert.deepEqual(map, new Map([[1, 'a']]));
      assert.deepEqual(date, new Date(5));
    });

    if (backend !== 'serial' && backend !== 'async') {
      test('what can’t travel is its own item’s failure, and is named', async () => {
        const word = (result?: PromiseSettledResult<unknown>) =>
          String((result as PromiseRejectedResult).reason);
        const given = await pool.map([[1], [new WeakMap()], [{ wait: Promise.resolve() }]], (item) => item, {
          onError: 'collect',
        });
        assert.equal(given[0]!.status, 'fulfilled');
        assert.match(word(given[1]), /`item 1\[0\]` can't go to a \w+: it is a WeakMap, .+ Use a Map\./);
        assert.match(word(given[2]), /`item 2\[0\]\.wait` can't go to a \w+: it is a Promise/);
        await assert.rejects(
          pool.submit((n: number, _: unknown) => n, 1, { seen: new WeakSet() }),
          /`arguments\[1\]\.seen` can't go to a \w+: it is a WeakSet/,
        );

        const made = await pool.map([0, 1], (n) => (n === 0 ? n : { seen: new WeakSet() }), {
          onError: 'collect',
        });
        assert.equal(made[0]!.status, 'fulfilled');
        assert.match(
          word(made[1]),
          /`result\.seen` can't come back from a \w+: it is a WeakSet, which can't leave its worker\. Return /,
        );
      });
    }

    test('a failure ends the run with the error that was thrown, its class, index and item', async () => {
      const run = pool.map(numbers(100), async (n) => {
        await sleep(1);
        if (n === 7) throw new RangeError('seven', { cause: 'a reason' });
        return n;
      });
      await assert.rejects(run, (error: RangeError & { index: number; item: string }) => {
        assert.ok(error instanceof RangeError);
        assert.equal(error.message, 'seven');
        assert.equal(error.cause, 'a reason');
        assert.equal(error.index, 7);
        assert.equal(error.item, 7);
        assert.doesNotMatch(error.stack ?? '', /src[\\/]dist|workerpool/);
        return true;
      });
      assert.equal(run.record.status, 'failed');
      assert.ok([...run.record.spans].some((span) => span.index === 7 && span.status === 'failed'));
      assert.deepEqual(await pool.map([1], (n) => n), [1]);
    });

    test('anything can be thrown', async () => {
      const run = pool.map(
        [0, 1, 2, 3, 4],
        async (n) => {
          if (n === 0) throw null;
          if (n === 1) throw 'words';
          if (n === 2) await Promise.reject(undefined);
          if (n === 3) {
            throw Object.defineProperty({}, 'message', {
              get() {
                throw new Error('trap');
              },
            });
          }
          return n;
        },
        { onError: 'collect' },
      );
      const results = await run;
      for (const result of results.slice(0, 4)) {
        assert.equal(result.status, 'rejected');
        assert.ok(result.status === 'rejected' && result.reason instanceof Error);
      }
      assert.ok(results[0]?.status === 'rejected' && results[0].reason instanceof ItemError);
      assert.match(
        String(results[1]?.status === 'rejected' && results[1].reason),
        /item 1 \(1\) threw 'words'/,
      );
      assert.deepEqual(results[4], { status: 'fulfilled', value: 4 });
      assert.equal(run.record.failed, 4);
      assert.equal(run.record.status, 'done');
    });

    test('retries try again, and every attempt is on the record', async () => {
      const run = pool.map(
        ['a', 'b'],
        (name) => {
          if (name === 'b') throw new Error('always');
          return name;
        },
        { retries: 2, onError: 'collect' },
      );
      const results = await run;
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
      const attempts = [...run.record.spans].filter(({ index }) => index === 1).map(({ attempt }) => attempt);
      assert.deepEqual(attempts, [1, 2, 3]);
    });

    test('a waiting item that takes longer than timeoutMs fails alone', async () => {
      const run = pool.map(
        [1, 5000, 1],
        async (ms) => {
          await sleep(ms);
          return ms;
        },
        { timeoutMs: 300, onError: 'collect' },
      );
      const results = await run;
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.ok(results[1]?.status === 'rejected' && results[1].reason instanceof TimeoutError);
    });

    test('cancel ends one run and leaves the others', async () => {
      const slow = pool.map(numbers(50), () => sleep(200));
      const other = pool.map(numbers(10), async (n) => {
        await sleep(5);
        return n;
      });
      await sleep(50);
      slow.cancel('enough');
      await assert.rejects(slow, /"run" was cancelled, \d+ of 50 done: enough/);
      assert.deepEqual(await other, numbers(10));
      const { status, ok, failed, cancelled } = slow.record;
      assert.equal(status, 'cancelled');
      assert.equal(ok + failed + cancelled, 50);
    });

    test('an AbortSignal cancels with its reason, also when it is aborted already', async () => {
      const controller = new AbortController();
      const run = pool.map(numbers(50), () => sleep(200), { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('from outside')), 20);
      await assert.rejects(run, /from outside/);
      await assert.rejects(
        pool.map([1], (n) => n, { signal: AbortSignal.abort(new Error('before')) }),
        /before/,
      );
    });

    test('submit calls with its arguments', async () => {
      assert.equal(await pool.submit((a: number, b: number) => a + b, 2, 3), 5);
      await assert.rejects(
        pool.submit(() => {
          throw new SyntaxError('no');
        }),
        SyntaxError,
      );
    });

    test('an input that throws fails the run', async () => {
      function* broken() {
        yield 1;
        throw new Error('no more');
      }
      await assert.rejects(
        pool.map(broken(), (n) => n),
        /no more/,
      );
    });

    test('init runs once a worker, and its value reaches the function', async () => {
      const own: Pool<{ calls: number }> = createPool(backend, {
        workers: 2,
        init: async () => {
          await sleep(1);
          return { calls: 0 };
        },
      });
      const lanes = await own.map(numbers(6), async (_n, _index, { lane, local }) => {
        await sleep(5);
        local.calls++;
        return { lane, calls: local.calls };
      });
      assert.ok(lanes.every(({ calls }) => calls >= 1));
      assert.ok(lanes.some(({ calls }) => calls > 1));
      await own.close();
      assert.throws(() => own.map([1], (n) => n), /closed/);
    });

    test('ready starts the workers, once for all', async () => {
      const own = createPool(backend, { workers: 2, init: () => performance.now() });
      await own.ready();
      const began = await own.map([1, 2], (_n, _index, { local }) => local);
      assert.ok(began.every((ms) => typeof ms === 'number'));
      await own.close();
      await assert.rejects(own.ready(), /closed/);
    });

    test('ready also where a worker is idle for longer than idleMs before all are up', async () => {
      const turn = new SharedArrayBuffer(4);
      const init =
        backend === 'thread'
          ? async () => sleep(Atomics.add(new Int32Array(turn), 0, 1) * 300)
          : () => sleep((process.pid % 2) * 300);
      const own = createPool(backend, { workers: 2, idleMs: 20, init });
      await own.ready();
      await own.map([1, 2], (n) => n);
      await own.close();
    });

    test('an init that fails, fails the run', async () => {
      const own = createPool(backend, {
        init: () => {
          throw new Error('no database');
        },
      });
      await assert.rejects(
        own.map([1], (n) => n),
        /no database/,
      );
      await own.close();
    });

    test('close waits for what is running', async () => {
      const own = createPool(backend, { workers: 2 });
      const run = own.map(numbers(4), async (n) => {
        await sleep(30);
        return n;
      });
      await own.close();
      assert.equal(run.record.status, 'done');
      assert.deepEqual(await run, numbers(4));
    });

    test('own work can be put on the record', async () => {
      const run = pool.map([20, 20], (ms) => sleep(ms));
      const value = run.record.measure('beside', () => 42, { lane: 'main thread' });
      await run;
      assert.equal(value, 42);
      const own = [...run.record.spans].find(({ lane }) => lane === 'main thread');
      assert.equal(own?.label, 'beside');
      assert.equal(run.record.ok, 2);
    });
  });
}
