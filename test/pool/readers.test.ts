/** Readers of `completed()`: a run waits for its reader, and ends with it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CancelledError, createPool, fanOut, parmap, track } from 'tslab-parallel';
import { startSite } from 'tslab-parallel/handbook';
import { eventually } from '../harness/processes';

const backends = ['serial', 'async', 'thread', 'process'] as const;
const double = (n: number) => n * 2;
const forever = (n: number) => {
  while (n > 3);
  return n;
};
const never = (n: number) => (n > 3 ? new Promise<number>(() => {}) : n);

/** How many runs are left early on each backend: few on a reader's machine, more in the gate. */
const LEAVERS = Number(process.env.EARLY_LEAVERS ?? 30);

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
function heapUsed(): number {
  gc();
  return process.memoryUsage().heapUsed;
}

/** Neither this process with its threads nor those that it started use the processor, for 100 ms. */
async function isIdle(): Promise<boolean> {
  const before = processorMs();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return processorMs() - before <= 30;
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  let ms = (user + system) / 1000;
  if (process.platform !== 'linux') return ms;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // After the name: the state, the parent, … and from the 12th on the processor's time, in hundredths of a second.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      if (Number(fields[1]) === process.pid) ms += 10 * (Number(fields[11]) + Number(fields[12]));
    } catch {
      // It has ended.
    }
  }
  return ms;
}

/** Endless, and knows how it went. */
function counter() {
  const state = { pulled: 0, closed: 0 };
  function* numbers() {
    try {
      while (true) yield state.pulled++;
    } finally {
      state.closed++;
    }
  }
  async function* later() {
    try {
      while (true) yield state.pulled++;
    } finally {
      state.closed++;
    }
  }
  return { state, numbers, later };
}

