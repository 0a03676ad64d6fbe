/** Draws the README's picture from a run: `node test/dist/bench/overview.js`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool, timeline } from 'tslab-parallel';

const numbers = [2139079, 1214759, 1516637, 1852285];
const repeat = 30;

function divisors(n: number): number[] {
  let found: number[] = [];
  for (let again = 0; again < repeat; again++) {
    found = [];
    for (let i = 1; i <= n; i++) if (n % i === 0) found.push(i);
  }
  return found;
}

async function main(): Promise<void> {
  numbers.map(divisors);
  const runs = [];
  for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
    const pool = createPool(backend, { workers: 2 });
    await pool.ready();
    const run = pool.map(numbers, divisors, { label: backend });
    await run;
    runs.push(run);
    await pool.close();
  }
  const chart = timeline(runs, { title: 'The divisors of four numbers, on two cores' });
  const file = join(__dirname, '..', '..', '..', 'notebooks', 'overview.svg');
  writeFileSync(file, await chart.toSVG());
  console.log(chart.description);
}

main();
