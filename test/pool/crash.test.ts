/** What threads and processes contain: the item that brought its worker down fails, and nobody else. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createPool, type Pool, TimeoutError, WorkerLostError } from 'tslab-parallel';
import { startCluster } from '../harness/cluster';
import { redisServer } from '../harness/requirements';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** The size of the crash storm: small on a reader's machine, 1,000 in the gate. */
const STORM = Number(process.env.STORM_ITEMS ?? 150);

function only(at: number, results: PromiseSettledResult<number>[]): Error {
  for (const [index, result] of results.entries()) {
    if (index !== at) assert.deepEqual(result, { status: 'fulfilled', value: index });
  }
  const result = results[at];
  assert.ok(result?.status === 'rejected');
  return result.reason;
}

for (const backend of ['thread', 'process', 'cluster'] as const) {
  describe(backend, { skip: backend === 'cluster' && redisServer().skip }, () => {
    let pool: Pool;
    let end = async () => {};
    before(async () => {
      if (backend === 'cluster') end = await startCluster();
      pool = createPool(backend, { workers: 2, memoryMb: 64 });
    });
    after(async () => {
      await pool.close();
      await end();
    });

    test('process.exit fails its own item, also in the middle of a batch', async () => {
      for (const chunkSize of [1, 8] as const) {
        const run = pool.map(
          numbers(24),
          (n) => {
            if (n === 11) process.exit(3);
            return n;
          },
          { onError: 'collect', chunkSize },
        );
        const error = only(11, await run);
        assert.ok(error instanceof WorkerLostError);
        assert.match(error.message, /process\.exit\(3\)/);
        assert.equal((error as Error & { index?: number }).index, 11);
      }
    });

    test('running out of memory says so', async () => {
      const run = pool.map(
        numbers(6),
        (n) => {
          const hoard: number[][] = [];
          while (n === 2) hoard.push(new Array(100_000).fill(n));
          return n;
        },
        { onError: 'collect' },
      );
      const error = only(2, await run);
      assert.ok(error instanceof WorkerLostError);
      assert.match(error.message, /more than 64 MiB \(memoryMb\)/);
    });

    test('an endless loop ends with timeoutMs', async () => {
      const run = pool.map(
        numbers(6),
        (n) => {
          while (n === 2);
          return n;
        },
        { onError: 'collect', timeoutMs: 400 },
      );
      assert.ok(only(2, await run) instanceof TimeoutError);
    });

    test('a stack overflow is an ordinary failure', async () => {
      const run = pool.map(
        numbers(4),
        (n) => {
          const deeper = (depth: number): number => deeper(depth + 1) + 1;
          return n === 2 ? deeper(0) : n;
        },
        { onError: 'collect' },
      );
      assert.ok(only(2, await run) instanceof RangeError);
    });

    test('an error thrown outside of the item, in a callback, is the item’s while it runs', async () => {
      const run = pool.map(
        numbers(4),
        async (n) => {
          if (n === 2) {
            setTimeout(() => {
              throw new Error('in a callback');
            }, 1);
          }
          await new Promise((resolve) => setTimeout(resolve, 60));
          return n;
        },
        { onError: 'collect' },
      );
      const error = only(2, await run);
      assert.equal(String(error), 'Error: in a callback');
    });

    test('cancel stops an endless loop, and the pool goes on', async () => {
      const run = pool.map(numbers(4), () => {
        for (;;);
      });
      setTimeout(() => run.cancel(), 300);
      await assert.rejects(run, /was cancelled, 0 of 4 done/);
      assert.deepEqual(await pool.map([1], (n) => n), [1]);
    });

    test('what a crashing worker printed last is shown, before the run ends', async () => {
      const written: string[] = [];
      const write = process.stdout.write;
      process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
      try {
        const run = pool.map(
          [1],
          () => {
            console.log('last words: 안녕');
            process.exit(1);
          },
          { onError: 'collect' },
        );
        process.stdout.write = write;
        await run;
      } finally {
        process.stdout.write = write;
      }
      assert.deepEqual(written, ['last words: 안녕\n']);
    });

    test('what workers print says which lane and item it comes from, when asked', async () => {
      const written: string[] = [];
      const write = process.stdout.write;
      process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
      const print = async (n: number) => {
        console.log(`${n} begins`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        console.log(`${n} ends`);
      };
      let run: Promise<unknown>;
      try {
        run = pool.map([5, 6], print, { prefix: true });
      } finally {
        process.stdout.write = write;
      }
      await run;
      assert.equal(written.length, 4);
      for (const line of written) {
        const [, item, n] =
          /^\[(?:thread \d|process \d|\S+\/\d+\/\d), item (\d)\] (\d) (?:begins|ends)\n$/.exec(line) ?? [];
        assert.equal(Number(item) + 5, Number(n), line);
      }
    });

    test(`a storm: of ${STORM} items one in ten brings its worker down`, { timeout: 600_000 }, async () => {
      const run = pool.map(
        numbers(STORM),
        async (n) => {
          if (n % 30 === 7) process.exit(n % 5);
          if (n % 30 === 17 && process.send) process.kill(process.pid, 'SIGKILL');
          if (n % 30 === 27) {
            const hoard: number[][] = [];
            for (;;) hoard.push(new Array(100_000).fill(n));
          }
          return n;
        },
        { onError: 'collect' },
      );
      const results = await run;
      for (const [index, result] of results.entries()) {
        const dies = [7, 27, backend === 'thread' ? 7 : 17].includes(index % 30);
        if (dies)
          assert.ok(
            result.status === 'rejected' && result.reason instanceof WorkerLostError,
            `item ${index}`,
          );
        else assert.deepEqual(result, { status: 'fulfilled', value: index });
      }
      assert.equal(run.record.ok + run.record.failed, STORM);
    });
  });
}

test('a native signal kills a process and fails its item', async () => {
  const pool = createPool('process', { workers: 2 });
  const run = pool.map(
    numbers(6),
    (n) => {
      if (n === 2) process.kill(process.pid, 'SIGKILL');
      return n;
    },
    { onError: 'collect' },
  );
  const error = only(2, await run);
  assert.match(error.message, /SIGKILL/);
  await pool.close();
});

test('idle workers leave and come back', async () => {
  const pool = createPool('thread', { workers: 1, idleMs: 50 });
  const first = await pool.map(
    [1],
    (_n, _i, { local }) => process.hrtime()[0] * 0 + (local === undefined ? 1 : 0),
  );
  assert.deepEqual(first, [1]);
  const threads = async () => (await import('node:fs')).readdirSync('/proc/self/task').length;
  const busy = await threads();
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.ok((await threads()) < busy);
  assert.deepEqual(await pool.map([2], (n) => n), [2]);
  await pool.close();
});
