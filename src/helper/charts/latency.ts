import type { RunRecord } from '../record';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import { type Recorded, recordsOf } from './record';
import { Rows } from './rows';
import { PALETTE, WIDTH } from './theme';
import { count, time, timeUnit } from './units';

export interface LatencyOptions extends ChartOptions {
  /** What is measured of each item: `took` from start to end (default), `waited` from ready to start, `both`. */
  of?: 'took' | 'waited' | 'both';
  /** Default: logarithmic where the longest is more than 50 times the shortest. */
  scale?: 'linear' | 'log';
}

const PERCENTILES = [50, 90, 99] as const;
const BINS = 80;
const ROW = 64;

/**
 * How long single items took: one row a run with the distribution, its median, and the times within which 90 and 99 of
 * 100 items were done. Items that failed or were cancelled are not counted. Items that share a span (each takes less
 * than 20 µs) count with their mean.
 *
 * @param runs a run, a record, one read back from JSON, or a list of them.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function latency(runs: Recorded | readonly Recorded[], options: LatencyOptions = {}): Chart {
  const records = recordsOf(latency, runs);
  checkOptions(latency, options, {
    of: {
      words: "'took', 'waited' or 'both'",
      test: (value) => ['took', 'waited', 'both'].includes(value as string),
    },
    scale: { words: "'linear' or 'log'", test: (value) => value === 'linear' || value === 'log' },
  });
  const of = options.of ?? 'took';
  const samples = records.map((record) => samplesOf(record, of));
  const filled = samples.filter(({ items }) => items > 0);
  const most = Math.max(0, ...filled.map(({ values }) => values.at(-1)!));
  // A logarithm has no place for 0, and waits are often 0: such items stand in the first column.
  const least = Math.min(
    ...filled.flatMap(({ values }) => values.find((value) => value > most / 1e4) ?? most),
  );
  const floor = filled.length > 0 ? least : 0;
  const log = options.scale ? options.scale === 'log' && most > 0 : most > 50 * floor && floor > 0;
  const unit = timeUnit(log ? Math.sqrt(floor * most) * 5 : most);
  const [from, to] = log ? [floor / 1.05, most * 1.05] : [0, most];
  const place = (ms: number) =>
    log ? Math.log(Math.max(ms, floor) / from) / Math.log(to / from) : (ms - from) / (to - from);
  const inUnit = (ms: number) => +(ms / unit.ms).toPrecision(5);
  const edge = (bin: number) =>
    log ? from * (to / from) ** (bin / BINS) : from + ((to - from) * bin) / BINS;

  const bars: object[] = [];
  const marks: object[] = [];
  const rows = new Rows(options.width ?? WIDTH, samples.length > 1 ? samples.map(({ label }) => label) : []);
  for (const sample of samples) {
    const { label, values, weights, items } = sample;
    rows.gap(10);
    if (samples.length > 1 || items === 0) rows.heading(inFigures(sample), label);
    if (items === 0) continue;
    const y = rows.add(ROW);
    {
      const bins = new Float64Array(BINS);
      values.forEach((value, at) => {
        bins[Math.min(BINS - 1, Math.max(0, Math.floor(place(value) * BINS)))]! += weights[at]!;
      });
      const highest = Math.max(...bins);
      bins.forEach((items, bin) => {
        if (items > 0) {
          bars.push({
            start: inUnit(edge(bin)),
            end: inUnit(edge(bin + 1)),
            // A single item among a million is still to be seen.
            y: +(y + ROW - Math.max(1, (items / highest) * (ROW - 6))).toFixed(1),
            y2: y + ROW,
            items,
          });
        }
      });
      for (const percent of PERCENTILES) {
        const at = percentile(sample, percent);
        marks.push({
          at: inUnit(at),
          y: y - 2,
          y2: y + ROW,
          text: percent === 50 ? 'median' : `${percent} %`,
          took: time(at),
        });
      }
    }
  }
  if (samples.length === 0) rows.heading('No runs.');
  const x = {
    type: 'quantitative',
    scale: {
      type: log ? 'log' : 'linear',
      domain: [inUnit(from) || (log ? 1e-6 : 0), inUnit(to) || 1],
      nice: false,
    },
    axis:
      most > 0
        ? {
            title: `${AXIS[of]} (${unit.name}${log ? ', logarithmic' : ''})`,
            tickCount: { expr: 'width / 80' },
            ...(log ? { format: '.3~r' } : {}),
          }
        : null,
  };
  const description = `${TITLE[of]}. ${samples.map((sample) => `${sample.label}: ${inFigures(sample)}`).join('; ')}.`;
  return createChart(
    {
      title: TITLE[of],
      subtitle: subtitleOf(samples),
      description,
      height: rows.height,
      spec: {
        params: rows.params(),
        layer: [
          {
            name: 'bins',
            data: { values: bars },
            mark: {
              type: 'rect',
              color: (options.palette ?? PALETTE)[0],
              x2Offset: -0.5,
              tooltip: {
                expr: `{items: format(datum.items, ','), from: format(datum.start, '.3~g') + ' ${unit.name}', to: format(datum.end, '.3~g') + ' ${unit.name}'}`,
              },
            },
            encoding: {
              x: { ...x, field: 'start' },
              x2: { field: 'end' },
              y: rows.y('y'),
              y2: { field: 'y2' },
            },
          },
          {
            name: 'percentiles',
            data: { values: marks },
            mark: {
              type: 'rule',
              color: (options.palette ?? PALETTE)[5 % (options.palette ?? PALETTE).length],
              strokeWidth: 2,
              tooltip: { expr: '{within: datum.took, share: datum.text}' },
            },
            encoding: { x: { ...x, field: 'at' }, y: rows.y('y'), y2: { field: 'y2' } },
          },
          ...rows.headings(),
        ],
      },
    },
    options,
  );
}

const TITLE = {
  took: 'How long items took',
  waited: 'How long items waited for their start',
  both: 'How long items waited and took',
} as const;
const AXIS = {
  took: 'time of an item',
  waited: 'wait of an item',
  both: 'wait and time of an item',
} as const;

interface Sample {
  readonly label: string;
  /** Milliseconds, ascending. */
  readonly values: Float64Array;
  /** How many items each value stands for. */
  readonly weights: Float64Array;
  readonly items: number;
}

