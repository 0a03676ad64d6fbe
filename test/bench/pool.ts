/** The pool's rows of the target table, against peers, in one run. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { createPool, parmap } from 'tslab-parallel';
import { python } from 'tslab-parallel/handbook';
import * as workerpool from 'workerpool';
import { capture } from '#src/helper/closure/index';
import { type Measured, measure, print, type Row, timed } from './harness';

const workers = 2;
const peer = (name: string) => join(__dirname, `${name}.js`);

/** One process of Python: its pool starts and is warmed first, then `statement` is timed. */
async function pythonMs(setUp: string, statement: string, input: unknown): Promise<number> {
  const source = `
from time import perf_counter
from functions import square, squares
${setUp}
start = perf_counter()
result = ${statement}
elapsed = (perf_counter() - start) * 1000
pool_end()
[elapsed, sum(result)]
`;
  const module = `
def square(x): return x * x
def squares(n):
    total = 0.0
    for i in range(n): total += float(i) * i
    return total
`;
  const write = `
import os, sys, tempfile
folder = tempfile.mkdtemp()
open(os.path.join(folder, "functions.py"), "w").write('''${module}''')
sys.path.insert(0, folder)
`;
  const { value } = await python(write + source, { input, quiet: true });
  return (value as [number])[0];
}

const multiprocessing = `
import multiprocessing
pool = multiprocessing.Pool(${workers})
pool.map(square, range(100))
pool_end = pool.terminate
`;
const futures = `
from concurrent.futures import ProcessPoolExecutor
pool = ProcessPoolExecutor(${workers})
list(pool.map(square, range(100)))
pool_end = pool.shutdown
`;
const joblib = `
from joblib import Parallel, delayed
pool = Parallel(n_jobs=${workers})
pool(delayed(square)(x) for x in range(100))
pool_end = lambda: None
`;

function sumOfSquares(n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += i * i;
  return sum;
}
const square = (x: number) => x * x;

