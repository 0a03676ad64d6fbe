import { type Chart, type ChartOptions, checkOptions, createChart } from '../../helper/charts/chart';
import { thinned } from '../../helper/charts/series';
import { DASHES, PALETTE } from '../../helper/charts/theme';
import { count, time, timeUnit } from '../../helper/charts/units';
import { figure } from '../../helper/notebook';
import { samplesOf } from './samples';
import type { Samples } from './watch';

const MEGABYTE = 2 ** 20;
/** Points of all lines together. */
const MOST_POINTS = 1500;
/** More processes than this are one line together. */
const MOST_LINES = 6;

/**
 * Memory over time: what the system keeps in RAM for the kernel with its threads, and for each process it started.
 *
 * @param samples what `watchMemory()` returns, still watching or stopped.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function memory(samples: Samples, options: ChartOptions = {}): Chart {
  const { wallMs, series } = samplesOf(memory, samples, 'memory', 'watchMemory');
  checkOptions(memory, options);
  const all = Object.entries(series);
  const lines = all.length > MOST_LINES + 1 ? together(all) : all;
  const unit = timeUnit(wallMs);
  const points = lines.flatMap(([name, values]) =>
    thinned(values, MOST_POINTS / lines.length).map(([atMs, bytes]) => ({
      name,
      at: +(atMs / unit.ms).toPrecision(5),
      megabytes: +(bytes / MEGABYTE).toPrecision(4),
    })),
  );
  const peaks = lines.map(([name, values]) => {
    const peak = values.reduce((most, [, bytes]) => Math.max(most, bytes), 0);
    return `${name} ${figure(peak / MEGABYTE)} MB`;
  });
  const names = lines.map(([name]) => name);
  const palette = options.palette ?? PALETTE;
  const subtitle = peaks.length > 0 ? `At most: ${peaks.join(', ')}` : 'Nothing was seen.';
  const range = names.map((_, at) => palette[at % palette.length]!);
  const legend = names.length > 1 ? { title: null, orient: 'bottom', columns: 3 } : null;
  return createChart(
    {
      title: 'Memory over time',
      subtitle,
      description: `Memory over ${time(wallMs)}. ${subtitle}${subtitle.endsWith('.') ? '' : '.'}`,
      height: 200,
      spec: {
        data: { values: points },
        mark: {
          type: 'line',
          strokeWidth: 2,
          tooltip: { expr: "{process: datum.name, memory: format(datum.megabytes, '.3~r') + ' MB'}" },
        },
        encoding: {
          x: {
            field: 'at',
            type: 'quantitative',
            scale: { domain: [0, +(wallMs / unit.ms).toPrecision(5) || 1], nice: false },
            axis: { title: `time from the start (${unit.name})`, tickCount: { expr: 'width / 70' } },
          },
          y: {
            field: 'megabytes',
            type: 'quantitative',
            scale: { zero: true, nice: true },
            axis: { title: 'memory (MB)', tickCount: 5 },
          },
          color: {
            field: 'name',
            type: 'nominal',
            scale: { domain: names, range },
            legend,
          },
          strokeDash: {
            field: 'name',
            type: 'nominal',
            scale: { domain: names, range: names.map((_, at) => DASHES[at % DASHES.length]!) },
            legend,
          },
        },
      },
    },
    options,
  );
}

type Line = readonly [name: string, values: readonly (readonly [number, number])[]];

/** The kernel's line, and one for the sum of all the others. */
function together(lines: readonly Line[]): Line[] {
  const [kernel, ...others] = lines;
  const sums = new Map<number, number>();
  for (const [, values] of others) {
    for (const [atMs, bytes] of values) sums.set(atMs, (sums.get(atMs) ?? 0) + bytes);
  }
  return [
    kernel!,
    [`${count(others.length, 'process', 'processes')} together`, [...sums].sort((a, b) => a[0] - b[0])],
  ];
}
