/** What is too large for one message is its own item's failure, by its size; the kernel and the other items go on. */
import assert from 'node:assert/strict';
import { freemem } from 'node:os';
import { test } from 'node:test';
import { createPool } from 'tslab-parallel';

const skip = freemem() < 8 * 2 ** 30 && 'it needs 8 GiB of free memory';

test('a result of 1.5 GiB from a process', { skip }, async () => {
  const pool = createPool('process', { workers: 1, idleMs: 10 });
  const settled = await pool.map([1, 2, 3], (n) => (n === 2 ? Buffer.alloc(1.5 * 2 ** 30, 1) : n), {
    onError: 'collect',
    chunkSize: 3,
  });
  assert.deepEqual(
    settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message)),
    [
      1,
      'The result has 1.5 GiB, and a message between processes holds at most 1 GiB. Give less: a part, a summary, the path of a file; or use threads and a SharedArrayBuffer.',
      3,
    ],
  );
  assert.deepEqual(await pool.map([4], (n) => n), [4]);
});

test('an argument of 1.5 GiB for a process, in an object', { skip }, async () => {
  const pool = createPool('process', { workers: 1, idleMs: 10 });
  const items = [
    { bytes: new Uint8Array(10) },
    { bytes: new Uint8Array(1.5 * 2 ** 30) },
    { bytes: new Uint8Array(20) },
  ];
  items[1]!.bytes.fill(1);
  const settled = await pool.map(items, ({ bytes }) => bytes.length, { onError: 'collect' });
  assert.deepEqual(
    settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message.slice(0, 66))),
    [10, 'Item 1 has 1.5 GiB, and a message between processes holds at most 1', 20].map((one) =>
      typeof one === 'string' ? one.slice(0, 66) : one,
    ),
  );
});
