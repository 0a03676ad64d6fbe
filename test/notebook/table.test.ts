import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Recording, table } from 'tslab-parallel';
import { Kernel } from '../harness/kernel';

const rows = [
  { who: 'a task', 'time (ms)': 0.012345 },
  { who: 'a <thread>', 'time (ms)': 1234.56, note: 'dear' },
];

test('in a terminal: columns, three digits, empty where a row lacks a value', () => {
  assert.equal(
    inspect(table(rows, { title: 'Prices' })),
    ['Prices', 'who         time (ms)  note', 'a task         0.0123', 'a <thread>      1,235  dear'].join(
      '\n',
    ),
  );
  assert.equal(String(table([])), '');
});

test('in a cell: HTML with its text, also by show()', async () => {
  const kernel = await Kernel.start();
  try {
    const cell = await kernel.run(`
      import { show, table } from 'tslab-parallel';
      const prices = table(${JSON.stringify(rows)}, { title: 'Prices' });
      await show(prices);
      prices`);
    assert.equal(cell.error, '');
    assert.equal(cell.displays.length, 2);
    for (const { data } of cell.displays) {
      assert.match(
        String(data['text/html']),
        /^<table><caption>Prices<\/caption>.*<td[^>]*>a &#60;thread&#62;<\/td>/,
      );
      assert.match(String(data['text/plain']), /^Prices\nwho /);
    }
    assert.equal(cell.stdout, '');
  } finally {
    await kernel.close();
  }
});

test('any iterable of objects: typed rows, a set, a generator, the spans of a run', () => {
  interface Row {
    a: number;
  }
  const typed: Row[] = [{ a: 1 }];
  const record = new Recording();
  record.add({ lane: 'me', startMs: 0, endMs: 2 });
  function* generated() {
    yield { a: 1 };
  }
  for (const rows of [typed, new Set(typed), generated()]) assert.equal(String(table(rows)), 'a\n1');
  assert.match(String(table(record.spans)), /^index +count +lane/);
});

test('anything but a list of objects is refused', () => {
  for (const wrong of [undefined, 'rows', { a: 1 }, [1], [[1]], [null]]) {
    assert.throws(() => table(wrong as never), /table\(\) needs objects in a list/);
  }
});
