/** What a check says of its figures. Outside a notebook it prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, type Expectation } from 'tslab-parallel/handbook';

const cases: [measured: unknown, expectation: Expectation, said: string][] = [
  [0.4923, { atMost: 0.65 }, '✓ held: so. Expected at most 0.65, measured 0.492.'],
  [167_812.4, { atLeast: 3 }, '✓ held: so. Expected at least 3, measured 167,812.'],
  [2_000_000, { equals: 2_000_000 }, '✓ held: so. Expected 2,000,000, measured 2,000,000.'],
  // What has to be exact is not rounded.
  [0.1 + 0.2, { equals: 0.3 }, '✗ did not hold: so. Expected 0.3, measured 0.30000000000000004.'],
  [1234.5, { equals: 1234.5 }, '✓ held: so. Expected 1234.5, measured 1234.5.'],
  [['a', 1], { equals: ['a', 1] }, "✓ held: so. Expected [ 'a', 1 ], measured [ 'a', 1 ]."],
  [
    Number.NaN,
    { atMost: 1, cannot: 'one core' },
    "– can't be shown here (one core): so. Expected at most 1, measured NaN.",
  ],
];

for (const [measured, expectation, said] of cases) {
  test(said, (t) => {
    const print = t.mock.method(console, 'log', () => {});
    check('so', measured, expectation);
    assert.deepEqual(
      print.mock.calls.map((call) => call.arguments),
      [[said]],
    );
  });
}

test('an expectation that is none is refused', () => {
  assert.throws(() => check('so', 1, {}), /check needs one of equals, atMost, atLeast; got \{\}/);
  assert.throws(() => check('so', 1, { atMost: 1, atLeast: 0 }), /got atMost and atLeast/);
  assert.throws(() => check('so', 'fast', { atMost: 1 }), /atMost compares numbers; got 'fast' and 1/);
});
