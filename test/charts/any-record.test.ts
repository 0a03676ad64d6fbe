/** Whatever a record holds, a chart of it is drawn, is not too large and shows no NaN. */
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Chart,
  compare,
  latency,
  type RunRecord,
  type Span,
  timeline,
  utilization,
} from 'tslab-parallel';
import { renderSVG } from '#src/helper/charts/svg';
import { record } from './records';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom('', 'it\'s "\\', '스레드', '<b>&amp;', '\n'),
);
const ms = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0, max: 1e8, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

const span: fc.Arbitrary<Span> = fc
  .record({
    index: fc.integer({ min: -1, max: 1e9 }),
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1e6 })),
    lane: fc.oneof(
      text,
      fc.integer({ min: 1, max: 300 }).map((n) => `thread ${n}`),
    ),
    queuedMs: ms,
    startMs: ms,
    took: ms,
    status: fc.constantFrom('ok' as const, 'failed' as const, 'cancelled' as const),
    attempt: fc.integer({ min: 1, max: 9 }),
    label: fc.option(text, { nil: undefined }),
    error: fc.option(text, { nil: undefined }),
  })
  .map(({ took, ...rest }) => ({ ...rest, endMs: rest.startMs + took }));

const run: fc.Arbitrary<RunRecord> = fc
  .record({
    label: text,
    backend: fc.constantFrom('serial' as const, 'async' as const, 'thread' as const, 'python' as const),
    workers: fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constant(Number.POSITIVE_INFINITY)),
    status: fc.constantFrom('running' as const, 'done' as const, 'failed' as const, 'interrupted' as const),
    total: fc.option(fc.nat(1e9)),
    wallMs: ms,
    spans: fc.array(span, { maxLength: 40 }),
    // More than can be drawn one by one.
    times: fc.constantFrom(1, 1, 1, 60),
  })
  .map(({ spans, times, ...rest }) => record(rest, new Array<Span[]>(times).fill(spans).flat()));

function check(chart: Chart): void {
  const spec = JSON.stringify(chart.spec, (key, value) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${key} is ${value}`);
    return value;
  });
  const svg = renderSVG(chart.spec, chart.description);
  const numbers = svg.replace(/>[^<]*</g, '><');
  if (/NaN|undefined|Infinity/.test(numbers))
    throw new Error(`not a number: ${/.{80}(NaN|undefined|Infinity)/.exec(numbers)?.[0]}`);
  const bytes = Buffer.byteLength(spec) + Buffer.byteLength(svg);
  if (bytes > 300_000) throw new Error(`${bytes} bytes`);
}

for (const draw of [timeline, compare, latency, utilization] as ((runs: RunRecord[]) => Chart)[]) {
  test(`${draw.name} of any records, also after JSON`, () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 3 }), (runs) => {
        check(draw(runs));
        check(draw(JSON.parse(JSON.stringify(runs))));
      }),
      { numRuns: 25 },
    );
  });
}
