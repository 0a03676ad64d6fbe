import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { latency, timeline, utilization } from 'tslab-parallel';
import { type SimulationItem, seededRandom, simulate } from 'tslab-parallel/handbook';

const RAMYEON = [{ work: 1 }, { wait: 8, label: 'water boils' }, { work: 2 }];

const ends = ({ record }: ReturnType<typeof simulate>) =>
  [...record.spans].sort((a, b) => a.index - b.index).map(({ endMs }) => endMs);

test('one worker, one item after another: a wait is stood through', () => {
  const run = simulate([{ steps: RAMYEON }, { steps: RAMYEON }]);
  assert.equal(run.record.wallMs, 22);
  assert.deepEqual(ends(run), [11, 22]);
});

test('one worker with two items in hand turns to the other one while the first waits', () => {
  const run = simulate([{ steps: RAMYEON }, { steps: RAMYEON }], { concurrency: 2 });
  // First: hands 0-1, boils 1-9, hands 9-11. Second: hands 1-2, boils 2-10, hands 11-13.
  assert.deepEqual(ends(run), [11, 13]);
  assert.deepEqual(
    [...run.byWorker.spans].map(({ index, startMs, endMs }) => [index, startMs, endMs]),
    [
      [0, 0, 1],
      [1, 1, 2],
      [0, 9, 11],
      [1, 11, 13],
    ],
  );
});

test('two workers share the items, each with hands of its own', () => {
  const items = Array.from({ length: 5 }, () => ({ steps: [{ work: 10 }] }));
  const run = simulate(items, { workers: 2, names: ['Jarvis'] });
  assert.equal(run.record.wallMs, 30);
  assert.deepEqual(
    [...run.record.spans].map(({ lane }) => lane),
    ['Jarvis', 'worker 2', 'Jarvis', 'worker 2', 'Jarvis'],
  );
});

test('an item that comes later stands in line from then on', () => {
  const run = simulate([
    { label: 'first', steps: [{ work: 10 }] },
    { label: 'second', at: 4, steps: [{ work: 3 }] },
  ]);
  const [, second] = [...run.record.spans];
  assert.deepEqual([second?.label, second?.queuedMs, second?.startMs], ['second', 6, 10]);
  assert.deepEqual(
    [...run.byItem.spans].map(({ lane, label, startMs, endMs }) => [lane, label, startMs, endMs]),
    [
      ['first', 'work', 0, 10],
      ['second', 'in line', 4, 10],
      ['second', 'work', 10, 13],
    ],
  );
});

test('work is given way between steps, not within one', () => {
  const parcels = (count: number) => Array.from({ length: count }, () => ({ work: 1 }));
  const oneByOne = simulate([{ steps: parcels(100) }, { steps: parcels(1) }], { concurrency: 2 });
  assert.deepEqual(ends(oneByOne), [101, 2]);
  const atOnce = simulate([{ steps: [{ work: 100 }] }, { steps: [{ work: 1 }] }], { concurrency: 2 });
  assert.deepEqual(ends(atOnce), [100, 101]);
});

test('hands are never used twice at once, and no work is lost, whatever the knobs', () => {
  for (const [workers, concurrency] of [
    [1, 1],
    [1, 7],
    [3, 1],
    [3, 100],
    [16, 2],
  ] as const) {
    const items: SimulationItem[] = Array.from({ length: 60 }, (_, index) => ({
      at: (index * 7) % 40,
      steps: [{ work: 1 + (index % 3) }, { wait: index % 11 }, { work: 2 }],
    }));
    const run = simulate(items, { workers, concurrency });
    assert.equal(run.record.ok, 60);
    assert.equal(run.record.spans.length, 60);
    const byLane = new Map<string, number>();
    let worked = 0;
    for (const { lane, startMs, endMs } of run.byWorker.spans) {
      assert.ok(startMs >= (byLane.get(lane) ?? 0), `${lane} has one pair of hands`);
      byLane.set(lane, endMs);
      worked += endMs - startMs;
    }
    assert.equal(
      worked,
      items.flatMap(({ steps }) => steps).reduce((sum, { work = 0 }) => sum + work, 0),
    );
    const open = [...run.record.spans];
    for (const lane of byLane.keys()) {
      const mine = open.filter((span) => span.lane === lane);
      for (const { startMs } of mine) {
        const begun = mine.filter((span) => span.startMs <= startMs && span.endMs > startMs);
        assert.ok(begun.length <= concurrency, `${lane} has at most ${concurrency} items`);
      }
    }
  }
});

test('nothing to do, nothing in a step, very many items without steps', () => {
  assert.equal(simulate([]).record.wallMs, 0);
  assert.equal(simulate([{ steps: [] }, { steps: [{ work: 0 }, { wait: 0 }] }]).record.ok, 2);
  assert.equal(simulate(Array.from({ length: 20_000 }, () => ({ steps: [] }))).record.ok, 20_000);
});

test('the charts draw it, and it says in a line what it was', () => {
  const run = simulate([{ label: 'ramyeon', steps: RAMYEON }], { workers: 2, label: 'kitchen' });
  assert.equal(inspect(run), 'kitchen: 1 of 1 done on 1 worker (simulated) in 11 ms');
  assert.match(timeline([run, run.byWorker, run.byItem]).description, /1 item on 2 workers \(simulated\)/);
  assert.match(utilization(run.byWorker).description, /0\.27 of 2 lanes busy/);
  assert.match(latency(run).description, /kitchen/);
  const back = JSON.parse(JSON.stringify(run.record));
  assert.equal(timeline(back).description, timeline(run).description);
});

test('refuses what it cannot play through, by name', () => {
  const refuses = (call: () => unknown, message: string) =>
    assert.throws(call, { name: 'TypeError', message });
  refuses(() => simulate([], { workers: 0 }), 'workers must be a whole number, 1 or more; got 0 (number).');
  refuses(
    () => simulate([], { workers: 'two' as never }),
    "workers must be a whole number, 1 or more; got 'two' (string).",
  );
  refuses(
    () => simulate([], { concurrency: -1 }),
    'concurrency must be a whole number, 1 or more; got -1 (number).',
  );
  refuses(() => simulate([{} as never]), 'items[0].steps must be an array of steps; got undefined.');
  refuses(
    () => simulate([{ steps: [{ work: 1 }, { boil: 1 } as never] }]),
    'items[0].steps[1] must be one of { work: ms } and { wait: ms }; got { boil: 1 } (object).',
  );
  refuses(
    () => simulate([{ steps: [{ wait: Number.NaN }] }]),
    'items[0].steps[0].wait must be a number of milliseconds, 0 or more; got NaN.',
  );
  refuses(
    () => simulate([{ at: -5, steps: [] }]),
    'items[0].at must be a number of milliseconds, 0 or more; got -5 (number).',
  );
});

test('chance from a seed: the same again, another for another seed, evenly spread', () => {
  const draw = (seed: number) => Array.from({ length: 10_000 }, seededRandom(seed));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  const tenths = new Uint32Array(10);
  for (const value of draw(0)) tenths[Math.floor(value * 10)]!++;
  assert.ok(Math.min(...tenths) > 900 && Math.max(...tenths) < 1100, `${tenths}`);
  assert.throws(() => seededRandom(1.5), /seed must be a whole number/);
});
