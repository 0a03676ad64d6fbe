import { figure } from '../notebook';
import type { RunRecord } from '../record';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import { lanesFor, type Recorded, recordsOf } from './record';
import { bySeries, POINT } from './series';
import { NEUTRAL, PALETTE, SHAPES } from './theme';
import { roundSteps, time, timeUnit } from './units';

export interface SweepOptions extends ChartOptions {
  /** The best time possible in milliseconds with so many at once: drawn as a dashed line. */
  ideal?: (atOnce: number) => number;
  /** What the horizontal axis counts. Default `at once`. */
  counted?: string;
}

/**
 * Time against concurrency: one point a run, at the number of lanes that it had (workers, or items in flight). Runs of
 * one backend are joined, and the fastest is named. Both axes are logarithmic, so that twice as many at once in half
 * the time is a straight line.
 *
 * @param runs runs of the same work with different `workers`.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function sweep(runs: Recorded | readonly Recorded[], options: SweepOptions = {}): Chart {
  const records = recordsOf(sweep, runs);
  checkOptions(sweep, options, {
    ideal: {
      words: 'a function from a number to milliseconds',
      test: (value) => typeof value === 'function',
    },
    counted: { words: 'a string', test: (value) => typeof value === 'string' },
  });
  const counted = options.counted ?? 'at once';
  const finished = records.filter(({ status, wallMs }) => status === 'done' && wallMs > 0);
  const longest = Math.max(0, ...finished.map(({ wallMs }) => wallMs));
  const unit = timeUnit(longest);
  const points = finished
    .map((run) => ({
      series: run.backend,
      label: run.label,
      atOnce: lanesFor(run),
      time: +(run.wallMs / unit.ms).toPrecision(5),
      text: time(run.wallMs),
    }))
    .sort((a, b) => a.atOnce - b.atOnce);
  const names = [...new Set(points.map(({ series }) => series))];
  const best = finished.reduce<RunRecord | undefined>(
    (least, run) => (least && least.wallMs <= run.wallMs ? least : run),
    undefined,
  );
  const counts = [...new Set(points.map(({ atOnce }) => atOnce))];
  const ideals = options.ideal
    ? counts
        .map((atOnce) => ({ atOnce, time: +(options.ideal!(atOnce) / unit.ms).toPrecision(5) }))
        .filter(({ time }) => time > 0)
    : [];
  const by = bySeries('series', names);
  const color = by(options.palette ?? PALETTE);
  const x = {
    field: 'atOnce',
    type: 'quantitative',
    scale: { type: 'log', base: 2, nice: false, padding: 16 },
    axis: { title: counted, values: counts, format: ',d', grid: false, labelOverlap: 'greedy' },
  };
  const y = {
    field: 'time',
    type: 'quantitative',
    scale: { type: 'log', nice: false, padding: 16 },
    axis: {
      title: `wall time (${unit.name})`,
      values: roundSteps([...points, ...ideals].map(({ time }) => time)),
      format: '.3~r',
    },
  };
  const layer: object[] = [
    {
      name: 'lines',
      data: { values: points },
      mark: { type: 'line', strokeWidth: 2, opacity: 0.85 },
      encoding: { x, y, color },
    },
    {
      name: 'measured',
      data: { values: points },
      mark: {
        ...POINT,
        tooltip: {
          expr: `{run: datum.label, '${counted.replace(/['\\]/g, ' ')}': datum.atOnce, took: datum.text}`,
        },
      },
      encoding: {
        x,
        y,
        color,
        shape: by(SHAPES),
      },
    },
  ];
  if (ideals.length > 0) {
    layer.unshift({
      name: 'ideal',
      data: { values: ideals },
      mark: { type: 'line', color: NEUTRAL, strokeDash: [5, 4], strokeWidth: 1.5 },
      encoding: { x, y },
    });
  }
  const subtitle = best
    ? `Fastest: ${time(best.wallMs)} with ${lanesFor(best).toLocaleString('en-US')} ${counted}${ideals.length > 0 ? '. Dashed: the best possible' : ''}`
    : 'No finished runs.';
  return createChart(
    {
      title: `Time against how many ${counted}`,
      subtitle,
      description: [
        `Time against how many ${counted}.`,
        points.length > 0
          ? `${points.map(({ series, atOnce, text }) => `${names.length > 1 ? `${series} ` : ''}${figure(atOnce)}: ${text}`).join(', ')}.`
          : '',
        `${subtitle}${subtitle.endsWith('.') ? '' : '.'}`,
      ]
        .filter(Boolean)
        .join(' '),
      height: points.length > 0 ? 260 : 20,
      spec: points.length > 0 ? { layer } : { data: { values: [] }, mark: 'point' },
    },
    options,
  );
}
