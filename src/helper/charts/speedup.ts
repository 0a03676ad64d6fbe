import type { RunRecord } from '../record';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import { type Recorded, recordsOf, refusal } from './record';
import { bySeries, POINT } from './series';
import { POINTER_LAYER } from './svg';
import { PALETTE, SHAPES, THEME_TEXT } from './theme';
import { count, time } from './units';

export interface SpeedupOptions extends ChartOptions {
  /**
   * Cores of the machine: marked, and runs with more workers are left out of the fit, because no more of them can
   * compute at once. Leave it out for work that only waits.
   */
  cores?: number;
}

/** What Amdahl's law says of some runs. */
interface Fit {
  /** The share of the work that can't be shared, 0 to 1. */
  serial: number;
  /** Its standard error; undefined when there is only one point beside the base. */
  error?: number;
}

/**
 * How many times faster than with one worker, against the number of workers: measured, ideal, and the curve of Amdahl's
 * law (G. M. Amdahl, AFIPS 1967) fitted to it by least squares, with the share of the work that stays serial. Several
 * runs with the same number of workers are one point each; the base is the median of those with one worker. Backends are
 * told apart by colour and shape, and one without a run of its own with one worker is compared with the loop's. Where
 * scripts run, a slider shows the curve of any other serial share.
 *
 * @param runs runs of the same work, at least one of them with one worker.
 * @throws TypeError for anything else, when no finished run has one worker, and for options that it has not.
 */
