/** A stranger's program, compiled by `declarations.test.ts` as they would: it names every export once. It is not run. */
import * as everything from 'tslab-parallel';
import {
  AbandonedError,
  type Advice,
  type AdviceEvidence,
  type AdviceOptions,
  advise,
  availableCores,
  type Backend,
  type Call,
  type CallOptions,
  CancelledError,
  type Chart,
  type ChartOptions,
  ClusterError,
  compare,
  createPool,
  type Entry,
  type FanOutOptions,
  type Fetched,
  type FetchLike,
  fanOut,
  InterruptedError,
  ItemError,
  type KnownTime,
  type LatencyOptions,
  type LinesOptions,
  latency,
  lines,
  type MapOptions,
  Mutex,
  type ParmapOptions,
  type Pool,
  type PoolOptions,
  parmap,
  Queue,
  QueueClosedError,
  type QueueOptions,
  type Recorded,
  Recording,
  RequestError,
  type RequestErrorCode,
  Run,
  type RunOn,
  type RunOnOptions,
  type RunRecord,
  runOn,
  Semaphore,
  type Span,
  type Spans,
  type SpeedupOptions,
  type SweepOptions,
  show,
  speedup,
  sweep,
  Table,
  type TableOptions,
  type TimelineOptions,
  TimeoutError,
  type Timing,
  type TrackOptions,
  table,
  timeit,
  timeline,
  track,
  utilization,
  type WorkerContext,
  WorkerLostError,
} from 'tslab-parallel';
import {
  type Check,
  type Claim,
  type ClaimRow,
  type ClaimTable,
  check,
  claim,
  claims,
  type Expectation,
  type Failure,
  type Finding,
  loopDelay,
  memory,
  PythonError,
  type PythonOptions,
  type PythonRun,
  python,
  type Sample,
  type Samples,
  type SimulateOptions,
  Simulation,
  type SimulationItem,
  type SimulationStep,
  type Site,
  type SiteOptions,
  type SiteStats,
  seededRandom,
  simulate,
  startSite,
  type Watch,
  watchLoopDelay,
  watchMemory,
} from 'tslab-parallel/handbook';

/** An interface has no index signature: its rows are rows all the same. */
interface Row {
  id: number;
  name: string;
}

async function pools(how: 'collect' | 'throw'): Promise<void> {
  const options: PoolOptions<{ seed: number }> = { workers: 2, init: () => ({ seed: 1 }) };
  const pool: Pool<{ seed: number }> = createPool('thread', options);
  const fn = (row: Row, index: number, worker: WorkerContext<{ seed: number }>): number =>
    row.id + index + worker.local.seed;
  const rows: Row[] = [{ id: 1, name: 'a' }];
  const run: Run<number> = pool.map(rows, fn, { label: 'rows' });
  const numbers: number[] = await run;
  const settled: PromiseSettledResult<number>[] = await pool.map(rows, fn, { onError: 'collect' });
  const either: (number | PromiseSettledResult<number>)[] = await pool.map(rows, fn, { onError: how });
  // @ts-expect-error what comes is not known to be a number
  const wrong: number[] = await pool.map(rows, fn, { onError: how });
  const given: MapOptions = { retries: 1 };
  const parallel: ParmapOptions = { workers: 2, onError: 'throw' };
  const perhaps = await parmap(rows, (row) => row.name, { onError: how });
  const name: string | PromiseSettledResult<string> | undefined = perhaps[0];
  const call: Call<number> = pool.submit((a: number, b: number) => a + b, 1, 2);
  const limits: CallOptions = { timeoutMs: 1000, label: 'sum' };
  const limited: Call<string> = pool.withOptions(limits).submit(String, 1);
  const sum: number = await call;
  call.cancel();
  console.log(call.record.wallMs, await limited);
  for await (const { index, value } of run.completed()) console.log(index + value);
  await run.then(
    (values) => console.log(values.length),
    (error: Error) => console.log(error.message),
  );
  await parmap(rows, (row) => row.id, parallel);
  await pool.map(rows, fn, given);
  await pool.close();
  console.log(numbers, settled, either, wrong, name, sum, availableCores());
}

async function several(): Promise<void> {
  const four: RunOn = { backend: 'thread', workers: 4 };
  const options: RunOnOptions = { workers: 2, timeoutMs: 1000 };
  const named: Run<number>[] = await runOn({ loop: 'serial', four }, [1, 2], (n) => n * n, options);
  const listed: Run<string>[] = await runOn(['serial', 'async'], new Set([1]), String);
  const { medianMs, values }: Timing = await timeit(() => named.length, { times: 3 });
  console.log(listed, medianMs, values);
}

