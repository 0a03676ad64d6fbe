import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { advise, availableCores } from 'tslab-parallel';
import { Kernel } from '../harness/kernel';
import { programs } from './programs';

const cores = availableCores();

suite('the right backend, from all waiting to all computing', {
  skip: cores < 2 && 'one core: nothing to share',
}, () => {
  for (const { name, items, fn, kind, backend } of programs) {
    test(name, async (t) => {
      const advice = await advise(items, fn);
      t.diagnostic(advice.sentence);
      assert.equal(advice.kind, kind);
      assert.equal(advice.backend, backend);
      if (backend === 'serial') assert.equal(advice.gain, 1);
      else assert.ok(advice.gain > 1.1, `gain ${advice.gain}`);
      if (kind === 'computing') assert.ok(advice.gain <= cores, `gain ${advice.gain}`);
      const { evidence } = advice;
      assert.equal(evidence.items, items.length);
      assert.ok(evidence.tried > 0 && evidence.tried <= 1000);
      assert.ok(evidence.cpuShare >= 0 && evidence.cpuShare <= 1);
      assert.ok(evidence.threadStartMs > 0 && evidence.processStartMs > 0 && evidence.roundTripMs > 0);
      assert.match(advice.chart.description, /the loop: .*use this/);
    });
  }
});

test('each item runs at most once, and not all of many', async () => {
  const runs = new Int32Array(new SharedArrayBuffer(4 * 5000));
  const advice = await advise([...runs.keys()], (n) => Atomics.add(runs, n, 1));
  const tried = runs.reduce((sum, times) => sum + times, 0);
  assert.equal(tried, advice.evidence.tried);
  assert.ok(tried <= 1000);
  assert.ok(runs.every((times) => times <= 1));
});

test('what would travel: the function with what it uses, items, results', async () => {
  const table = new Float64Array(1000);
  const items = Array.from({ length: 20 }, () => new Float64Array(500));
  const { evidence } = await advise(items, (item) => item.map((value, at) => value + table[at]!));
  assert.ok(evidence.functionBytes >= 8000 && evidence.functionBytes < 12_000, `${evidence.functionBytes}`);
  assert.ok(evidence.itemBytes >= 4000 && evidence.itemBytes < 5000, `${evidence.itemBytes}`);
  assert.ok(evidence.resultBytes >= 4000 && evidence.resultBytes < 5000, `${evidence.resultBytes}`);
});

test('an item that never ends is cut off, and the kernel stays free', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 20);
  const advice = await advise(
    [1, 2, 3, 4],
    () => {
      for (;;);
    },
    { limitMs: 300 },
  );
  clearInterval(timer);
  assert.ok(advice.evidence.cutOff);
  assert.match(advice.sentence, /an item takes more than/);
  assert.ok(turns >= 5, `${turns} turns of the event loop`);
});

test('what can not travel is tried in the kernel', async () => {
  const handle = new WeakRef({});
  const advice = await advise([1, 2, 3, 4, 5], async (n) => {
    handle.deref();
    await sleep(20);
    return n;
  });
  assert.equal(advice.backend, 'async');
  assert.match(advice.evidence.refusal ?? '', /handle/);
  const loop = await advise([1, 2, 3], (n) => [handle.deref() !== undefined, n]);
  assert.equal(loop.backend, 'serial');
  assert.match(loop.sentence, /Leave it a loop: the function can't leave the kernel: .*handle/);
});

test('what only a process can do is tried there', async () => {
  const advice = await advise(
    Array.from({ length: 40 }, () => 100_000_000),
    (rounds) => {
      process.chdir('.');
      let sum = 0;
      for (let i = 0; i < rounds; i++) sum += i % 3;
      return sum;
    },
  );
  assert.ok(advice.backend === 'process', advice.sentence);
});

test('one item, no item', async () => {
  const none = await advise([], (n) => n);
  assert.deepEqual([none.backend, none.gain, none.evidence.tried], ['serial', 1, 0]);
  assert.match(none.sentence, /there are no items/);
  const one = await advise(new Set([1]), async () => sleep(30));
  assert.deepEqual([one.backend, one.gain, one.kind], ['serial', 1, 'waiting']);
  assert.match(one.sentence, /Leave it a loop: there is only one\./);
});

test('what an item throws is thrown, with its index', async () => {
  const failing = advise([7, 8, 9], (n) => {
    if (n === 7) throw new RangeError(`not ${n}`);
  });
  await assert.rejects(failing, { name: 'RangeError', message: 'not 7', index: 0, item: 7 });
});

test('bad arguments are refused in a sentence', async () => {
  const refused = async (args: unknown[], words: RegExp) => {
    await assert.rejects((advise as (...args: unknown[]) => Promise<unknown>)(...args), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, words);
      return true;
    });
  };
  const generator = (function* () {
    yield 1;
  })();
  await refused(
    [generator, String],
    /^items must be an array.* give \[\.\.\.items\]; got Object \[Generator\]/,
  );
  assert.deepEqual([...generator], [1], 'it was not used up');
  await refused([5, String], /^items must be an array.*got 5 \(number\)\.$/);
  await refused([[1], 'fn'], /^fn must be a function; got 'fn'/);
  await refused([[1], String, { worker: 2 }], /^advise options has no "worker"; it takes workers, limitMs/);
  await refused([[1], String, { workers: 0 }], /^workers must be a whole number, 1 or more; got 0/);
  await refused([[1], String, { limitMs: -1 }], /^limitMs must be a number of milliseconds above 0/);
  await refused([[1], String, { signal: 1 }], /^signal must be an AbortSignal/);
  await assert.rejects(advise([1], String, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});

suite('in a cell', () => {
  let kernel: Kernel;
  after(() => kernel?.close());

  test('the sentence and the chart', async () => {
    kernel = await Kernel.start();
    const cell = await kernel.run(`
      import { advise } from 'tslab-parallel';
      const pause = 30;
      const wait = (n: number) => new Promise<number>((resolve) => setTimeout(resolve, pause, n));
      await advise(Array.from({ length: 20 }, (_, n) => n), (n) => wait(n))`);
    assert.equal(cell.error, '');
    assert.equal(cell.stdout, '');
    const [sentence, chart] = cell.displays;
    assert.match(
      String(sentence?.data['text/plain']),
      /^Waiting: an item takes .* Use createPool\('async'\)/,
    );
    assert.equal(typeof chart?.data['application/vnd.vegalite.v5+json'], 'object');
    assert.match(JSON.stringify(chart?.metadata), /"alt":"Expected time .*use this/);
    assert.equal(cell.displays.length, 2);
  });
});
