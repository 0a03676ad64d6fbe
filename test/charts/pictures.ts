/** Every picture that the charts are held to, by name. Their SVGs are committed in snapshots/. */
import {
  type Chart,
  type ChartOptions,
  compare,
  latency,
  lines,
  type RunRecord,
  type Span,
  speedup,
  sweep,
  timeline,
  utilization,
} from 'tslab-parallel';
import { loopDelay, memory, type Samples } from 'tslab-parallel/handbook';
import { advice } from '#src/helper/charts/index';
import { fourBackends, random, record, shared, span } from './records';

const four = fourBackends();
const [serial, , thread] = four as [RunRecord, RunRecord, RunRecord, RunRecord];

export const pictures: Readonly<Record<string, () => Chart>> = {
  timelineOfFourBackends: () => timeline(four),
  timelineOfOneRun: () => timeline(thread, { queue: true }),
  timelineOfFailures: () => timeline(failing()),
  timelineWithLabels: () => timeline(blockingCalls()),
  timelineWithManyLabels: () => timeline(downloads()),
  timelineOfSharedSpans: () => timeline(shortItems()),
  timelineOfItemsInFlight: () => timeline(inFlight()),
  timelineOf200Lanes: () => timeline(crowd(200, 700)),
  timelineOf2000Lanes: () => timeline(crowd(2000, 6000)),
  timelineOfManySpans: () => timeline([manySpans(), serial]),
  timelineOfHours: () =>
    timeline(
      shared({ label: 'render', backend: 'cluster', workers: 3, lane: 'a:1' }, [3.6e6, 2e6, 5e6, 1e6, 4e6]),
    ),
  timelineOfMicroseconds: () =>
    timeline(shared({ label: 'tiny', backend: 'serial', workers: 1, lane: 'main' }, [0.004])),
  timelineOfARunningRun: () =>
    timeline(
      record({ label: 'crawl', status: 'running', total: 8, wallMs: 130 }, [
        span(0, 'thread 1', 2, 61),
        span(1, 'thread 2', 3, 80),
      ]),
    ),
  timelineOfAnEmptyRun: () => timeline(record({ label: 'empty' }, [])),
  timelineOfNothing: () => timeline([]),
  timelineWide: () => timeline(four, { width: 1400 }),
  timelineNarrow: () => timeline(four, { width: 300 }),
  compareFourBackends: () =>
    compare([
      ...four,
      { label: 'the document, Python loop', ms: 130 },
      { label: '문서의 파이썬 스레드', ms: 133 },
    ]),
  compareInKorean: () =>
    compare(
      [
        { ...serial, label: '반복문' },
        { ...thread, label: '스레드 두 개로 나누어 실행한 결과 (매우 긴 이름입니다)' },
      ],
      {
        title:
          '네 수의 약수를 구하는 데 걸린 시간: 반복문과 스레드 두 개를 나란히 비교합니다. 아주 긴 제목은 줄을 바꿉니다',
      },
    ),
  compareNarrow: () => compare(four, { width: 300 }),
  compareOneRun: () => compare(serial),
  compareWithFailures: () => compare([serial, failing()]),
  compareNothing: () => compare([]),
  speedupOfTwoBackends: () =>
    speedup([...scaling('thread', 0.08), ...scaling('process', 0.15), serial], { cores: 8 }),
  speedupOfOneBackend: () => speedup(scaling('thread', 0.02)),
  speedupOfOneRun: () => speedup(serial),
  sweepOfTwoBackends: () => sweep(sweeping(), { ideal: (atOnce) => Math.ceil(160 / atOnce) * 50 }),
  sweepOfNothing: () => sweep([]),
  linesOnLogAxes: () =>
    lines(
      {
        'TypeScript, asynchronous functions': [1, 10, 100, 1000].map((paths) => [paths, 300 + paths / 50]),
        'Python, threads': [1, 10, 100, 1000].map((paths) => [paths, 410 + paths / 9]),
        이상: [
          [1, 300],
          [1000, 0],
        ],
      },
      { x: 'paths', y: 'time (ms)', log: 'xy', title: 'More paths, the same work' },
    ),
  linesOfFewDoublings: () =>
    lines(
      {
        waiting: [1, 2, 4, 8].map((workers) => [workers, 0.97 * workers]),
        computing: [1, 2, 4, 8].map((workers) => [workers, Math.min(workers, 1.9)]),
      },
      { x: 'workers', y: 'times faster', log: 'xy', title: 'More workers than cores' },
    ),
  linesOfExactSizes: () =>
    lines(
      { copied: [8, 2048, 524_288, 4_194_304].map((size) => [size, size / 3]) },
      { x: 'size (bytes)', y: 'time (ns)', log: 'xy', title: 'What a message takes' },
    ),
  linesOverManyPowers: () =>
    lines(
      { copied: Array.from({ length: 22 }, (_, power) => [2 ** power, 0.002 * 2 ** power + 0.01]) },
      { x: 'size (bytes)', y: 'time (ms)', log: 'xy', title: 'What a message takes' },
    ),
  linesInSteps: () =>
    lines(
      {
        waiting: Array.from({ length: 400 }, (_, at) => [
          at * 5,
          Math.max(0, at % 60 > 30 ? 60 - (at % 60) : at % 60),
        ]),
      },
      { x: 'time (ms)', y: 'values in the queue', steps: true },
    ),
  linesOfNothing: () => lines({}),
  adviceToShare: () => adviceOf({ serial: 1460, async: 1450, thread: 790, process: 905 }, 'thread'),
  adviceToLeaveItALoop: () => adviceOf({ serial: 1.6, thread: 49.4, process: 170 }, 'serial'),
  adviceNarrow: () =>
    adviceOf({ serial: 2020, async: 53.7, thread: 640, process: 760 }, 'async', { width: 300 }),
  latencyOfTwoRuns: () => latency([pages(), thread]),
  latencyOfOneRun: () => latency(pages()),
  latencyLogarithmic: () => latency(pages(), { scale: 'log' }),
  latencyOfWaits: () => latency(pages(), { of: 'waited' }),
  latencyOfAnEmptyRun: () => latency(record({ label: 'empty' }, [])),
  utilizationOfFiveRuns: () => utilization([...four, pages()]),
  utilizationOfOneRun: () => utilization(thread),
  utilizationOfNothing: () => utilization([]),
  loopDelayWithALongTask: () => loopDelay(delays(212)),
  loopDelayOfAQuietLoop: () => loopDelay(delays(0)),
  loopDelayNeverBlocked: () => loopDelay(delays(0, 0.8)),
  memoryOfThreeProcesses: () => memory(memorySamples(2)),
  memoryOfManyProcesses: () => memory(memorySamples(40)),
};