function samplesOf({ label, spans }: RunRecord, of: 'took' | 'waited' | 'both'): Sample {
  const values = new Float64Array(spans.length);
  const counts = new Float64Array(spans.length);
  let length = 0;
  let items = 0;
  for (const { index, count, startMs, endMs, queuedMs, status } of spans) {
    if (status !== 'ok' || index < 0) continue;
    const took = (endMs - startMs) / count;
    values[length] = of === 'took' ? took : of === 'waited' ? queuedMs : queuedMs + took;
    counts[length++] = count;
    items += count;
  }
  if (items === length) {
    return {
      label,
      values: values.subarray(0, length).sort(),
      weights: new Float64Array(length).fill(1),
      items,
    };
  }
  const order = Uint32Array.from({ length }, (_, at) => at).sort((a, b) => values[a]! - values[b]!);
  return {
    label,
    values: Float64Array.from(order, (at) => values[at]!),
    weights: Float64Array.from(order, (at) => counts[at]!),
    items,
  };
}

/** The smallest value that at least `percent` of 100 items don't exceed (nearest rank). */
function percentile({ values, weights, items }: Sample, percent: number): number {
  let seen = 0;
  for (let at = 0; at < values.length; at++) {
    seen += weights[at]!;
    if (seen >= (items * percent) / 100) return values[at]!;
  }
  return values.at(-1)!;
}

function subtitleOf(samples: readonly Sample[]): string {
  const [first] = samples;
  const lines = 'Lines: median, and the times within which 90 % and 99 % of the items stayed';
  if (samples.every(({ items }) => items === 0)) return '';
  return samples.length === 1 ? `${first!.label}: ${inFigures(first!)}\n${lines}` : lines;
}

function inFigures(sample: Sample): string {
  if (sample.items === 0) return 'no item was finished';
  const [median, ninety, ninetyNine] = PERCENTILES.map((percent) => time(percentile(sample, percent)));
  return `${count(sample.items, 'item')}: median ${median}, 90 % within ${ninety}, 99 % within ${ninetyNine}, longest ${time(sample.values.at(-1)!)}`;
}