async function rows(): Promise<Row[]> {
  const threads = createPool('thread', { workers, idleMs: 600_000 });
  const processes = createPool('process', { workers, idleMs: 600_000 });
  await Promise.all([threads.ready(), processes.ready()]);
  const raw = workerpool.pool(peer('peer-workerpool'), {
    maxWorkers: workers,
    minWorkers: workers,
    workerType: 'thread',
  });
  const piscina = new Piscina({ filename: peer('peer'), minThreads: workers, maxThreads: workers });
  const { Tinypool } = await import('tinypool');
  const tinypool = new Tinypool({ filename: peer('peer'), minThreads: workers, maxThreads: workers });

  const long = Array.from({ length: 20 }, (_, index) => 80_000_000 + index);
  const short = Array.from({ length: 20 }, (_, index) => 5_000_000 + index);
  const small = Array.from({ length: 20_000 }, (_, index) => index);
  const million = Array.from({ length: 1_000_000 }, (_, index) => index);

  return [
    {
      name: '20 sums of squares, each 50 ms or more, warm pool of 2',
      rounds: 5,
      contenders: [
        { name: 'loop', run: () => timed(() => long.map(sumOfSquares)) },
        { name: 'threads', run: () => timed(() => threads.map(long, sumOfSquares)) },
        { name: 'processes', run: () => timed(() => processes.map(long, sumOfSquares)) },
      ],
      targets: [
        { text: 'threads against the loop', figure: (ms) => ms('loop') / ms('threads'), atLeast: 1.9 },
        { text: 'processes against the loop', figure: (ms) => ms('loop') / ms('processes'), atLeast: 1.85 },
      ],
    },
    {
      name: "20 sums of squares of 5,000,000, and Python's",
      rounds: 5,
      contenders: [
        { name: 'threads', run: () => timed(() => threads.map(short, sumOfSquares)) },
        {
          name: 'Python multiprocessing.Pool',
          rounds: 2,
          run: () => pythonMs(multiprocessing, 'pool.map(squares, data, chunksize=1)', short),
        },
      ],
      targets: [
        {
          text: "threads against Python's Pool",
          figure: (ms) => ms('Python multiprocessing.Pool') / ms('threads'),
          atLeast: 20,
        },
      ],
    },
    {
      name: '20,000 squares, steady',
      rounds: 31,
      contenders: [
        { name: 'loop', run: () => timed(() => small.map(square)) },
        { name: 'threads', run: () => timed(() => threads.map(small, square)) },
        { name: 'processes', run: () => timed(() => processes.map(small, square)) },
        {
          name: 'workerpool, a call an item',
          rounds: 3,
          run: () => timed(() => Promise.all(small.map((n) => raw.exec('square', [n])))),
        },
        { name: 'piscina', rounds: 3, run: () => timed(() => Promise.all(small.map((n) => piscina.run(n)))) },
        {
          name: 'tinypool',
          rounds: 3,
          run: () => timed(() => Promise.all(small.map((n) => tinypool.run(n)))),
        },
        {
          name: 'Python Pool.map',
          rounds: 3,
          run: () => pythonMs(multiprocessing, 'pool.map(square, data)', small),
        },
        {
          name: 'Python ProcessPoolExecutor, chunks of 2500',
          rounds: 3,
          run: () => pythonMs(futures, 'list(pool.map(square, data, chunksize=2500))', small),
        },
        {
          name: 'Python joblib',
          rounds: 3,
          run: () => pythonMs(joblib, 'pool(delayed(square)(x) for x in data)', small),
        },
      ],
      targets: [
        {
          text: 'against workerpool',
          figure: (ms) => ms('workerpool, a call an item') / ms('threads'),
          atLeast: 200,
        },
        { text: 'against piscina', figure: (ms) => ms('piscina') / ms('threads'), atLeast: 100 },
        {
          text: "against Python's Pool.map",
          figure: (ms) => ms('Python Pool.map') / ms('threads'),
          atLeast: 1.8,
        },
      ],
    },
    {
      name: '1,000,000 squares',
      rounds: 15,
      contenders: [
        { name: 'loop', run: () => timed(() => million.map(square)) },
        { name: 'threads', run: () => timed(() => threads.map(million, square)) },
        { name: 'bare typed-array messages', run: () => bareMessages(million) },
        {
          name: 'Python Pool.map',
          rounds: 3,
          run: () => pythonMs(multiprocessing, 'pool.map(square, data)', million),
        },
      ],
      targets: [
        {
          text: "against Python's Pool.map",
          figure: (ms) => ms('Python Pool.map') / ms('threads'),
          atLeast: 4,
        },
        {
          text: 'against bare messages',
          figure: (ms) => ms('threads') / ms('bare typed-array messages'),
          atMost: 1.3,
        },
      ],
    },
    ...[1, 100, 10_000, 1_000_000].map((count): Row => {
      const items = million.slice(0, count);
      return {
        name: `parmap of trivial work, ${count.toLocaleString('en-US')} items`,
        rounds: 31,
        contenders: [
          {
            name: 'loop',
            run: () =>
              timed(() => {
                const out: number[] = [];
                for (const item of items) out.push(square(item));
                return out.length;
              }),
          },
          { name: 'parmap', run: () => timed(() => parmap(items, square)) },
        ],
        targets: [
          {
            text: 'parmap less 1.1 times the loop, in ms',
            figure: (ms) => ms('parmap') - 1.1 * ms('loop'),
            atMost: 0.2,
          },
        ],
      };
    }),
    {
      name: 'first result from a cold thread pool',
      rounds: 15,
      contenders: [
        { name: 'bare Worker', run: bareFirst },
        { name: 'thread pool', run: coldFirst },
      ],
      targets: [
        {
          text: 'against a bare Worker',
          figure: (ms) => ms('thread pool') / ms('bare Worker'),
          atMost: 1.15,
        },
      ],
    },
    {
      name: 'first result of a new pool where workers are idle',
      rounds: 51,
      contenders: [
        { name: 'the same pool', run: () => timed(() => threads.map([7], square)) },
        { name: 'a new pool, threads', run: () => timed(() => createPool('thread').map([7], square)) },
        { name: 'a new pool, processes', run: () => timed(() => createPool('process').map([7], square)) },
      ],
      targets: [
        { text: 'threads, ms', figure: (ms) => ms('a new pool, threads'), atMost: 2 },
        { text: 'processes, ms', figure: (ms) => ms('a new pool, processes'), atMost: 2 },
      ],
    },
    {
      name: 'capture of a function with ten helpers and a class',
      rounds: 51,
      contenders: [
        { name: 'after the first', run: () => timed(() => capture(manyHelpers, { target: 'thread' })) },
      ],
      targets: [{ text: 'milliseconds', figure: (ms) => ms('after the first'), atMost: 0.5 }],
    },
    {
      name: 'an item lost to a dead worker',
      rounds: 15,
      contenders: [
        { name: 'threads', run: () => lostItem('thread') },
        { name: 'processes', run: () => lostItem('process') },
      ],
      targets: [
        { text: 'its place is filled, threads, ms', figure: (ms) => ms('threads'), atMost: 100 },
        { text: 'its place is filled, processes, ms', figure: (ms) => ms('processes'), atMost: 100 },
      ],
    },
  ];
}

