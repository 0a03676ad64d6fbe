import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AbandonedError, createPool, Mutex, Queue, QueueClosedError, Semaphore } from 'tslab-parallel';

const pool = createPool('thread', { workers: 4 });
after(() => pool.close());
const lanes = [0, 1, 2, 3];

test('without a lock updates are lost, with one none is', async () => {
  const times = 20_000;
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const mutex = new Mutex();
  await pool.map(
    lanes,
    () => {
      for (let i = 0; i < times; i++) {
        mutex.run(() => {
          counters[0] = counters[0]! + 1;
        });
        counters[1] = counters[1]! + 1;
      }
    },
    { chunkSize: 1 },
  );
  assert.equal(counters[0], 4 * times);
});

test('a semaphore lets in so many, and no more', async () => {
  const semaphore = new Semaphore(2);
  const inside = new Int32Array(new SharedArrayBuffer(8));
  await pool.map(
    lanes,
    () => {
      for (let i = 0; i < 200; i++) {
        semaphore.run(() => {
          const now = Atomics.add(inside, 0, 1) + 1;
          if (now > Atomics.load(inside, 1)) Atomics.store(inside, 1, now);
          for (let k = 0; k < 2000; k++);
          Atomics.sub(inside, 0, 1);
        });
      }
    },
    { chunkSize: 1 },
  );
  assert.ok(inside[1]! <= 2);
  assert.equal(inside[0], 0);
});

test('in the kernel waiting awaits', async () => {
  const mutex = new Mutex();
  await mutex.acquire();
  const waiting = mutex.run(() => 'mine');
  assert.equal(mutex.tryAcquire(), false);
  setTimeout(() => mutex.release(), 20);
  assert.equal(await waiting, 'mine');
  assert.throws(() => mutex.release(), /without acquire/);
});

test('an asynchronous function holds the lock until it is through', async () => {
  const mutex = new Mutex();
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push(`${name} ends`);
  };
  await Promise.all([mutex.run(work('a')), mutex.run(work('b'))]);
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
  await assert.rejects(async () => {
    await mutex.run(() => {
      throw new Error('inside');
    });
  }, /inside/);
  assert.ok(mutex.tryAcquire(), 'an error gives the lock back');
});

test('a holder that dies is an error for those who wait, not a wait for ever', {
  timeout: 20_000,
}, async () => {
  const mutex = new Mutex();
  const results = await pool.map(
    lanes,
    (n) => {
      if (n === 0) {
        mutex.acquire();
        process.exit(1);
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      return mutex.run(() => n) as number;
    },
    { onError: 'collect', chunkSize: 1 },
  );
  for (const result of results.slice(1)) {
    assert.ok(result.status === 'rejected' && result.reason.name === 'AbandonedError');
  }
  await assert.rejects(async () => mutex.acquire(), AbandonedError);
});

test('a queue: in order, with back-pressure, across threads and the kernel', {
  timeout: 30_000,
}, async () => {
  const queue = new Queue<{ n: number; text: string }>({ capacity: 3, bytes: 256 });
  const producing = pool.submit(() => {
    for (let n = 0; n < 500; n++) queue.put({ n, text: '큐'.repeat(n % 20) });
    queue.close();
  });
  const got: number[] = [];
  for await (const { n, text } of queue) {
    got.push(n);
    assert.equal(text, '큐'.repeat(n % 20));
    assert.ok(queue.length <= 3);
  }
  await producing;
  assert.deepEqual(
    got,
    Array.from({ length: 500 }, (_, n) => n),
  );
});

test('several producers and consumers: each value once', { timeout: 30_000 }, async () => {
  const work = new Queue<number>({ capacity: 4 });
  const results = new Queue<number>({ capacity: 4 });
  const consuming = pool.map(
    [0, 1],
    () => {
      let sum = 0;
      for (const n of work) {
        sum += n;
        results.put(n);
      }
      return sum;
    },
    { chunkSize: 1 },
  );
  const producing = (async () => {
    for (let n = 1; n <= 300; n++) await work.put(n);
    work.close();
  })();
  const seen = new Set<number>();
  while (seen.size < 300) seen.add(await results.get());
  await producing;
  const sums = await consuming;
  assert.equal(
    sums.reduce((a, b) => a + b, 0),
    45_150,
  );
});

test('a closed queue, a value that is too large, wrong options', async () => {
  const queue = new Queue<string>({ capacity: 1, bytes: 100 });
  await queue.put('a');
  await assert.rejects(async () => queue.put('x'.repeat(200)), /does not fit into a queue of 100 bytes/);
  queue.close();
  assert.equal(await queue.get(), 'a');
  await assert.rejects(async () => queue.get(), QueueClosedError);
  await assert.rejects(async () => queue.put('b'), QueueClosedError);
  assert.throws(() => new Queue({ capacity: 0 }), /capacity must be/);
  assert.throws(() => new Semaphore(0), /permits must be/);
});