export function speedup(runs: Recorded | readonly Recorded[], options: SpeedupOptions = {}): Chart {
  const records = recordsOf(speedup, runs);
  checkOptions(speedup, options, {
    cores: {
      words: 'a whole number from 1',
      test: (value) => Number.isInteger(value) && (value as number) >= 1,
    },
  });
  const finished = records.filter(
    ({ status, wallMs, workers }) => status === 'done' && wallMs > 0 && Number.isFinite(workers),
  );
  const single = finished.filter(({ workers }) => workers === 1);
  if (single.length === 0) {
    const came = finished.map(({ workers }) => workers).join(', ');
    throw refusal(
      speedup,
      `speedup() compares with a finished run on one worker; ${came ? `these have ${came}` : 'there is no finished run'}. ` +
        "Add one: createPool('serial'), or { workers: 1 }.",
    );
  }
  const groups = new Map<string, RunRecord[]>();
  for (const record of finished) groups.set(record.backend, [...(groups.get(record.backend) ?? []), record]);
  // The loop is what the others are compared with, not a curve of its own.
  if (groups.size > 1 && groups.get('serial')?.every(({ workers }) => workers === 1)) groups.delete('serial');

  const { cores } = options;
  const most = Math.max(2, ...finished.map(({ workers }) => workers));
  const series = [...groups].map(([name, group]) => {
    const own = group.filter(({ workers }) => workers === 1);
    const baseMs = median((own.length > 0 ? own : single).map(({ wallMs }) => wallMs));
    const points = group.map(({ workers, wallMs, label }) => ({
      series: name,
      label,
      workers,
      speedup: +(baseMs / wallMs).toPrecision(4),
      time: time(wallMs),
    }));
    return { name, points, fit: amdahl(points.filter(({ workers }) => !cores || workers <= cores)) };
  });
  const curve = series.flatMap(({ name, fit }) =>
    fit
      ? steps(most).map((workers) => ({
          series: name,
          workers,
          speedup: +(1 / (fit.serial + (1 - fit.serial) / workers)).toPrecision(4),
        }))
      : [],
  );
  const fastest = Math.max(...series.flatMap(({ points }) => points.map((point) => point.speedup)));
  const top = Math.max(fastest, 1.5) * 1.25;
  const names = series.map(({ name }) => name);
  const by = bySeries('series', names);
  const color = by(options.palette ?? PALETTE);
  const x = {
    field: 'workers',
    type: 'quantitative',
    scale: { domain: [1, most], nice: false, padding: 12 },
    axis: { title: 'workers', values: ticks(finished), format: 'd', grid: false },
  };
  const y = {
    field: 'speedup',
    type: 'quantitative',
    scale: { domain: [0, +Math.min(top, Math.max(most, fastest) * 1.05).toPrecision(3)], nice: true },
    axis: { title: 'times faster than one worker', tickCount: 6 },
  };
  const ideal = Math.min(most, top);
  const label = 1 + (ideal - 1) * 0.8;
  const layer: object[] = [
    {
      name: 'ideal',
      data: {
        values: [
          { workers: 1, speedup: 1 },
          { workers: ideal, speedup: ideal },
        ],
      },
      mark: { type: 'line', color: '#808080', strokeDash: [5, 4], strokeWidth: 1.5, clip: true },
      encoding: { x, y },
    },
    {
      name: 'ideal label',
      data: { values: [{ workers: label, speedup: label }] },
      mark: { ...THEME_TEXT, text: 'ideal', align: 'right', baseline: 'bottom', dx: -10 },
      encoding: { x, y },
    },
    {
      name: 'fit',
      data: { values: curve },
      mark: { type: 'line', strokeWidth: 2, opacity: 0.7, clip: true },
      encoding: { x, y, color },
    },
    {
      name: 'measured',
      data: { values: series.flatMap(({ points }) => points) },
      mark: {
        ...POINT,
        tooltip: {
          expr: "{run: datum.label, workers: datum.workers, took: datum.time, speedup: format(datum.speedup, '.2f') + ' ×'}",
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
  // Drag it and see what another share would do to more workers.
  const share = series.find(({ fit }) => fit)?.fit?.serial;
  const params =
    share === undefined
      ? []
      : [
          {
            name: 'serial',
            value: +(share * 100).toFixed(1),
            bind: { input: 'range', min: 0, max: 50, step: 0.1, name: 'What if this % stayed serial: ' },
          },
        ];
  if (params.length > 0) {
    layer.push({
      name: POINTER_LAYER,
      data: { sequence: { start: 1, stop: most + 0.001, step: (most - 1) / 48, as: 'workers' } },
      transform: [{ calculate: '1 / (serial / 100 + (1 - serial / 100) / datum.workers)', as: 'speedup' }],
      mark: {
        type: 'line',
        color: '#808080',
        strokeWidth: 1.5,
        strokeDash: [1, 3],
        strokeCap: 'round',
        clip: true,
      },
      encoding: { x, y },
    });
  }
  if (cores && cores > 1 && cores < most) {
    layer.unshift(
      {
        name: 'cores',
        data: { values: [{ workers: cores }] },
        mark: { type: 'rule', color: '#808080' },
        encoding: { x },
      },
      {
        name: 'cores label',
        data: { values: [{ workers: cores }] },
        mark: { ...THEME_TEXT, text: count(cores, 'core'), align: 'left', baseline: 'bottom', dx: 5, dy: -4 },
        encoding: { x, y: { value: { expr: 'height' } } },
      },
    );
  }
  const words = series.map(({ name, points, fit }) => inWords(name, points, fit));
  return createChart(
    {
      title: 'Speed-up against workers',
      subtitle: series
        .flatMap(({ name, fit }) => (fit ? [`${names.length > 1 ? `${name}: ` : ''}${fitInWords(fit)}`] : []))
        .join('\n'),
      description: `Speed-up against workers. ${words.join(' ')}`,
      height: 260,
      spec: { params, layer },
    },
    options,
  );
}

/**
 * Amdahl's law, T(n)/T(1) = s + (1 - s)/n, is linear in the serial share s: T(n)/T(1) - 1/n = s (1 - 1/n).
 * Least squares through the origin give s and its standard error.
 */
function amdahl(points: readonly { workers: number; speedup: number }[]): Fit | undefined {
  const pairs = points
    .filter(({ workers }) => workers > 1)
    .map(({ workers, speedup }) => ({ x: 1 - 1 / workers, y: 1 / speedup - 1 / workers }));
  if (pairs.length === 0) return undefined;
  const sum = (of: (pair: { x: number; y: number }) => number) =>
    pairs.reduce((total, pair) => total + of(pair), 0);
  const xx = sum(({ x }) => x * x);
  const slope = sum(({ x, y }) => x * y) / xx;
  const serial = Math.min(1, Math.max(0, slope));
  if (pairs.length === 1) return { serial };
  return { serial, error: Math.sqrt(sum(({ x, y }) => (y - slope * x) ** 2) / (pairs.length - 1) / xx) };
}

function fitInWords({ serial, error }: Fit): string {
  const share = `${percent(serial)}${error === undefined ? '' : ` ± ${percent(error)}`} %`;
  const limit = serial > 0.001 ? `, so at most ${(1 / serial).toPrecision(2)} ×` : '';
  return `${share} of the work stays serial (Amdahl)${limit}`;
}

function percent(share: number): string {
  return (share * 100).toFixed(share < 0.0995 ? 1 : 0);
}

function inWords(
  name: string,
  points: readonly { workers: number; speedup: number }[],
  fit: Fit | undefined,
): string {
  const figures = [...points]
    .filter(({ workers }) => workers > 1)
    .sort((a, b) => a.workers - b.workers)
    .map(({ workers, speedup }) => `${speedup.toFixed(2)} times on ${workers}`);
  return `${name}: ${figures.join(', ') || 'one worker only'}.${fit ? ` ${fitInWords(fit)}.` : ''}`;
}

function steps(most: number): number[] {
  const n = 48;
  return Array.from({ length: n + 1 }, (_, at) => +(1 + ((most - 1) * at) / n).toPrecision(4));
}

/** Worker counts that were measured, as long as there are not too many. */
function ticks(records: readonly RunRecord[]): number[] | undefined {
  const counts = [...new Set(records.map(({ workers }) => workers))].sort((a, b) => a - b);
  return counts.length <= 12 ? counts : undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
