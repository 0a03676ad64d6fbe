/**
 * What the package costs a reader: cells timed on the real kernel from request to idle, medians of fresh kernels.
 *
 *     node test/dist/bench/kernel.js [rounds]
 *
 * The CPU time beside it is the kernel's own, on all its threads: it says more than the clock on a busy machine.
 */
import { loadavg } from 'node:os';
import { Kernel } from '../harness/kernel';
import { median } from './harness';

interface Measured {
  what: string;
  code: string;
  /** Milliseconds, from ../shared/design.md. */
  target?: number;
}

const load = `import { compare, createPool, timeline } from 'tslab-parallel';`;

/** In this order, each list in a kernel of its own. */
const lists: Measured[][] = [
  [
    { what: 'tslab alone: first cell, an import', code: `import * as os from 'node:os';` },
    { what: 'tslab alone: another cell', code: 'os.EOL.length' },
  ],
  [
    { what: 'import cell, cold', code: load, target: 250 },
    { what: 'import cell, again', code: load },
    {
      what: '100 items of 1 ms, serial',
      code: `const run = createPool('serial').map(Array(100).fill(1), (ms: number) => { for (const start = Date.now(); Date.now() - start < ms; ); });\nawait run;`,
    },
    { what: 'chart cell, the first', code: 'timeline(run)', target: 300 },
    { what: 'chart cell, again', code: 'timeline(run)', target: 60 },
    { what: 'another chart, the first', code: 'compare([run, run])', target: 60 },
    { what: 'another chart, again', code: 'compare([run, run])', target: 60 },
  ],
];

export async function benchKernel(rounds = 5): Promise<void> {
  const cells = lists.flat().map((cell) => ({ ...cell, wall: [] as number[], cpu: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    let next = 0;
    for (const list of lists) {
      const kernel = await Kernel.start();
      try {
        for (const { code } of list) {
          const before = kernel.cpuMs();
          const { ok, error, ms } = await kernel.run(code);
          if (!ok) throw new Error(`${code}\n${error}`);
          const cell = cells[next++]!;
          cell.wall.push(ms);
          cell.cpu.push(kernel.cpuMs() - before);
        }
      } finally {
        await kernel.close();
      }
    }
  }
  console.table(
    Object.fromEntries(
      cells.map(({ what, target, wall, cpu }) => [
        what,
        {
          ms: Math.round(median(wall)),
          range: `${Math.round(Math.min(...wall))} to ${Math.round(Math.max(...wall))}`,
          'CPU ms': median(cpu),
          target: target ? `<= ${target}` : '',
          held: target ? median(wall) <= target : '',
        },
      ]),
    ),
  );
  console.log(`Node ${process.version}, ${rounds} rounds, load average ${loadavg()[0]!.toFixed(1)}`);
}

if (require.main === module) benchKernel(Number(process.argv[2] ?? 5));
