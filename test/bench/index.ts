/**
 * `npm run bench`, or `npm run bench -- pool` (fetch, cluster, scale, capture, advise, kernel), or `npm run bench -- pool steady` for rows with that word:
 * the target table of the design, measured. Medians as a table, as JSON and as charts, in `test/dist/bench/results`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { compare } from 'tslab-parallel';
import { benchAdvise } from './advise';
import { benchCapture } from './capture';
import { benchCluster } from './cluster';
import { benchFetch } from './fetch';
import type { Measured } from './harness';
import { benchKernel } from './kernel';
import { benchPool } from './pool';
import { benchScale } from './scale';

async function main([area, row]: string[]): Promise<void> {
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model}, Node ${process.version}`;
  console.log(`${machine}; load ${loadavg()[0]!.toFixed(1)} at the start`);
  const measured: Measured[] = [];
  if (!area || area === 'pool') measured.push(...(await benchPool(row)));
  if (!area || area === 'fetch') measured.push(...(await benchFetch(row)));
  if (!area || area === 'cluster') measured.push(...(await benchCluster(row)));
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
  if (!area || area === 'scale') await benchScale();
  if (!area || area === 'capture') await benchCapture();
  if (!area || area === 'advise') await benchAdvise();
  if (!area || area === 'kernel') await benchKernel();
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