/** What sharing a million numbers costs at the least: two workers, two typed arrays there, two back. */
async function bareMessages(items: readonly number[]): Promise<number> {
  bare ??= await Promise.all(Array.from({ length: workers }, startBare));
  const lanes = bare;
  return timed(async () => {
    const half = items.length / workers;
    const answers = await Promise.all(
      lanes.map((worker, lane) => {
        const numbers = Float64Array.from(items.slice(lane * half, (lane + 1) * half));
        const answer = new Promise<Float64Array>((resolve) => worker.once('message', resolve));
        worker.postMessage(numbers, [numbers.buffer]);
        return answer;
      }),
    );
    const values: number[] = new Array(items.length);
    let at = 0;
    for (const answer of answers) for (const value of answer) values[at++] = value;
    return values;
  });
}
let bare: Worker[] | undefined;

async function startBare(): Promise<Worker> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     parentPort.on('message', (numbers) => {
       for (let i = 0; i < numbers.length; i++) numbers[i] *= numbers[i];
       parentPort.postMessage(numbers, [numbers.buffer]);
     });
     parentPort.postMessage('up');`,
    { eval: true },
  );
  await new Promise((resolve) => worker.once('message', resolve));
  worker.unref();
  return worker;
}

async function bareFirst(): Promise<number> {
  let worker: Worker | undefined;
  const ms = await timed(async () => {
    worker = new Worker(peer('peer-bare'));
    const message = new Promise((resolve) => worker!.once('message', resolve));
    worker.postMessage(7);
    await message;
  });
  await worker!.terminate();
  return ms;
}

/** Workers of a kind that no other pool has: none is idle, and none will be found by others. */
const alone = () => ({ workers: 1, idleMs: 1, memoryMb: 4000 + ++kinds });
let kinds = 0;

async function coldFirst(): Promise<number> {
  const pool = createPool('thread', alone());
  const ms = await timed(() => pool.map([7], square));
  await pool.close();
  return ms;
}

/** From the end of the worker that had the item to the first item that runs in its place. */
async function lostItem(backend: 'thread' | 'process'): Promise<number> {
  const pool = createPool(backend, alone());
  await pool.ready();
  const run = pool.map(
    [0, 1],
    (n) => {
      if (n === 0) process.exit(1);
      return n;
    },
    { onError: 'collect', chunkSize: 1 },
  );
  await run;
  await pool.close();
  const [lost, next] = [...run.record.spans];
  return next!.startMs - lost!.endMs;
}

class Tally {
  total = 0;
  add(n: number): this {
    this.total += n;
    return this;
  }
}
const h1 = (n: number) => n + 1;
const h2 = (n: number) => h1(n) * 2;
const h3 = (n: number) => h2(n) - 3;
const h4 = (n: number) => h3(n) % 1000;
const h5 = (n: number) => h4(n) + h1(n);
const h6 = (n: number) => Math.sqrt(h5(n));
const h7 = (n: number) => Math.floor(h6(n));
const h8 = (n: number) => h7(n) + h2(n);
const h9 = (n: number) => h8(n) ** 2;
const h10 = (n: number) => h9(n) + h4(n);
const manyHelpers = (n: number) => new Tally().add(h10(n)).total;

export async function benchPool(only?: string): Promise<Measured[]> {
  const measured: Measured[] = [];
  const first = await timed(() => capture(manyHelpers, { target: 'thread' }));
  console.log(
    `capture of a function with ten helpers and a class, the first time: ${first.toFixed(2)} ms (target 2)`,
  );
  for (const row of await rows()) {
    if (only && !row.name.includes(only)) continue;
    const result = await measure(row);
    print(result);
    measured.push(result);
  }
  return measured;
}

if (require.main === module) benchPool(process.argv[2]).then(() => process.exit(0));
