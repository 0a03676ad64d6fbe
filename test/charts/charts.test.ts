/** What charts do beside looking right: what they accept, say, merge and refuse. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { inspect } from 'node:util';
import {
  type Chart,
  compare,
  latency,
  lines,
  Recording,
  type RunRecord,
  speedup,
  sweep,
  timeline,
  utilization,
} from 'tslab-parallel';
import { loopDelay, memory } from 'tslab-parallel/handbook';
import { PATIENCE_MS } from '../harness/processes';
import { fourBackends, record, shared, span } from './records';

type Spec = Record<string, unknown> & { layer: (Record<string, unknown> & { name?: string })[] };
const spec = (chart: Chart) => chart.spec as Spec;

/** Every object of a spec that stands in some data. */
function values(chart: Chart): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  JSON.stringify(chart.spec, (key, value) => {
    if (key === 'data') found.push(...value.values);
    return value;
  });
  return found;
}

/** A timeline's blocks. */
function blocks(chart: Chart): Record<string, unknown>[] {
  return values(chart).filter((value) => 'kind' in value);
}

const four = fourBackends();
const [loop, , threads] = four as [RunRecord, RunRecord, RunRecord, RunRecord];

suite('what a chart is drawn from', () => {
  test('a record, what holds one, and what JSON gives back: the same chart', () => {
    const parsed = JSON.parse(JSON.stringify(threads));
    for (const draw of [timeline, compare, latency, utilization]) {
      assert.deepEqual(draw({ record: threads }).spec, draw(threads).spec);
      assert.deepEqual(draw(parsed).spec, draw(threads).spec);
      assert.deepEqual(draw([threads]).spec, draw(threads).spec);
    }
  });

  test('a recording that still runs shows what there is so far', () => {
    const recording = new Recording({ label: 'crawl', backend: 'thread', workers: 2, total: 8 });
    recording.add(span(0, 'thread 1', 0, 5));
    assert.match(timeline(recording).description, /of 8 items so far on 2 threads/);
    assert.match(compare([loop, recording]).description, /of 8 items so far/);
  });

  test('anything else is refused in a sentence that names it', () => {
    // biome-ignore lint/suspicious/noExplicitAny: what a reader without types may give
    const any = (value: unknown) => value as any;
    for (const draw of [timeline, latency, utilization, sweep, speedup]) {
      assert.throws(() => draw(any(undefined)), {
        name: 'TypeError',
        message: `${draw.name}() draws a run, a record, or a list of them; got undefined. Give it the run itself (const run = pool.map(…)), not the results that awaiting it gives.`,
      });
      assert.throws(() => draw(any([threads, 4])), /the 2nd in the list is the number 4\./);
    }
    assert.throws(() => compare(any([threads, { label: 'the book', ms: '1 s' }])), {
      message:
        "compare() draws runs, records and known times such as { label: 'the book', ms: 1040 }; the 2nd in the list is an object with the keys label, ms. Give it the run itself (const run = pool.map(…)), not the results that awaiting it gives.",
    });
    assert.throws(() => compare(any({ label: 'the book', ms: -1 })), /got an object with the keys label, ms/);
    assert.throws(() => memory(any(threads)), /memory\(\) draws what watchMemory\(\) watched; got an object/);
    assert.throws(
      () => loopDelay(any(null)),
      /loopDelay\(\) draws what watchLoopDelay\(\) watched; got null/,
    );
  });

  test("an error's trace begins at the reader's call", () => {
    try {
      timeline([] as never, { wdith: 3 } as never);
      assert.fail('nothing was thrown');
    } catch (error) {
      const [message, first] = (error as Error).stack!.split('\n');
      assert.match(message!, /^TypeError: timeline\(\) has no option "wdith"; it has .*width/);
      assert.match(first!, /charts\.test/);
    }
  });
});