function records(run: Run<number>): void {
  const { spans }: { spans: Spans } = run.record;
  const slow: Span[] = spans.filter((span) => span.endMs - span.startMs > 10);
  const lanes: string[] = spans.map(({ lane }) => lane);
  const record: RunRecord = JSON.parse(JSON.stringify(run.record));
  const backend: Backend | 'python' | 'simulated' = record.backend;
  const own = new Recording({ label: 'mine' });
  own.add({ lane: 'me', startMs: 0, endMs: 1 });
  const plain: RunRecord = own;
  const tables: Table[] = [table(spans), table(slow), table(new Set<Row>()), table([plain])];
  const titled: TableOptions = { title: 'rows' };
  const recorded: Recorded[] = [run, record, own, plain];
  console.log(lanes, backend, tables, table([], titled), recorded);
}

async function charts(run: Run<number>): Promise<void> {
  const common: ChartOptions = { width: 400 };
  const known: KnownTime = { label: 'the document', ms: 10 };
  const lineOptions: LinesOptions = { title: 'lines' };
  const latencies: LatencyOptions = { title: 'latency' };
  const speedups: SpeedupOptions = { title: 'speedup' };
  const sweeps: SweepOptions = { title: 'sweep' };
  const rows: TimelineOptions = { title: 'timeline' };
  const all: Chart[] = [
    timeline(run, rows),
    compare([run, known], common),
    speedup([run], speedups),
    sweep([run], sweeps),
    latency(run, latencies),
    utilization(run),
    lines({ one: [[1, 2]] }, lineOptions),
  ];
  for (const chart of all) await show(chart);
  const watch: Watch = watchLoopDelay();
  const samples: Samples = watch.stop();
  const sample: Sample | undefined = Object.values(samples.series)[0]?.[0];
  console.log(loopDelay(samples), memory(watchMemory().stop()), sample);
}

async function fetching(how: 'collect' | 'throw', send: FetchLike): Promise<void> {
  const failure: Failure = 'reset';
  const siteOptions: SiteOptions = { pages: 2 };
  const site: Site = await startSite(siteOptions);
  const stats: SiteStats = await site.stats();
  const entries: Entry[] = [...site.urls];
  const pages: Fetched<string>[] = await fanOut(entries);
  const bytes: Fetched<Uint8Array>[] = await fanOut(entries, { as: 'bytes', concurrency: 2 });
  const collected: PromiseSettledResult<Fetched<string>>[] = await fanOut(entries, { onError: 'collect' });
  const either: (Fetched<string> | PromiseSettledResult<Fetched<string>>)[] = await fanOut(entries, {
    onError: how,
  });
  const lengths: Fetched<number>[] = await fanOut(entries, { parse: (bytes) => bytes.length });
  const options: FanOutOptions = { transport: send };
  try {
    await fanOut(entries, options);
  } catch (error) {
    if (error instanceof RequestError) {
      const code: RequestErrorCode = error.code;
      console.log(code);
    }
  }
  console.log(failure, stats, pages, bytes, collected, either, lengths);
}

async function explaining(): Promise<void> {
  const adviceOptions: AdviceOptions = { workers: 2 };
  const advice: Advice = await advise([1, 2], (n) => n * n, adviceOptions);
  const evidence: AdviceEvidence = advice.evidence;
  const expectation: Expectation = { atMost: 2 };
  const checked: Check | undefined = undefined;
  check('one', 1, expectation);
  const claimed: Claim | undefined = undefined;
  claim('one', { typescript: 1 }, expectation);
  const claimTable: ClaimTable = claims();
  const row: ClaimRow | undefined = claimTable.rows[0];
  const finding: Finding | undefined = undefined;
  const step: SimulationStep = { work: 1 };
  const item: SimulationItem = { steps: [step] };
  const simulateOptions: SimulateOptions = { workers: 1 };
  const simulation: Simulation = simulate([item], simulateOptions);
  const pythonOptions: PythonOptions = { timeoutMs: 1000 };
  const ran: PythonRun = await python('print(1)', pythonOptions);
  const trackOptions: TrackOptions = { label: 'rows' };
  for (const n of track([1, 2], trackOptions)) console.log(n);
  console.log(evidence, checked, claimed, row, finding, simulation, ran, seededRandom(1)());
}

async function sharing(): Promise<void> {
  const queueOptions: QueueOptions = { capacity: 2 };
  const queue = new Queue(queueOptions);
  const mutex = new Mutex();
  const semaphore = new Semaphore(1);
  console.log(queue, mutex, semaphore);
}

/** Each is an Error, and says with what. */
function errors(error: unknown): string {
  const classes = [
    AbandonedError,
    CancelledError,
    ClusterError,
    InterruptedError,
    ItemError,
    PythonError,
    QueueClosedError,
    RequestError,
    TimeoutError,
    WorkerLostError,
  ];
  return classes.some((one) => error instanceof one) ? String((error as Error).message) : '';
}

export { charts, errors, everything, explaining, fetching, pools, records, several, sharing };
export const isRun = (value: unknown): boolean => value instanceof Run || value instanceof Simulation;
export const isTable = (value: unknown): boolean => value instanceof Table;
