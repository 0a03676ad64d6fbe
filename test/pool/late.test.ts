/** What items do beside answering: messages of their own, errors after their answer. The pool and other items don't notice. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from 'tslab-parallel';

const items = Array.from({ length: 20 }, (_, n) => n);

/** What is written to stderr meanwhile. */
async function heard(work: () => Promise<void>): Promise<string> {
  const { write } = process.stderr;
  let text = '';
  process.stderr.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof write;
  try {
    await work();
  } finally {
    process.stderr.write = write;
  }
  return text;
}

for (const backend of ['thread', 'process'] as const) {
  suite(`beside the answer, ${backend}`, () => {
    test("an item's own messages are no replies", async () => {
      const pool = createPool(backend, { workers: 2 });
      const run = pool.map(items, async (n) => {
        const { parentPort } = require('node:worker_threads');
        const messages = [
          null,
          { id: n },
          { id: 1, result: 'forged' },
          { aside: 'done', batch: 1 },
          'ready',
          n,
          { id: n, error: {} },
        ];
        for (const message of messages) {
          if (parentPort) parentPort.postMessage(message);
          else process.send!(message);
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
        return n * 2;
      });
      assert.deepEqual(
        await run,
        items.map((n) => n * 2),
      );
    });

    test('what an item closes, disconnects or removes is its own', async () => {
      const pool = createPool(backend, { workers: 1 });
      const run = pool.map(items, async (n) => {
        const { parentPort } = require('node:worker_threads');
        if (parentPort) {
          parentPort.on('message', () => {});
          parentPort.removeAllListeners();
          parentPort.close();
        } else {
          process.on('message', () => {});
          process.removeAllListeners('message');
          process.removeAllListeners('disconnect');
          process.disconnect();
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
        return n;
      });
      assert.deepEqual(await run, items);
      assert.deepEqual(await pool.map([1], (n) => n), [1]);
    });

    test('a timer that throws after its answer is told by its item; its worker goes on, nobody else fails', async () => {
      const pool = createPool(backend, { workers: 1 });
      const said = await heard(async () => {
        const [pid] = await pool.map(
          [5, 6],
          async (n) => {
            await new Promise((resolve) => setTimeout(resolve, 2));
            if (n === 6) {
              setTimeout(() => {
                throw new RangeError('too late');
              }, 30);
            }
            const here = globalThis as { marked?: number };
            here.marked ??= Math.random();
            return process.pid * 1000 + here.marked;
          },
          { label: 'leaves a timer' },
        );
        const later = await pool.map(items, async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return process.pid * 1000 + ((globalThis as { marked?: number }).marked ?? 0);
        });
        assert.ok(
          later.every((one) => one === pid),
          'the same worker, still',
        );
        await sleep(20);
      });
      assert.equal(
        said,
        'Item 1 of "leaves a timer" left something behind that failed later: RangeError: too late\n',
      );
    });

    test('a promise that nobody awaited, and an event handler, likewise', async () => {
      const pool = createPool(backend, { workers: 1 });
      const said = await heard(async () => {
        await pool.map(
          [0],
          async () => {
            await null;
            void new Promise((_, reject) => setTimeout(() => reject(new Error('unawaited')), 20));
            const events = new (require('node:events'))();
            setTimeout(() => events.emit('error', new Error('an event')), 25);
            return 1;
          },
          { label: 'careless' },
        );
        await sleep(120);
        assert.deepEqual(await pool.map([3], (n) => n), [3]);
      });
      assert.match(
        said,
        /^Item 0 of "careless" .*Error: unawaited\nItem 0 of "careless" .*Error: an event\n$/,
      );
    });

    test('while the item still waits it is its own failure, in its own words', async () => {
      const pool = createPool(backend, { workers: 1 });
      const settled = await pool.map(
        [0, 1, 2],
        (n) =>
          new Promise<number>((resolve) => {
            setTimeout(() => {
              if (n === 1) throw new TypeError('within');
              resolve(n);
            }, 5);
          }),
        { onError: 'collect' },
      );
      assert.deepEqual(
        settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
        [0, 'TypeError: within', 2],
      );
    });
  });
}