suite('options', () => {
  test('a wrong one is refused before anything is drawn', () => {
    const wrong: [string, unknown, string][] = [
      ['title', 5, "timeline()'s title is a string; got the number 5."],
      [
        'width',
        'wide',
        'timeline()\'s width is a number of pixels from 200 to 10,000; got the string "wide".',
      ],
      ['width', 10, "timeline()'s width is a number of pixels from 200 to 10,000; got the number 10."],
      [
        'height',
        Number.NaN,
        "timeline()'s height is a number of pixels from 40 to 10,000; got the number NaN.",
      ],
      ['palette', [], "timeline()'s palette is a list of one or more CSS colours; got an array of 0."],
      ['palette', 'red', 'timeline()\'s palette is a list of one or more CSS colours; got the string "red".'],
      ['spec', [], "timeline()'s spec is a partial Vega-Lite spec, an object; got an array of 0."],
      ['queue', 1, "timeline()'s queue is true or false; got the number 1."],
    ];
    for (const [name, value, message] of wrong) {
      assert.throws(() => timeline(threads, { [name]: value }), { name: 'TypeError', message });
    }
    assert.throws(() => compare(threads, 5 as never), /compare\(\)'s options are an object such as/);
    assert.throws(
      () => latency(threads, { of: 'waiting' as never }),
      /latency\(\)'s of is 'took', 'waited' or 'both'/,
    );
    assert.throws(() => speedup(threads, { cores: 1.5 }), /speedup\(\)'s cores is a whole number from 1/);
    assert.throws(() => lines({ a: [] }, { log: 'z' as never }), /lines\(\)'s log is "x", "y" or "xy"/);
    assert.throws(() => sweep(threads, { ideal: 5 as never }), /sweep\(\)'s ideal is a function/);
  });

  test('lines: what is no point is named', () => {
    assert.throws(() => lines([[1, 2]] as never), /such as \{ threads: .* \}; got an array of 1\.$/);
    assert.throws(() => lines({ a: 5 as never }), /a is the number 5\.$/);
    assert.throws(
      () =>
        lines({
          a: [
            [1, 2],
            [3, Number.NaN],
          ],
        }),
      /of two numbers, \[x, y\]; a\[1\] is \[3, NaN\]\.$/,
    );
    assert.throws(() => lines({ a: [7 as never] }), /a\[0\] is the number 7\.$/);
  });

  test('title, subtitle, width, height, palette', async () => {
    const chart = timeline(threads, {
      title: '무엇을 언제',
      subtitle: 'mine',
      width: 333,
      height: 100,
      palette: ['#112233'],
    });
    const svg = await chart.toSVG();
    assert.match(svg, /^<svg [^>]* width="333" /);
    assert.match(svg, />무엇을 언제</);
    assert.match(svg, />mine</);
    assert.match(svg, /fill="#112233"/);
    assert.doesNotMatch(svg, /#0072B2/i);
    assert.equal(spec(chart).height, 100);
  });

  test('each chart has a spec of its own, down to the last object', () => {
    const given = { encoding: { x: { axis: { grid: false } } }, data: { values: [{ at: new Date(0) }] } };
    const every = [
      () => timeline(four),
      () => compare(four),
      () => latency(threads, { spec: given }),
      () => utilization(four),
      () => lines({ one: [[1, 2]] }),
    ];
    const objectsOf = (value: unknown, found = new Set<object>()) => {
      if (typeof value !== 'object' || value === null || found.has(value)) return found;
      found.add(value);
      for (const part of Object.values(value)) objectsOf(part, found);
      return found;
    };
    const seen = objectsOf(given.encoding);
    for (const draw of [...every, ...every]) {
      const own = objectsOf(draw().spec);
      for (const object of own) {
        if (!(object instanceof Date)) assert.ok(!seen.has(object), JSON.stringify(object).slice(0, 200));
      }
      for (const object of own) seen.add(object);
    }
    (timeline(four).spec as { config: { axis: { gridOpacity: number } } }).config.axis.gridOpacity = 1;
    assert.notEqual(
      (timeline(four).spec as { config: { axis: { gridOpacity: number } } }).config.axis.gridOpacity,
      1,
    );
    assert.ok((latency(threads, { spec: given }).spec as typeof given).data.values[0]?.at instanceof Date);
  });

  test('a partial spec is merged: objects by field, anything else replaced, undefined removes', () => {
    const before = spec(compare(four));
    const after = spec(
      compare(four, {
        spec: {
          title: { text: 'mine' },
          config: { axis: { gridOpacity: 1 } },
          padding: 20,
          autosize: undefined,
        },
      }),
    );
    assert.deepEqual(after.title, { ...(before.title as object), text: 'mine' });
    assert.equal((after.config as { axis: { gridOpacity: number } }).axis.gridOpacity, 1);
    assert.deepEqual((after.config as { view: object }).view, (before.config as { view: object }).view);
    assert.equal(after.padding, 20);
    assert.equal('autosize' in after, false);
    assert.deepEqual(after.layer, before.layer);
    assert.deepEqual(spec(compare(four)), before, 'other charts stay as they are');
  });
});

suite('timeline', () => {
  test('every span is a block in its lane, at its time, with its fate', () => {
    const spans = [
      span(0, 'thread 1', 0, 10),
      span(1, 'thread 2', 1, 4, { status: 'failed', error: 'Error: oops' }),
      span(2, 'thread 2', 4, 9, { status: 'cancelled', attempt: 2 }),
    ];
    const blocks = values(timeline(record({ workers: 2, wallMs: 10 }, spans))).filter(
      (value) => 'item' in value,
    );
    assert.deepEqual(
      blocks.map(({ lane, item, start, end, status, error, attempt }) => ({
        lane,
        item,
        start,
        end,
        status,
        error,
        attempt,
      })),
      [
        {
          lane: 'thread 1',
          item: '0',
          start: 0,
          end: 10,
          status: undefined,
          error: undefined,
          attempt: undefined,
        },
        {
          lane: 'thread 2',
          item: '1',
          start: 1,
          end: 4,
          status: 'failed',
          error: 'Error: oops',
          attempt: undefined,
        },
        { lane: 'thread 2', item: '2', start: 4, end: 9, status: 'cancelled', error: undefined, attempt: 2 },
      ],
    );
  });

  test('spans of one lane that overlap are drawn below each other', () => {
    const spans = [span(0, 'async 1', 0, 10), span(1, 'async 1', 2, 5), span(2, 'async 1', 6, 9)];
    const [first, second, third] = blocks(timeline(record({ workers: 1 }, spans)));
    assert.ok((second!.y as number) >= (first!.y2 as number));
    assert.equal(third!.y, second!.y);
  });

  test('lanes are in their natural order, the main thread first', () => {
    const lanes = ['thread 10', 'thread 2', 'main', 'thread 1'];
    const chart = timeline(
      record(
        { workers: 10 },
        lanes.map((lane, at) => span(at, lane, at, at + 1)),
      ),
    );
    const names = (spec(chart).params as { name: string; value: Record<string, string> }[])[0]!.value;
    const inOrder = Object.keys(names).sort((a, b) => Number(a) - Number(b));
    assert.deepEqual(
      inOrder.map((y) => names[y]),
      ['main', 'thread 1', 'thread 2', 'thread 10'],
    );
  });

  test('a label has one colour everywhere and stands in the legend, items without one take turns', () => {
    const labelled = record({ label: 'a' }, [
      span(0, 'thread 1', 0, 1, { label: 'read' }),
      span(1, 'thread 2', 0, 1, { label: 'write' }),
      span(2, 'thread 1', 1, 2, { label: 'read' }),
    ]);
    const plain = record({ label: 'b' }, [span(0, 'thread 1', 0, 1), span(1, 'thread 2', 0, 1)]);
    const kinds = (chart: Chart) => blocks(chart).map(({ kind }) => kind);
    assert.deepEqual(kinds(timeline([labelled, plain])), ['read', 'read', 'write', 'color 1', 'color 2']);
    assert.match(JSON.stringify(timeline([labelled, plain]).spec), /"legend":\{"values":\["read","write"\]/);
    assert.doesNotMatch(JSON.stringify(timeline(plain).spec), /"legend":\{"values"/);
    // The main thread's own work beside a run's items.
    const beside = record({ label: 'c' }, [
      span(0, 'thread 1', 0, 1),
      span(-1, 'main', 0, 1, { label: 'draw' }),
    ]);
    assert.deepEqual(kinds(timeline(beside)), ['draw', 'items']);
  });

  test('spans that stand for several items say so', async () => {
    const chart = timeline(
      record({}, [span(0, 'thread 1', 0, 1, { count: 512 }), span(512, 'thread 1', 1, 2, { count: 20 })]),
    );
    assert.match(await chart.toSVG(), /each block up to 512 items/);
  });

  test('more than 800 spans become profiles, which say so, and no time is lost', async () => {
    const took = Array.from({ length: 5000 }, (_, at) => 1 + (at % 7));
    const run = shared({ workers: 4, lane: 'thread' }, took);
    const chart = timeline(run);
    assert.match(await chart.toSVG(), /height: share busy in each/);
    const points = values(chart).filter((value) => 'y2' in value && !('end' in value)) as {
      start: number;
      y: number;
      y2: number;
    }[];
    // The area under the outlines is the time in which the lanes were busy.
    let area = 0;
    points.forEach((point, at) => {
      const next = points[at + 1];
      if (next && next.y2 === point.y2) area += (next.start - point.start) * (point.y2 - point.y);
    });
    const rowHeight = 20;
    const busy = took.reduce((sum, ms) => sum + ms, 0) / 1000;
    assert.ok(Math.abs(area / rowHeight / busy - 1) < 0.02, `${area / rowHeight} s drawn, ${busy} s busy`);
  });

  test('a million spans are drawn soon, in less than 300 KB', async (t) => {
    const recording = new Recording({ label: 'million', backend: 'thread', workers: 2, total: 1_000_000 });
    for (let index = 0; index < 1_000_000; index++) {
      const at = (index >> 1) * 0.002;
      recording.add(span(index, `thread ${(index % 2) + 1}`, at, at + 0.0015));
    }
    recording.finish('done');
    await timeline(threads).toSVG(); // Vega is loaded
    const start = performance.now();
    const chart = timeline(recording);
    const svg = await chart.toSVG();
    const ms = performance.now() - start;
    t.diagnostic(`${Math.round(ms)} ms (target 1000)`);
    assert.ok(ms < PATIENCE_MS, `${ms} ms`);
    assert.ok(JSON.stringify(chart.spec).length + svg.length < 300_000);
  });

  test('no record makes a chart larger than 300 KB', async () => {
    const long = 'x'.repeat(500);
    const hard: [string, RunRecord | RunRecord[]][] = [
      [
        'errors and labels',
        record(
          {},
          Array.from({ length: 800 }, (_, at) =>
            span(at, `thread ${at % 16}`, at, at + 9, {
              status: 'failed',
              error: long,
              label: `${at}${long}`,
            }),
          ),
        ),
      ],
      [
        'noise on 200 lanes',
        record(
          { workers: 200 },
          Array.from({ length: 40_000 }, (_, at) =>
            span(at, `thread ${at % 200}`, at, at + 1 + ((at * 7919) % 397)),
          ),
        ),
      ],
      [
        '60 runs',
        Array.from({ length: 60 }, (_, at) =>
          shared({ label: `${at}`, workers: 4, lane: 'thread' }, new Array(200).fill(5)),
        ),
      ],
    ];
    for (const [name, run] of hard) {
      const chart = timeline(run);
      const bytes = Buffer.byteLength(JSON.stringify(chart.spec)) + Buffer.byteLength(await chart.toSVG());
      assert.ok(bytes < 300_000, `${name}: ${bytes} bytes`);
    }
  });
});

suite('compare', () => {
  const text = (chart: Chart) => values(chart).map((value) => value.text);

  test('says how each run compares with the first', () => {
    const at = (ms: number) => record({ label: `${ms}`, wallMs: ms, total: 4, workers: 2 }, []);
    assert.deepEqual(text(compare([at(100), at(50), at(96), at(105.5), at(8), at(0)])), [
      '100 ms',
      '50 ms, 2.0 × faster',
      '96 ms, no faster',
      '106 ms, 1.1 × slower',
      '8 ms, 13 × faster',
      '0 ms',
    ]);
  });

  test('a time from elsewhere has no ratio, but can be what is compared with', () => {
    assert.deepEqual(text(compare([loop, { label: 'book', ms: 1040 }])), ['98.2 ms', '1.04 s']);
    assert.deepEqual(text(compare([{ label: 'for loop', ms: 196.4 }, loop])), [
      '196 ms',
      '98.2 ms, 2.0 × faster',
    ]);
  });

  test('a run that was cut short is not compared', () => {
    const failed = record({ label: 'cut', status: 'failed', wallMs: 3, failed: 1, total: 4 }, []);
    assert.deepEqual(text(compare([loop, failed])), ['98.2 ms', '3 ms, 1 failed']);
    assert.deepEqual(text(compare([failed, loop])), ['3 ms, 1 failed', '98.2 ms']);
  });

  test("the ideal is the first run's time shared by the lanes, and never less than its longest item", () => {
    const loop = shared({ backend: 'serial', workers: 1, lane: 'main' }, [10, 10, 10, 30]);
    const on = (workers: number) => record({ workers, wallMs: 40, total: 4 }, []);
    const ideals = values(compare([loop, on(2), on(4), on(400)])).map((value) => value.ideal);
    assert.deepEqual(ideals, [undefined, 30, 30, 30]);
    const even = shared({ backend: 'serial', workers: 1, lane: 'main' }, [10, 10, 10, 10]);
    assert.deepEqual(
      values(compare([even, on(2), on(4), on(400)])).map((value) => value.ideal),
      [undefined, 20, 10, 10],
    );
  });

  test('runs of different numbers of items are called so', () => {
    const other = record({ label: 'more', total: 18, wallMs: 100 }, []);
    assert.match(
      JSON.stringify(spec(compare([loop, other], { width: 900 })).title),
      /Not the same work: 4, 18 items/,
    );
  });
});

suite('speedup', () => {
  const on = (workers: number, wallMs: number, backend: RunRecord['backend'] = 'thread') =>
    record({ label: `${workers}`, backend, workers, wallMs }, []);

  test("finds the serial share of times that follow Amdahl's law", () => {
    const times = [1, 2, 3, 4, 8, 16].map((n) => on(n, 1000 * (0.2 + 0.8 / n)));
    assert.match(
      speedup(times).description,
      /20 ± 0\.0 % of the work stays serial \(Amdahl\), so at most 5\.0 ×/,
    );
  });

  test('its error grows with the noise, and one point has none', () => {
    const noisy = [1, 2, 4, 8].map((n, at) => on(n, 1000 * (0.2 + 0.8 / n) * (at % 2 ? 1.1 : 0.9)));
    const error = Number(/± ([\d.]+) %/.exec(speedup(noisy).description)![1]);
    assert.ok(error > 2 && error < 20, `${error}`);
    assert.match(speedup([on(1, 100), on(2, 60)]).description, /1\.67 times on 2\. 20 % of the work/);
  });

  test('beyond the cores no run counts for the fit', () => {
    const times = [on(1, 1000), on(2, 500), on(8, 500), on(16, 500)];
    assert.match(speedup(times, { cores: 2 }).description, /0\.0 % of the work/);
    assert.doesNotMatch(speedup(times).description, / 0\.0 % of the work/);
  });

  test('another backend is compared with the loop, and without one worker it says what to add', () => {
    assert.match(
      speedup([on(1, 100, 'serial'), on(2, 50), on(2, 80, 'process')]).description,
      /thread: 2\.00 times on 2\. .*process: 1\.25 times on 2/s,
    );
    assert.throws(() => speedup([on(2, 50), on(4, 30)]), {
      message:
        "speedup() compares with a finished run on one worker; these have 2, 4. Add one: createPool('serial'), or { workers: 1 }.",
    });
    assert.throws(() => speedup([]), /there is no finished run/);
  });
});

suite('latency', () => {
  test('percentiles are the nearest rank, and shared spans count for all their items', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => span(at, 'thread 1', 0, at + 1));
    assert.match(
      latency(record({ label: 'a' }, hundred)).description,
      /100 items: median 50 ms, 90 % within 90 ms, 99 % within 99 ms, longest 100 ms/,
    );
    const sharing = [span(0, 'thread 1', 0, 0.99, { count: 99 }), span(99, 'thread 1', 1, 2)];
    assert.match(
      latency(record({ label: 'a' }, sharing)).description,
      /100 items: median 10 µs, 90 % within 10 µs, 99 % within 10 µs, longest 1 ms/,
    );
  });

  test('failed and cancelled items are not counted, nor what is no item', () => {
    const spans = [
      span(0, 'thread 1', 0, 5),
      span(1, 'thread 1', 5, 999, { status: 'failed' }),
      span(2, 'thread 1', 0, 999, { status: 'cancelled' }),
      span(-1, 'main', 0, 999),
    ];
    assert.match(latency(record({ label: 'a' }, spans)).description, /1 item: median 5 ms, .* longest 5 ms/);
  });

  test('waits, and waits with times', () => {
    const run = record({ label: 'a' }, [span(0, 'thread 1', 10, 15, { queuedMs: 10 })]);
    assert.match(latency(run, { of: 'waited' }).description, /longest 10 ms/);
    assert.match(latency(run, { of: 'both' }).description, /longest 15 ms/);
  });
});

suite('utilization', () => {
  test('the mean is the busy time over the time that there was', () => {
    assert.match(
      utilization(shared({ label: 'a', workers: 2, lane: 'thread' }, [30, 10])).description,
      /1\.33 of 2 lanes busy on average \(67 %\)/,
    );
    assert.match(
      utilization(shared({ label: 'a', workers: 2, lane: 'thread' }, new Array(2000).fill(1))).description,
      /2 of 2 lanes busy on average \(100 %\)/,
    );
  });
});

suite('showing', () => {
  test('outside a notebook a chart is its description', async (t) => {
    const chart = timeline(threads);
    assert.equal(inspect(chart), `Chart: ${chart.description}`);
    const log = t.mock.method(console, 'log', () => {});
    await chart.show();
    assert.deepEqual(log.mock.calls[0]?.arguments, [chart.description]);
  });

  test("Deno's protocol gives the bundle that a notebook would get", async () => {
    const chart = timeline(threads) as Chart & Record<symbol, () => Record<string, unknown>>;
    const bundle = chart[Symbol.for('Jupyter.display')]!();
    assert.deepEqual(Object.keys(bundle), [
      'application/vnd.vegalite.v5+json',
      'image/svg+xml',
      'text/plain',
    ]);
    assert.equal(bundle['application/vnd.vegalite.v5+json'], chart.spec);
    assert.equal(bundle['image/svg+xml'], await chart.toSVG());
    assert.equal(bundle['text/plain'], chart.description);
  });

  test('two SVGs in one page share no names', async () => {
    const ids = async (chart: Chart) =>
      [...(await chart.toSVG()).matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    const [one, other] = [await ids(timeline(threads)), await ids(timeline(loop))];
    assert.ok(one.length > 0 && other.length > 0);
    assert.equal(new Set([...one, ...other]).size, one.length + other.length);
  });
});
