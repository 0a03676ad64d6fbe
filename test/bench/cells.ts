/** Cells that run again and again, each with a pool of its own: what they leave behind. In a process of its own, as in a fresh kernel. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { type Backend, createPool } from 'tslab-parallel';

/** Threads of this process, or processes that it started; memory of them all. */
interface Footprint {
  readonly workers: number;
  readonly mb: number;
}

function footprint(backend: Backend): Footprint {
  const own = process.memoryUsage().rss / 2 ** 20;
  if (backend === 'thread') return { workers: readdirSync('/proc/self/task').length, mb: own };
  const table = execFileSync('ps', ['--ppid', String(process.pid), '-o', 'rss=,args='], { encoding: 'utf8' });
  const lines = table.split('\n').filter((line) => line.includes('worker.js'));
  return {
    workers: lines.length,
    mb: lines.reduce((sum, line) => sum + Number.parseInt(line, 10) / 1024, own),
  };
}

async function measure(backend: 'thread' | 'process', workers: number, cells: number): Promise<Footprint> {
  // What a kernel has after its first cell that used a pool, but for the workers.
  await createPool('serial').map([1], (n) => n);
  const before = footprint(backend);
  for (let cell = 0; cell < cells; cell++) {
    await createPool(backend, { workers }).map(
      Array.from({ length: 2 * workers }, () => 5),
      work,
    );
  }
  const after = footprint(backend);
  return { workers: after.workers - before.workers, mb: after.mb - before.mb };
}

async function work(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
}

export function benchCells(): void {
  const rows = [
    { backend: 'thread', workers: 4, cells: 20, most: { workers: 5, mb: 120 } },
    { backend: 'process', workers: 2, cells: 10, most: { workers: 2, mb: 250 } },
  ] as const;
  for (const { backend, workers, cells, most } of rows) {
    const args = [__filename, backend, String(workers), String(cells)];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (!stdout) throw new Error(stderr);
    const more = JSON.parse(stdout) as Footprint;
    console.log(`\n${cells} cells, each with a new pool of ${workers}: ${backend}`);
    for (const [what, figure] of Object.entries(more) as [keyof Footprint, number][]) {
      const held = figure <= most[what] ? 'held  ' : 'missed';
      console.log(`  ${held} ${what} more than before: ${Math.round(figure)} (target ≤ ${most[what]})`);
    }
  }
}

if (require.main === module) {
  const [backend, workers, cells] = process.argv.slice(2);
  measure(backend as 'thread' | 'process', Number(workers), Number(cells)).then((more) => {
    console.log(JSON.stringify(more));
    process.exit(0);
  });
}
