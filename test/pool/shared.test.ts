/** Workers belong to the machine: a cell that makes its own pool, again and again, has the workers of one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, timeline } from 'tslab-parallel';
import { eventually } from '../harness/processes';

const threads = () => readdirSync('/proc/self/task').length;
const children = () =>
  execFileSync('ps', ['--ppid', String(process.pid), '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('worker.js')).length;
const sleepThere = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const isLinux = process.platform === 'linux';

suite('shared workers', () => {
  test('twenty pools of four threads have the threads of one', { skip: !isLinux }, async (t) => {
    const cell = async () => {
      const pool = createPool('thread', { workers: 4, idleMs: 2000 });
      return pool.map([1, 2, 3, 4, 5, 6, 7, 8], async (n) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return n * n;
      });
    };
    await createPool('thread', { workers: 1 }).map([1], (n) => n);
    const before = { threads: threads(), rss: process.memoryUsage().rss };
    for (let time = 0; time < 20; time++) assert.equal((await cell())[7], 64);
    const more = threads() - before.threads;
    const mb = (process.memoryUsage().rss - before.rss) / 2 ** 20;
    t.diagnostic(`${more} threads and ${mb.toFixed(0)} MiB more after 20 cells of 4 threads`);
    assert.ok(more <= 5, `${more} threads more`);
    assert.ok(mb <= 120, `${mb} MiB more`);
  });

  test('ten pools of two processes have two', { skip: !isLinux }, async () => {
    for (let time = 0; time < 10; time++) {
      const pool = createPool('process', { workers: 2, idleMs: 1000 });
      assert.deepEqual(await pool.map([1, 2, 3], (n) => n + 1), [2, 3, 4]);
    }
    assert.equal(children(), 2);
  });

  for (const backend of ['thread', 'process'] as const) {
    test(`${backend}: a new pool begins on the workers that are there, under lanes of its own run`, async () => {
      const who = () => (process as { tslabWho?: number }).tslabWho ?? 0;
      const mark = () => {
        (process as { tslabWho?: number }).tslabWho = 7;
        return 0;
      };
      const first = createPool(backend, { workers: 1, memoryMb: 200 });
      await first.map([1], mark);
      const second = createPool(backend, { workers: 1, memoryMb: 200 });
      const run = second.map([1, 2], (_n, _i, { lane }) => [lane, who()]);
      assert.deepEqual(await run, [
        [`${backend} 1`, 7],
        [`${backend} 1`, 7],
      ]);
      assert.ok([...run.record.spans].every(({ lane }) => lane === `${backend} 1`));
      // Of another kind: with less memory, or with an init.
      const other = createPool(backend, { workers: 1, memoryMb: 100 });
      assert.deepEqual(await other.map([1], who), [0]);
      const made = createPool(backend, { workers: 1, memoryMb: 200, init: () => 1 });
      assert.deepEqual(await made.map([1], who), [0]);
    });

    test(`${backend}: workers with an init are shared where the init is the same, captures included`, async () => {
      const cell = (seed: number) =>
        createPool(backend, {
          workers: 1,
          memoryMb: 210,
          init: () => ({ seed, born: process.hrtime.bigint() }),
        }).map([1], (_n, _i, { local }) => local);
      const [one] = await cell(1);
      const [again] = await cell(1);
      const [other] = await cell(2);
      assert.equal(one!.born, again!.born);
      assert.notEqual(one!.born, other!.born);
      assert.equal(other!.seed, 2);
    });

    test(`${backend}: two runs at the same time share nothing while they run`, async () => {
      const run = (label: string) =>
        createPool(backend, { workers: 2 }).map(
          [1, 2, 3, 4],
          async (n, _i, { lane }) => {
            await new Promise((resolve) => setTimeout(resolve, 30));
            return `${lane} ${n}`;
          },
          { label },
        );
      const runs = [run('a'), run('b')];
      for (const values of await Promise.all(runs)) {
        assert.deepEqual([...new Set(values.map((text) => text.slice(0, -2)))].sort(), [
          `${backend} 1`,
          `${backend} 2`,
        ]);
      }
      assert.ok(timeline(runs).description.length > 0);
    });
  }

  test('close() gives back, and idleMs stays what it is', { skip: !isLinux }, async () => {
    const before = threads();
    const pool = createPool('thread', { workers: 3, idleMs: 300, memoryMb: 77 });
    await pool.ready();
    await pool.close();
    assert.ok(threads() > before);
    await sleep(900);
    assert.ok(threads() <= before, `${threads()} threads, ${before} before`);
  });

  test('of two pools at once as many stay as the larger one had', { skip: !isLinux }, async () => {
    const before = threads();
    const pools = [2, 3].map((workers) => createPool('thread', { workers, idleMs: 3000, memoryMb: 78 }));
    await Promise.all(pools.map((pool) => pool.map([1, 2, 3, 4, 5, 6], () => sleepThere(50))));
    assert.ok(await eventually(() => threads() <= before + 3), `${threads()} threads, ${before} before`);
    assert.equal(threads(), before + 3);
  });

  test('a worker of another pool has the lane’s name in the new one', async () => {
    const ofThree = createPool('thread', { workers: 3, memoryMb: 79 });
    await ofThree.ready();
    const names = await Promise.all(
      [1, 2, 3].map(() =>
        createPool('thread', { workers: 1, memoryMb: 79 }).map([1, 2], async (_n, _i, { lane }) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return lane;
        }),
      ),
    );
    assert.deepEqual(new Set(names.flat()), new Set(['thread 1']));
  });

  test('a worker that is lost while it waits is nobody’s loss', async () => {
    const first = createPool('process', { workers: 1, memoryMb: 222 });
    const [pid] = await first.map([1], () => process.pid);
    process.kill(pid!, 'SIGKILL');
    await sleep(100);
    const second = createPool('process', { workers: 1, memoryMb: 222 });
    assert.notEqual((await second.map([1], () => process.pid))[0], pid);
  });
});

suite('calls', () => {
  for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
    test(`${backend}: a call is a promise with a record, and can be cancelled`, async () => {
      const pool = createPool(backend, { workers: 1 });
      const call = pool.submit((a: number, b: number) => a + b, 1, 2);
      assert.equal(await call, 3);
      assert.equal(call.record.status, 'done');
      assert.equal(call.record.ok, 1);
      const slow = pool.withOptions({ label: 'slow' }).submit(() => new Promise<never>(() => {}));
      setTimeout(() => slow.cancel('enough'), 30);
      await assert.rejects(
        slow,
        (error: Error) => error.name === 'CancelledError' && /enough/.test(error.message),
      );
      assert.equal(slow.record.label, 'slow');
      assert.ok(!('cancel' in slow.catch(() => {})));
    });

    test(`${backend}: limits of calls`, async () => {
      const pool = createPool(backend, { workers: 1 });
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error('no time')), 30);
      const never = () => new Promise<never>(() => {});
      await assert.rejects(pool.withOptions({ signal: abort.signal }).submit(never), /no time/);
      await assert.rejects(pool.withOptions({ timeoutMs: 30 }).submit(never), { name: 'TimeoutError' });
      const file = `${require('node:os').tmpdir()}/tslab-parallel-call-${process.pid}-${backend}`;
      const second = (path: string) => {
        const fs = require('node:fs');
        if (fs.existsSync(path)) return 'at the second try';
        fs.writeFileSync(path, '');
        throw new Error('not yet');
      };
      assert.equal(await pool.withOptions({ retries: 1 }).submit(second, file), 'at the second try');
      require('node:fs').rmSync(file);
      const run = pool.withOptions({ label: 'all' }).map([1], (n) => n);
      await run;
      assert.equal(run.record.label, 'all');
      assert.throws(() => pool.withOptions({ onError: 'collect' } as never), /has no "onError"/);
    });
  }
});
