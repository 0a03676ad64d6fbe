/** What people have: records, and the other kinds of values, against bare messages and a peer, in one run. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { createPool } from 'tslab-parallel';
import { type Measured, measure, print, type Row, timed } from './harness';
import type { Item } from './peer-chunk';

const COUNT = 20_000;
const many = <T>(make: (n: number) => T): T[] => Array.from({ length: COUNT }, (_, n) => make(n));

const records = (): Item[] =>
  many((id) => ({
    id,
    name: `record ${id}`,
    values: [1, 2, 3, 4, 5, 6, 7, 8, 9, id],
    tags: new Set<string | number>(['a', id]),
    at: new Date(id * 1000),
  }));
const KINDS: Record<string, () => unknown[]> = {
  'flat objects': () => many((n) => ({ a: n, b: `x${n}`, c: n * 2, d: true })),
  'nested objects': () => many((n) => ({ a: { b: { c: n, d: 'x' } }, e: [{ f: n }] })),
  'arrays of 4 numbers': () => many((n) => [n, n + 1, n + 2, n + 3]),
  dates: () => many((n) => new Date(n)),
  'short strings': () => many((n) => `s${n}`),
  'Float64Arrays of 16': () => many((n) => new Float64Array(16).fill(n)),
  'numbers and strings': () => many((n) => (n % 2 ? n : `s${n}`)),
};

const ECHO = `const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m));`;

class Plain {
  constructor(
    readonly a: number,
    readonly b: string,
  ) {}
}

async function rows(): Promise<{ rows: Row[]; end: () => Promise<void> }> {
  const options = { workers: 2, idleMs: 600_000 };
  const threads = createPool('thread', options);
  const processes = createPool('process', options);
  await threads.ready();
  await processes.ready();
  const bare = [0, 1].map(() => new Worker(ECHO, { eval: true }));
  const forked = [0, 1].map(() => fork(join(__dirname, 'peer-echo.js'), [], { serialization: 'advanced' }));
  const piscina = new Piscina({ filename: join(__dirname, 'peer-chunk.js'), minThreads: 2, maxThreads: 2 });
  const halves = (items: unknown[]) => [items.slice(0, items.length / 2), items.slice(items.length / 2)];
  const echoed = (items: unknown[]) =>
    Promise.all(
      halves(items).map(async (half, at) => {
        bare[at]!.postMessage(half);
        await once(bare[at]!, 'message');
      }),
    );
  const echoedByProcesses = (items: unknown[]) =>
    Promise.all(
      halves(items).map(async (half, at) => {
        forked[at]!.send(half as never);
        await once(forked[at]!, 'message');
      }),
    );
  const chunks = (items: Item[]) => {
    const size = items.length / 16;
    return Promise.all(
      Array.from({ length: 16 }, (_, at) => piscina.run(items.slice(at * size, (at + 1) * size))),
    );
  };
  const answer = ({ id, name, values, tags, at }: Item) => ({ id: id + 1, name, values, tags, at });
  const own = records();
  const flat = KINDS['flat objects']!();
  const instances = many((n) => new Plain(n, 'x'));
  const odd = flat.slice();
  odd[777] = new Plain(1, 'x');
  const list = Array.from({ length: 200_000 }, (_, id) => ({ id, name: `n${id}`, x: id / 3 }));
  const fromList = (n: number) => list[n]!.id;

  const result: Row[] = [
    {
      name: '20,000 records with a Set and a Date, answered with records',
      rounds: 7,
      contenders: [
        { name: 'threads', run: () => timed(() => threads.map(own, answer)) },
        { name: 'processes', run: () => timed(() => processes.map(own, answer)) },
        { name: 'piscina, 16 chunks', run: () => timed(() => chunks(own)) },
        { name: 'bare fork, halves', run: () => timed(() => echoedByProcesses(own)) },
      ],
      targets: [
        {
          text: 'threads against piscina',
          figure: (ms) => ms('threads') / ms('piscina, 16 chunks'),
          atMost: 1.3,
        },
        {
          text: 'processes against bare fork',
          figure: (ms) => ms('processes') / ms('bare fork, halves'),
          atMost: 1.5,
        },
      ],
    },
    ...Object.entries(KINDS).map(([kind, make]): Row => {
      const items = make();
      return {
        name: `20,000 ${kind}, x => x`,
        rounds: 7,
        contenders: [
          { name: 'threads', run: () => timed(() => threads.map(items, (x) => x)) },
          { name: 'two bare workers, halves', run: () => timed(() => echoed(items)) },
        ],
        targets: [
          {
            text: 'threads against bare workers',
            figure: (ms) => ms('threads') / ms('two bare workers, halves'),
            atMost: /strings/.test(kind) ? 1.5 : 1.3,
          },
        ],
      };
    }),
    {
      name: '20,000 class instances with two fields, and one among flat objects',
      rounds: 7,
      contenders: [
        { name: 'instances', run: () => timed(() => threads.map(instances, (x) => x)) },
        { name: 'flat objects', run: () => timed(() => threads.map(flat, (x) => x)) },
        { name: 'one instance among them', run: () => timed(() => threads.map(odd, (x) => x)) },
      ],
      targets: [
        {
          text: 'instances against flat objects',
          figure: (ms) => ms('instances') / ms('flat objects'),
          atMost: 3,
        },
      ],
    },
    {
      name: '200,000 captured objects, unchanged, again',
      rounds: 7,
      contenders: [
        { name: 'again', run: () => timed(() => threads.map([1, 2], fromList)) },
        {
          name: 'structuredClone, twice',
          run: () => timed(async () => [structuredClone(list), structuredClone(list)]),
        },
      ],
      targets: [{ text: 'milliseconds', figure: (ms) => ms('again'), atMost: 80 }],
    },
    {
      name: "a new pool's first answer, where workers are idle",
      rounds: 15,
      contenders: [
        { name: 'threads', run: () => timed(() => createPool('thread', options).map([1], (n) => n)) },
        { name: 'processes', run: () => timed(() => createPool('process', options).map([1], (n) => n)) },
      ],
      targets: [{ text: 'milliseconds, threads', figure: (ms) => ms('threads'), atMost: 2 }],
    },
    {
      name: '20,000 trivial items with timeoutMs',
      rounds: 5,
      contenders: [
        {
          name: 'with',
          run: () =>
            timed(() =>
              threads.map(
                many((n) => n),
                (n) => n + 1,
                { timeoutMs: 1000 },
              ),
            ),
        },
        {
          name: 'without',
          run: () =>
            timed(() =>
              threads.map(
                many((n) => n),
                (n) => n + 1,
              ),
            ),
        },
      ],
      targets: [{ text: 'with against without', figure: (ms) => ms('with') / ms('without'), atMost: 5 }],
    },
  ];
  // Warm, all of them.
  await threads.map([1], fromList);
  const end = async () => {
    await piscina.destroy();
    for (const worker of bare) await worker.terminate();
    for (const child of forked) child.kill();
    await threads.close();
    await processes.close();
  };
  return { rows: result, end };
}

export async function benchData(only?: string): Promise<Measured[]> {
  const { rows: all, end } = await rows();
  const measured: Measured[] = [];
  try {
    for (const row of all) {
      if (only && !row.name.includes(only)) continue;
      const one = await measure(row);
      print(one);
      measured.push(one);
    }
  } finally {
    await end();
  }
  return measured;
}