function failing(): RunRecord {
  const next = random(3);
  const took = Array.from({ length: 18 }, () => 20 + 60 * next());
  const spans = [...shared({ label: '', workers: 3, lane: 'thread' }, took).spans];
  spans[4] = { ...spans[4]!, status: 'failed', error: 'Error: 429 Too Many Requests' };
  spans[9] = { ...spans[9]!, status: 'cancelled' };
  spans[10] = { ...spans[10]!, status: 'failed', error: 'Error: reset', attempt: 2 };
  return record({ label: '수집 (재시도)', workers: 3, status: 'failed', wallMs: 310 }, spans);
}

function blockingCalls(): RunRecord {
  const calls = [0, 1, 2, 3, 4].map((i) => span(i, `thread ${i + 1}`, 1 + i * 0.3, 101 + i * 0.5));
  return record({ label: '다섯 번의 블로킹 호출', workers: 5, wallMs: 104 }, [
    ...calls,
    span(-1, 'main', 2, 38, { label: '헬리콥터 위치 계산' }),
    span(-1, 'main', 40, 60, { label: 'draw' }),
  ]);
}

/** More labels than colours: no legend. */
function downloads(): RunRecord {
  const next = random(8);
  const run = shared(
    { label: 'downloads', backend: 'async', workers: 3, lane: 'async' },
    Array.from({ length: 12 }, () => 30 + 90 * next()),
  );
  return record(
    { ...run },
    [...run.spans].map((one) => ({ ...one, label: `page-${one.index}.html` })),
  );
}

function shortItems(): RunRecord {
  const spans = Array.from({ length: 12 }, (_, at) =>
    span(at * 512, `thread ${(at % 2) + 1}`, (at >> 1) * 1.4 + 0.1, (at >> 1) * 1.4 + 1.4, {
      count: at === 11 ? 300 : 512,
    }),
  );
  return record({ label: 'squares' }, spans);
}