for (const backend of backends) {
  suite(backend, () => {
    for (const keep of [true, false]) {
      for (const kind of ['numbers', 'later'] as const) {
        test(`left early: the run ends and closes its source (keep ${keep}, ${kind})`, async () => {
          const { state, [kind]: source } = counter();
          const run = createPool(backend, { workers: 2 }).map(source(), double, { keep });
          for await (const { index, value } of run.completed()) {
            assert.equal(value, index * 2);
            if (index === 3) break;
          }
          await assert.rejects(run, (error: Error) => {
            assert.ok(error instanceof CancelledError);
            assert.match(error.message, /nobody reads its results any more/);
            return true;
          });
          assert.equal(run.record.status, 'cancelled');
          assert.ok(await eventually(() => state.closed === 1), 'the source is not closed');
          const { pulled } = state;
          await new Promise((resolve) => setTimeout(resolve, 30));
          assert.equal(state.pulled, pulled);
        });
      }
    }

    test('what throws in the loop ends it too', async () => {
      const { state, numbers } = counter();
      const run = createPool(backend, { workers: 2 }).map(numbers(), double);
      await assert.rejects(async () => {
        for await (const _ of run.completed()) throw new RangeError('mine');
      }, /mine/);
      assert.ok(await eventually(() => state.closed === 1), 'the source is not closed');
      assert.equal(run.record.status, 'cancelled');
    });

    test('a run that somebody awaits, or another reader reads, goes on', async () => {
      const items = Array.from({ length: 500 }, (_, n) => n);
      const awaited = createPool(backend, { workers: 2 }).map(new Set(items), double);
      const all = awaited.then((values) => values.length);
      for await (const _ of awaited.completed()) break;
      assert.equal(await all, 500);

      const shared = createPool(backend, { workers: 2 }).map(
        (function* () {
          yield* items;
        })(),
        double,
      );
      const other = (async () => {
        let count = 0;
        for await (const _ of shared.completed()) count++;
        return count;
      })();
      for await (const _ of shared.completed()) break;
      assert.equal(await other, 500);
      assert.equal(shared.record.status, 'done');
    });

    test('a run waits for a slow reader: a few batches are pulled ahead, no more', async () => {
      for (const keep of [true, false]) {
        const { state, numbers } = counter();
        const run = createPool(backend, { workers: 2 }).map(numbers(), double, { keep });
        let read = 0;
        for await (const _ of run.completed()) {
          if (++read === 50) break;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        assert.ok(state.pulled <= 50 + 4 * 64 * 2, `${state.pulled} pulled for 50 (keep ${keep})`);
      }
    });

    test('large results are bounded by memory', async () => {
      const { state, numbers } = counter();
      const megabyte = (n: number) => new Uint8Array(2 ** 20).fill(n);
      const run = createPool(backend, { workers: 2 }).map(numbers(), megabyte, { bufferMb: 8, keep: false });
      let read = 0;
      for await (const { value } of run.completed()) {
        assert.equal(value.length, 2 ** 20);
        if (++read === 5) await new Promise((resolve) => setTimeout(resolve, 200));
        if (read === 6) break;
      }
      assert.ok(state.pulled < 60, `${state.pulled} MB for 6`);
    });

    test('asked for and never read, the results don’t hold up who awaits', async () => {
      const run = createPool(backend, { workers: 2 }).map(
        Array.from({ length: 3000 }, (_, n) => n),
        double,
        { keep: false },
      );
      const reader = run.completed();
      assert.deepEqual(await run, []);
      let count = 0;
      for await (const _ of reader) count++;
      assert.equal(count, 3000, 'and they are all there');
    });

    test('every result once, in every order of reading', async () => {
      function* some() {
        for (let n = 0; n < 20_000; n++) yield n;
      }
      for (const keep of [true, false]) {
        const run = createPool(backend, { workers: 2 }).map(some(), double, { keep });
        const seen = new Set<number>();
        for await (const { index, value } of run.completed()) {
          assert.equal(value, 2 * index);
          seen.add(index);
        }
        assert.equal(seen.size, 20_000);
      }
    });

    test(`of ${LEAVERS} runs left early nothing is left`, { timeout: 600_000 }, async (t) => {
      const pool = createPool(backend, { workers: 2 });
      // The last of them with items that go on: on threads and in processes even those that compute.
      const stuck = backend === 'thread' || backend === 'process' ? forever : never;
      const leave = async (times: number) => {
        let closed = 0;
        for (let time = 0; time < times; time++) {
          const { state, [time % 2 ? 'numbers' : 'later']: source } = counter();
          const run = pool.map(source(), time % 50 === 49 || time === times - 1 ? stuck : double);
          for await (const _ of run.completed()) break;
          assert.equal(run.record.status, 'cancelled');
          if (await eventually(() => state.closed === 1)) closed++;
        }
        assert.equal(closed, times, 'sources closed');
      };
      await leave(10);
      const heap = heapUsed();
      const open = process.getActiveResourcesInfo().length;
      await leave(LEAVERS);
      const leftMs = performance.now();
      assert.ok(await eventually(isIdle), 'a worker is still busy');
      t.diagnostic(`idle for 100 ms after ${(performance.now() - leftMs).toFixed(0)} ms`);
      const mb = (heapUsed() - heap) / 2 ** 20;
      t.diagnostic(`${mb.toFixed(1)} MiB more of the heap`);
      assert.ok(mb < 5, `${mb} MiB more of the heap`);
      const now = process.getActiveResourcesInfo();
      assert.ok(now.length <= open + 4, `${now.length} open, ${open} before: ${now}`);
      assert.equal((await pool.map([1], double))[0], 2);
    });
  });
}

test('a fan-out, parmap and track are left the same way', async () => {
  const site = await startSite({ pages: 5, latencyMs: 1 });
  try {
    const { state, numbers } = counter();
    function* urls() {
      try {
        for (const n of numbers()) yield site.urls[n % 5]!;
      } finally {
        state.closed++;
      }
    }
    const run = fanOut(urls(), { concurrency: 2 });
    for await (const _ of track(run.completed())) break;
    assert.equal(run.record.status, 'cancelled');
    assert.ok(await eventually(() => state.closed === 2), 'the source is not closed');
  } finally {
    await site.close();
  }
  const { state, numbers } = counter();
  const run = parmap(numbers(), double);
  for await (const _ of run.completed()) break;
  assert.ok(await eventually(() => state.closed === 1), 'the source is not closed');
  assert.equal(run.record.status, 'cancelled');
});

test('one listener for a signal, however many runs have it, and none afterwards', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const before = countOf(signal);
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  const pool = createPool('async');
  const slow = () => new Promise((resolve) => setTimeout(resolve, 20));
  const runs = Array.from({ length: 50 }, () => pool.map([1, 2], slow, { signal }));
  assert.equal(countOf(signal), before + 1);
  await Promise.all(runs);
  assert.equal(countOf(signal), before);
  const cut = Array.from({ length: 50 }, () => pool.map([1, 2], slow, { signal }));
  controller.abort(new RangeError('enough'));
  for (const run of cut) await assert.rejects(run, /enough/);
  assert.equal(countOf(signal), before);
  process.off('warning', warned);
  assert.deepEqual(warnings, []);
});

function countOf(signal: AbortSignal): number {
  const { getEventListeners } = require('node:events') as typeof import('node:events');
  return getEventListeners(signal, 'abort').length;
}
