import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textWidth, wrap } from '#src/helper/charts/text-width';
import { count, ratio, roundSteps, time, timeUnit } from '#src/helper/charts/units';
import { figure } from '#src/helper/notebook/index';

test('times in the unit that fits', () => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [0.0004, '0.4 µs'],
    [0.25, '250 µs'],
    [0.9994, '999 µs'],
    [0.9996, '1 ms'],
    [51.34, '51.3 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1040, '1.04 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min'],
    [125_000, '2 min 5 s'],
    [3_599_600, '1 h'],
    [4_320_000, '1 h 12 min'],
    [360_000_000, '100 h'],
  ];
  for (const [ms, text] of cases) assert.equal(time(ms), text, `${ms} ms`);
});

test('an axis has a unit that gives numbers from about 1 to 1,000', () => {
  for (const ms of [0.01, 0.9, 1, 999, 1000, 119_000, 121_000, 7_199_000, 7_201_000, 1e8]) {
    const end = ms / timeUnit(ms).ms;
    assert.ok(end >= 1 && end < 1000, `${ms} ms ends at ${end} ${timeUnit(ms).name}`);
  }
});

test('figures, counts and ratios', () => {
  assert.deepEqual([1.2345, 0.5, 1234.5, 12, 0].map(figure), ['1.23', '0.5', '1,235', '12', '0']);
  assert.equal(count(1, 'item'), '1 item');
  assert.equal(count(2000, 'process', 'processes'), '2,000 processes');
  assert.equal(ratio(100, 50), '2.0 × faster');
  assert.equal(ratio(100, 104), 'no faster');
  assert.equal(ratio(100, 96), 'no faster');
  assert.equal(ratio(100, 95), '1.1 × faster');
  assert.equal(ratio(100, 1000, 'times'), '10 times slower');
  assert.equal(ratio(0, 5), '');
});

test('Korean characters are as wide as they are high', () => {
  assert.ok(textWidth('스레드', 12) >= 36);
  assert.ok(textWidth('thread', 12) < 6 * 12 * 0.7);
});

test('lines are at most as wide as asked for, and nothing is lost', () => {
  const text = 'Wall time, compared with 스레드두개로나누어실행한결과를한번에 at 5 ms and 100 %';
  for (const width of [60, 100, 200, 500]) {
    const lines = wrap(text, width, 12);
    for (const line of lines) assert.ok(textWidth(line, 12) <= width, `${line} in ${width}`);
    assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
  }
  assert.deepEqual(wrap('it took 203 ms', textWidth('it took 203', 12) + 1, 12), ['it took', '203 ms']);
  assert.deepEqual(wrap('one\ntwo', 500, 12), ['one', 'two']);
});

test('labels of a logarithmic axis: as round as three of them can be', () => {
  assert.deepEqual(roundSteps([1, 3, 2_000_000]), [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]);
  assert.deepEqual(roundSteps([0.97, 8]), [1, 2, 5]);
  assert.deepEqual(roundSteps([300, 550]), [300, 400, 500, 600, 700]);
  assert.deepEqual(roundSteps([0.031, 0.036]).slice(5, 8), [0.029, 0.03, 0.031]);
  assert.deepEqual(roundSteps([300.12, 300.15]), [300.12, 300.15]);
  assert.deepEqual(roundSteps([7.33, 7.33]), [7.33]);
  assert.deepEqual(roundSteps([]), []);
});
