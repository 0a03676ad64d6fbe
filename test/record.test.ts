import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { table } from 'tslab-parallel';
import { Recording, type RunRecord } from '#src/helper/record/index';

test('a record survives JSON with all its spans', () => {
  const record = new Recording({ label: 'sums', backend: 'thread', workers: 2, total: 40 });
  for (let index = 0; index < 40; index++) {
    record.add({
      index,
      count: 1,
      lane: `thread ${(index % 2) + 1}`,
      queuedMs: 0.5,
      startMs: index,
      endMs: index + 1,
      status: index === 3 ? 'failed' : 'ok',
      attempt: 1,
      ...(index === 3 ? { error: 'Error: three' } : {}),
    });
  }
  record.finish('done');
  assert.equal(record.spans.length, 40);
  const back = JSON.parse(JSON.stringify(record));
  assert.deepEqual(back.spans, [...record.spans]);
  assert.equal(back.spans[3].error, 'Error: three');
  assert.equal(back.wallMs, record.wallMs);
});

test('a span of one lane and two times is whole', () => {
  const record = new Recording();
  record.add({ lane: 'printer', startMs: 10, endMs: 35 });
  assert.deepEqual(
    [...record.spans],
    [{ index: -1, count: 1, lane: 'printer', queuedMs: 0, startMs: 10, endMs: 35, status: 'ok', attempt: 1 }],
  );
});

test('a record as CSV, as a trace and as a table', () => {
  const record = new Recording({ label: 'two', backend: 'thread', workers: 1, total: 2 });
  const span = { count: 1, lane: 'thread 1', queuedMs: 0.25, attempt: 1 } as const;
  record.add({ ...span, index: 0, startMs: 1, endMs: 2.5, status: 'ok', label: 'a, "b"' });
  record.add({ ...span, index: 1, startMs: 3, endMs: 4, status: 'failed', error: 'Error: no' });
  record.finish('done');
  assert.deepEqual(record.toCSV().split('\r\n'), [
    'index,count,lane,label,queuedMs,startMs,endMs,status,attempt,error',
    '0,1,thread 1,"a, ""b""",0.25,1,2.5,ok,1,',
    '1,1,thread 1,,0.25,3,4,failed,1,Error: no',
    '',
  ]);
  const { traceEvents } = JSON.parse(record.toTrace());
  const blocks = traceEvents.filter(({ ph }: { ph: string }) => ph === 'X');
  assert.deepEqual(
    blocks.map(({ name, ts, dur, tid }: Record<string, unknown>) => [name, ts, dur, tid]),
    [
      ['a, "b"', 1000, 1500, 1],
      ['item 1', 3000, 1000, 1],
    ],
  );
  assert.match(inspect(record.toTable()), /index .* error\n.*thread 1.*1\.00.*2\.50.*\n.*Error: no$/);
  assert.equal(record.toTable().rows.length, 2);
});

test('a spreadsheet runs nothing of a record, and a terminal obeys nothing', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2Kgone\rover\u009b31m';
  const record = new Recording({ label: evil, backend: 'thread', workers: 1, total: 8 });
  const labels = ['=cmd|calc', '+1', '-1+1', '@sum(A1)', '\t=1', '\r=1', '=a,"b"', 'a=b'];
  for (const [index, label] of labels.entries()) {
    record.add({
      index,
      lane: index === 0 ? evil : '=lane',
      startMs: -1,
      endMs: index,
      label,
      error: '=HYPERLINK("x")',
    });
  }
  record.finish('done');
  const csv = record.toCSV();
  const [, first, ...rest] = csv.split('\r\n');
  assert.match(first!, /'=cmd\|calc/);
  assert.ok(!/(^|[,\n])"?[=+@\t\r]/.test(csv.replace(/\r\n/g, '\n')), csv);
  assert.ok(rest.join('\n').includes(`"'=a,""b"""`), csv);
  assert.ok(csv.includes(',a=b,'), 'what is harmless stays as it is');
  assert.ok(csv.includes(',-1,'), 'a negative number is a number');
  for (const text of [inspect(record), inspect(record.toTable()), inspect(table([{ lane: evil }]))])
    assert.ok(!/[^\P{Cc}\t\n]/u.test(text), JSON.stringify(text));
});

test('each of very many lanes keeps its name', () => {
  const record = new Recording({ label: 'all at once', backend: 'async' });
  for (let lane = 1; lane <= 70_000; lane++) record.add({ lane: `async ${lane}`, startMs: 0, endMs: 1 });
  assert.equal([...record.spans].at(-1)!.lane, 'async 70000');
});

test('a million spans stay within 64 bytes each', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  const before = process.memoryUsage();
  const record = new Recording({ label: 'many', total: 1_000_000 });
  for (let index = 0; index < 1_000_000; index++) {
    record.add({
      index,
      count: 1,
      lane: `thread ${index % 4}`,
      queuedMs: 1,
      startMs: index,
      endMs: index + 1,
      status: 'ok',
      attempt: 1,
    });
  }
  gc();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(bytes / 1_000_000 <= 64, `${bytes / 1_000_000} bytes a span`);
  assert.equal(record.spans.length, 1_000_000);
});

test('spans are read as an array is, before and after JSON', () => {
  const own = new Recording({ label: 'mine' });
  own.add({ lane: 'a', startMs: 0, endMs: 1, label: 'short' });
  own.add({ lane: 'b', startMs: 0, endMs: 30, label: 'long' });
  const parsed: RunRecord = JSON.parse(JSON.stringify(own));
  for (const { spans } of [own, parsed]) {
    assert.deepEqual(
      spans.filter((span) => span.endMs > 10).map(({ label }) => label),
      ['long'],
    );
    assert.equal(
      spans.reduce((sum, span) => sum + span.endMs - span.startMs, 0),
      31,
    );
    assert.deepEqual(
      [spans.some(({ lane }) => lane === 'b'), spans.every(({ lane }) => lane === 'b')],
      [true, false],
    );
    assert.equal(spans.find(({ lane }) => lane === 'b')?.label, 'long');
    assert.equal(
      spans.findIndex(({ lane }) => lane === 'b'),
      1,
    );
    assert.deepEqual(
      spans.slice(-1).flatMap(({ lane }) => [lane, lane]),
      ['b', 'b'],
    );
    const seen: number[] = [];
    spans.forEach((span, at) => void seen.push(at + span.endMs));
    assert.deepEqual(seen, [1, 31]);
  }
});
