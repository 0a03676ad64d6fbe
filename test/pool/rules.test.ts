/**
 * What no result shows: who is started when, how often, and who has to wait for whom. Each of these rules was broken by hand
 * once, and nothing noticed. Counted where possible: a busy machine may make things late, it makes nothing more or fewer.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, type Pool, parmap, type Run } from 'tslab-parallel';

const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-rules-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
/** A file to which any thread or process can add a line. */
function diary() {
  const path = join(folder, `${++files}`);
  writeFileSync(path, '');
  return { path, lines: () => readFileSync(path, 'utf8').split('\n').slice(0, -1) };
}

/** Takes so long, on any machine, and computes all the while. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Milliseconds of the processor, of this process with its threads. */
async function spent(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const spans = (run: Run<unknown>) => [...run.record.spans].sort((a, b) => a.startMs - b.startMs);
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
  const isElsewhere = backend === 'thread' || backend === 'process';
  suite(backend, () => {
    test('init runs once a worker: by ready(), or by the first run, and never again', async () => {
      const { path, lines } = diary();
      const init = () => {
        const { appendFileSync } = require('node:fs');
        const { threadId } = require('node:worker_threads');
        appendFileSync(path, `${process.pid}/${threadId}\n`);
        return { born: `${process.pid}/${threadId}` };
      };
      const pool = createPool(backend, { workers: 3, concurrency: isElsewhere ? 2 : undefined, init });
      assert.equal(lines().length, 0, 'before anything was asked for');
      await pool.ready();
      const first = lines();
      assert.equal(first.length, isElsewhere ? 3 : 1, 'by ready()');
      assert.equal(new Set(first).size, first.length, 'one for each worker');
      await pool.ready();
      for (let time = 0; time < 3; time++) {
        const born = await pool.map(
          Array.from({ length: 12 }, () => 2),
          async (ms, _index, { local }) => {
            await new Promise((resolve) => setTimeout(resolve, ms));
            return local.born;
          },
        );
        for (const one of born) assert.ok(first.includes(one), `${one} is none of ${first}`);
      }
      assert.deepEqual(lines(), first, 'and never again');
      const lazy = diary();
      const once = createPool(backend, {
        workers: 1,
        init: () => require('node:fs').appendFileSync(lazy.path, 'here\n'),
      });
      await Promise.all([once.map([1, 2], () => 1), once.submit(() => 2), once.map([3], () => 3)]);
      assert.equal(lazy.lines().length, 1, 'by several runs at once');
    });

    test('runs of one pool take turns: a short one is not kept waiting by an endless one', async () => {
      const pool = createPool(backend, { workers: 2 });
      const endless = pool.map(naturals(), (n) => new Promise((resolve) => setTimeout(resolve, 1, n)));
      endless.catch(() => {});
      while (endless.record.ok < 5) await sleep(5);
      const short = await pool.map([1, 2, 3, 4, 5, 6], (n) => n * n);
      assert.deepEqual(short, [1, 4, 9, 16, 25, 36]);
      const { ok } = endless.record;
      while (endless.record.ok < ok + 5) await sleep(5);
      endless.cancel();
    });

    test('what failed is tried again after a pause, each time a longer one, and not all at once', async () => {
      const pool = createPool(backend, { workers: 2 });
      const fails = () => {
        throw new Error('again');
      };
      const run = pool.map(new Array(60).fill(0), fails, { retries: 3, onError: 'collect' });
      await run;
      const attempts = new Map<number, { startMs: number; endMs: number }[]>();
      for (const { index, attempt, startMs, endMs } of run.record.spans) {
        attempts.set(index, attempts.get(index) ?? []);
        attempts.get(index)![attempt - 1] = { startMs, endMs };
      }
      const pause = (attempt: number) =>
        [...attempts.values()].map((all) => all[attempt]!.startMs - all[attempt - 1]!.endMs);
      assert.equal(attempts.size, 60);
      // Up to 50, 100 and 200 ms, evenly spread: the medians of 60 are nowhere near 0 (once in 10^12).
      assert.ok(median(pause(1)) > 3, `${median(pause(1))} ms before the second attempt`);
      assert.ok(median(pause(3)) > 40, `${median(pause(3))} ms before the fourth attempt`);
      const third = pause(3);
      assert.ok(Math.max(...third) - Math.min(...third) > 40, 'they come back together');
    });

    test('queuedMs is how long an item waited for its turn', async () => {
      const pool = createPool(backend, { workers: 1 });
      const run = pool.map([0, 1, 2], () => new Promise<void>((resolve) => setTimeout(resolve, 20)), {
        chunkSize: 1,
      });
      await run;
      // All were there from the beginning. The column is of single precision.
      for (const { index, queuedMs, startMs } of spans(run)) {
        assert.ok(Math.abs(queuedMs - startMs) < 0.1, `item ${index}: ${queuedMs} of ${startMs} ms`);
      }
      assert.ok(spans(run)[2]!.queuedMs >= 35);
      // Those of a source whose end is not known were there when they were pulled.
      const lazy = createPool(backend, { workers: 1 }).map(
        slowly(4, 30),
        () => new Promise<void>((resolve) => setTimeout(resolve, 1)),
      );
      await lazy;
      const last = spans(lazy)[3]!;
      assert.ok(last.startMs >= 80 && last.queuedMs < last.startMs - 50, `${last.queuedMs} ms`);
    });
  });
}

