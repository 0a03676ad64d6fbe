/**
 * `npm run bench`, or `npm run bench -- pool` (data, fetch, cluster, cells, scale, capture, advise, kernel), or `npm run bench -- pool steady` for rows with that word:
 * the target table of the design, measured. Medians as a table, as JSON and as charts, in `test/dist/bench/results`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { compare } from 'tslab-parallel';
import { benchAdvise } from './advise';
import { benchCapture } from './capture';
import { benchCells } from './cells';
import { benchCluster } from './cluster';
import { benchData } from './data';
import { benchFetch } from './fetch';
import type { Measured } from './harness';
import { benchKernel } from './kernel';
import { benchPool } from './pool';
import { benchScale } from './scale';

/** Each returns its rows, or prints them itself. */
const AREAS: Record<string, (row?: string) => Promise<Measured[] | undefined>> = {
  pool: benchPool,
  data: benchData,
  fetch: benchFetch,
  cluster: benchCluster,
  cells: async () => void benchCells(),
  scale: () => benchScale().then(() => undefined),
  capture: () => benchCapture().then(() => undefined),
  advise: () => benchAdvise().then(() => undefined),
  kernel: () => benchKernel().then(() => undefined),
};

/** @returns what could not be measured, in sentences */
async function main([only, row]: string[]): Promise<string[]> {
  if (only && !(only in AREAS))
    return [`There is no area ${only}; there are ${Object.keys(AREAS).join(', ')}.`];
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model}, Node ${process.version}`;
  console.log(`${machine}; load ${loadavg()[0]!.toFixed(1)} at the start`);
  const measured: Measured[] = [];
  const failures: string[] = [];
  for (const [area, bench] of Object.entries(AREAS)) {
    if (only && area !== only) continue;
    try {
      measured.push(...((await bench(row)) ?? []));
    } catch (error) {
      // What this one needs may be missing here; the others don't depend on it.
      failures.push(`${area}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const folder = join(__dirname, 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'bench.json'),
    JSON.stringify({ machine, at: new Date().toISOString(), measured }, null, 2),
  );
  for (const { row: title, medians } of measured) {
    const bars = Object.entries(medians).map(([label, ms]) => ({ label, ms }));
    const name = title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    writeFileSync(join(folder, `${name}.svg`), await compare(bars, { title }).toSVG());
  }
  if (measured.length > 0) console.log(`\nAlso in ${folder}`);
  return failures;
}

main(process.argv.slice(2)).then(
  (failures) => {
    for (const failure of failures) console.error(`\nNot measured: ${failure}`);
    process.exit(failures.length > 0 ? 1 : 0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