/** Two workers with three items in flight each: spans of one lane overlap. */
function inFlight(): RunRecord {
  const next = random(5);
  const spans: Span[] = [];
  for (const lane of ['process 1', 'process 2']) {
    for (let slot = 0; slot < 3; slot++) {
      for (let at = slot * 4; at < 260; ) {
        const took = 30 + 50 * next();
        spans.push(span(spans.length, lane, at, at + took));
        at += took + 1;
      }
    }
  }
  return record({ label: 'requests', backend: 'process', workers: 2 }, spans);
}

export function crowd(lanes: number, items: number): RunRecord {
  const next = random(lanes);
  const took = Array.from({ length: items }, () => 100 + 900 * next());
  return shared({ label: 'crowd', backend: 'async', workers: lanes, lane: 'async' }, took);
}

function manySpans(): RunRecord {
  const next = random(2);
  const spans: Span[] = [];
  for (const lane of ['thread 1', 'thread 2']) {
    let at = 0;
    for (let i = 0; i < 20_000; i++) {
      const starved = i > 9_000 && i < 12_000;
      const took = next() * (starved ? 0.2 : 1);
      spans.push(
        span(
          spans.length,
          lane,
          at,
          at + took,
          i % 5_000 === 77 ? { status: 'failed', error: 'Error: one of many' } : {},
        ),
      );
      at += took + (starved ? 0.8 : 0.01);
    }
  }
  return record({ label: 'grid' }, spans);
}

function scaling(backend: 'thread' | 'process', serialShare: number): RunRecord[] {
  const next = random(11);
  return [1, 2, 4, 8, 16].map((workers) => {
    const wallMs = 1000 * (serialShare + (1 - serialShare) / workers) * (1 + 0.03 * (next() - 0.5));
    return record({ label: `${backend} ${workers}`, backend, workers, wallMs }, []);
  });
}

function sweeping(): RunRecord[] {
  return [1, 2, 5, 10, 20, 40, 80, 160].flatMap((workers) => [
    record(
      { label: `${workers}`, backend: 'async', workers, wallMs: Math.ceil(160 / workers) * 52 + workers },
      [],
    ),
    record(
      {
        label: `${workers}`,
        backend: 'thread',
        workers,
        wallMs: Math.ceil(160 / workers) * 57 + workers * 4,
      },
      [],
    ),
  ]);
}

function pages(): RunRecord {
  const next = random(11);
  const took = Array.from(
    { length: 400 },
    () => 40 + 20 * next() - 8 * Math.log(1 - next()) * (next() < 0.05 ? 10 : 1),
  );
  return shared({ label: '400 pages, 20 at once', backend: 'async', workers: 20, lane: 'async' }, took);
}

function delays(longest: number, mostJitter = 1.2): Samples {
  const next = random(4);
  const seen = Array.from({ length: 200 }, (_, at) => {
    const jitter = mostJitter * next();
    return [
      at * 6,
      at === 60 ? Math.max(jitter, longest) : at === 120 ? Math.max(jitter, longest / 3.4) : jitter,
    ] as const;
  });
  return {
    kind: 'loopDelay',
    startedAt: '2026-11-20T09:00:00.000Z',
    everyMs: 5,
    wallMs: 1200,
    series: { 'event loop': seen },
  };
}

function memorySamples(processes: number): Samples {
  const next = random(6);
  const series: Record<string, [number, number][]> = {
    'kernel with its threads': Array.from({ length: 60 }, (_, at) => [
      at * 50,
      (120 + 40 * Math.sin(at / 9) + 4 * next()) * 2 ** 20,
    ]),
  };
  for (let process = 0; process < processes; process++) {
    series[`process ${4711 + process}`] = Array.from({ length: 40 }, (_, at) => [
      at * 50 + 500,
      (55 + at * (0.7 - 0.2 * (process % 3))) * 2 ** 20,
    ]);
  }
  return { kind: 'memory', startedAt: '2026-11-20T09:00:00.000Z', everyMs: 50, wallMs: 3000, series };
}

function adviceOf(ms: Record<string, number>, use: string, options?: ChartOptions): Chart {
  const workers: Record<string, number> = { serial: 1, async: 50, thread: 2, process: 2 };
  const plans = Object.keys(ms).map((backend) => ({ backend, workers: workers[backend]!, ms: ms[backend]! }));
  return advice(plans, plans.find(({ backend }) => backend === use)!, options);
}