for (const backend of ['thread', 'process'] as const) {
  suite(backend, () => {
    test('a batch is short: another run is not kept waiting', async () => {
      const pool = createPool(backend, { workers: 1 });
      const long = pool.map(new Array(20_000).fill(1), spin);
      long.catch(() => {});
      while (long.record.ok < 200) await sleep(5);
      const askedMs = long.record.now();
      await pool.submit(() => 1);
      const answeredMs = long.record.now();
      long.cancel();
      const between = spans(long).filter(({ startMs, endMs }) => startMs > askedMs && endMs < answeredMs);
      // Items of a millisecond: a batch of 15 ms has 15. The one under way, and another one's turn.
      assert.ok(between.length < 200, `${between.length} ms of work went first`);
    });

    test('a worker is sent once what it needs: code and values that it has are not sent again', async (t) => {
      const pool = createPool(backend, { workers: 1 });
      const bytes = new Uint8Array(32 * 2 ** 20).fill(7);
      const use = (n: number) => bytes[n]!;
      const batches = (count: number) =>
        spent(async () => {
          const items = Array.from({ length: count }, (_, n) => n);
          assert.equal((await pool.map(items, use, { chunkSize: 1 })).length, count);
        });
      await batches(1);
      // Sending is copying: then forty batches would take as much of the processor as forty copies, and more.
      const copiesMs = await spent(async () => {
        for (let n = 0; n < 40; n++) structuredClone(bytes);
      });
      const moreMs = (await batches(41)) - (await batches(1));
      t.diagnostic(`${moreMs.toFixed(0)} ms for 40 batches, ${copiesMs.toFixed(0)} ms for 40 copies`);
      assert.ok(moreMs < copiesMs / 2, `${moreMs} ms of the processor, where copies take ${copiesMs} ms`);
      bytes[1] = 8;
      assert.deepEqual(await pool.map([1], use), [8], 'what has changed is sent');
    });
  });
}

test('parmap gives an item up in the kernel after 60 ms', async () => {
  // Counts the milliseconds in which the item really ran there: on a busy machine fewer, never more.
  const ticks = new Int32Array(new SharedArrayBuffer(4));
  const run = parmap([1, 2], (n) => {
    const isKernel = require('node:worker_threads').isMainThread;
    const end = Date.now() + 3000;
    for (let last = Date.now(); last < end; ) {
      const now = Date.now();
      if (now !== last && isKernel) ticks[0]!++;
      last = now;
    }
    return n;
  });
  assert.deepEqual(await run, [1, 2]);
  assert.equal(run.record.backend, 'thread');
  assert.ok(ticks[0]! <= 150, `the kernel was frozen for ${ticks[0]} ms`);
});

test('failures are cheap, in a script too: the file of a function is asked for once', async (t) => {
  const path = join(folder, 'fails.js');
  writeFileSync(path, 'exports.fails = () => {\n  throw new Error("in this file");\n};\n');
  const { fails } = require(path) as { fails: () => never };
  const pool = createPool('thread', { workers: 1 });
  await pool.map([1, 2, 3], () => 1);
  const failing = (count: number) =>
    spent(async () => {
      const results = await pool.map(new Array(count).fill(0), fails, { onError: 'collect' });
      for (const result of results)
        assert.match((result as PromiseRejectedResult).reason.stack, /fails\.js:2/);
    });
  const firstMs = await failing(1);
  const manyMs = await failing(300);
  t.diagnostic(`the first ${firstMs.toFixed(1)} ms, 300 more ${manyMs.toFixed(1)} ms`);
  assert.ok(manyMs < 75 * firstMs, `${manyMs} ms for 300, ${firstMs} ms for the first`);
});

test('ready() waits for what takes long', async () => {
  for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
    const { path, lines } = diary();
    const pool: Pool<void> = createPool(backend, {
      workers: 2,
      init: async () => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        require('node:fs').appendFileSync(path, 'up\n');
      },
    });
    await pool.ready();
    assert.equal(lines().length, backend === 'thread' || backend === 'process' ? 2 : 1, backend);
  }
});

function* naturals(): Generator<number> {
  for (let n = 0; ; n++) yield n;
}

async function* slowly(count: number, ms: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) {
    await sleep(ms);
    yield n;
  }
}
