import type { RunRecord } from '../record';
import { barEnd, barNames } from './bars';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import {
  figures,
  inWords,
  isComparable,
  lanesFor,
  notRecorded,
  type Recorded,
  recordOf,
  troubles,
} from './record';
import { PALETTE, THEME_TEXT, WIDTH } from './theme';
import { ratio, time, timeUnit } from './units';

/** A time from elsewhere, such as one that a document reports. */
export interface KnownTime {
  readonly label: string;
  /** Milliseconds, 0 or more. */
  readonly ms: number;
}

const MEASURED = 'measured';
const KNOWN = 'known';
const STEP = 36;
const TOOLTIP = {
  expr:
    `merge({label: labels[datum.place]}, datum.figures ? {run: datum.figures} : {}, {took: datum.text}, ` +
    `datum.idealText ? {ideal: datum.idealText} : {})`,
};

/**
 * Wall time side by side, one bar a run, and on it how it compares with the first. A mark on each bar but the first
 * shows the ideal: the first's time shared evenly by the lanes,
 * but never less than its longest item. Times from elsewhere, given as `{ label, ms }`, are
 * hollow bars.
 *
 * @param runs a run, a record, one read back from JSON, a `{ label, ms }`, or a list of them; the first is compared with.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function compare(
  runs: Recorded | KnownTime | readonly (Recorded | KnownTime)[],
  options: ChartOptions = {},
): Chart {
  checkOptions(compare, options);
  const list: readonly unknown[] = Array.isArray(runs) ? runs : [runs];
  const bars = list.map((value, at) => barOf(value, Array.isArray(runs) ? at : undefined));
  const base = bars[0];
  const width = options.width ?? WIDTH;
  const unit = timeUnit(Math.max(0, ...bars.map(({ ms }) => ms)));
  const rows = bars.map((bar, at) => {
    const compared = at > 0 && isDone(base) && bar.record && isDone(bar) ? ratio(base!.ms, bar.ms) : '';
    const ideal = at > 0 && base?.record && bar.record ? idealMs(base.record, bar.record) : undefined;
    return {
      // Two bars may have the same name.
      place: at,
      label: bar.label,
      time: +(bar.ms / unit.ms).toPrecision(6),
      kind: bar.record ? MEASURED : KNOWN,
      text: [time(bar.ms), compared, ...(bar.record ? remarks(bar.record) : [])].filter(Boolean).join(', '),
      ...(bar.record ? { figures: figures(bar.record) } : {}),
      textAt: +(Math.max(bar.ms, ideal ?? 0) / unit.ms).toPrecision(6),
      ...(ideal === undefined ? {} : { ideal: +(ideal / unit.ms).toPrecision(6), idealText: time(ideal) }),
    };
  });
  const color = (options.palette ?? PALETTE)[0]!;
  const kinds = [MEASURED, KNOWN].filter((kind) => rows.some((row) => row.kind === kind));
  const hasIdeal = rows.some((row) => row.ideal !== undefined);
  const y = barNames(width);
  const x = {
    field: 'time',
    type: 'quantitative',
    scale: {
      domain: [
        0,
        barEnd(
          rows,
          width,
          bars.map(({ label }) => label),
        ),
      ],
      nice: false,
    },
    axis: { title: `wall time (${unit.name})`, tickCount: { expr: 'width / 70' } },
  };
  const layer: object[] = [
    {
      name: 'bars',
      mark: { type: 'bar', height: { band: 0.72 }, strokeWidth: 1.5, tooltip: TOOLTIP },
      encoding: {
        x,
        fillOpacity: { condition: { test: `datum.kind === '${KNOWN}'`, value: 0.15 }, value: 1 },
        fill: { value: color },
        stroke: { value: color },
        strokeDash: { condition: { test: `datum.kind === '${KNOWN}'`, value: [4, 3] }, value: [1, 0] },
      },
    },
    {
      name: 'times',
      mark: { ...THEME_TEXT, align: 'left', baseline: 'middle', dx: 7 },
      encoding: { x: { ...x, field: 'textAt' }, text: { field: 'text' } },
    },
  ];
  if (hasIdeal) {
    layer.push({
      name: 'ideal',
      transform: [{ filter: 'isValid(datum.ideal)' }],
      // White with a black edge is seen on the bar, on white and on black.
      mark: {
        type: 'tick',
        orient: 'vertical',
        thickness: 5,
        size: 30,
        opacity: 1,
        fill: '#fff',
        stroke: '#000',
        strokeWidth: 1,
        tooltip: TOOLTIP,
      },
      encoding: { x: { ...x, field: 'ideal' } },
    });
  }
  return createChart(
    {
      title: bars.length > 1 ? `Wall time, compared with ${base!.label}` : 'Wall time',
      subtitle: [
        hasIdeal ? 'White mark: the ideal (the first one’s time shared by the lanes)' : '',
        kinds.length > 1 ? 'Dashed: from elsewhere' : '',
        differentItems(bars),
      ]
        .filter(Boolean)
        .join('. '),
      description: descriptionOf(bars),
      height: Math.max(40, rows.length * STEP),
      spec: {
        params: [{ name: 'labels', value: bars.map(({ label }) => label) }],
        data: { values: rows },
        encoding: { y },
        layer,
      },
    },
    options,
  );
}

function isDone(bar: Bar | undefined): boolean {
  return bar !== undefined && (bar.record === undefined || isComparable(bar.record));
}

interface Bar {
  readonly label: string;
  readonly ms: number;
  readonly record?: RunRecord;
}

function barOf(value: unknown, at: number | undefined): Bar {
  const record = recordOf(value);
  if (record) return { label: record.label, ms: record.wallMs, record };
  if (typeof value === 'object' && value !== null) {
    const { label, ms } = value as Partial<KnownTime>;
    if (typeof label === 'string' && typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY) {
      return { label, ms };
    }
  }
  throw notRecorded(
    compare,
    value,
    at,
    "runs, records and known times such as { label: 'the book', ms: 1040 }",
  );
}

/** The first run's time, shared evenly by the lanes that the items can fill; no item can be shared. */
function idealMs(base: RunRecord, run: RunRecord): number | undefined {
  const items = run.total ?? run.ok + run.failed + run.cancelled;
  const lanes = Math.min(lanesFor(run), items || 1);
  const baseLanes = Math.min(lanesFor(base), items || 1);
  if (!isComparable(base) || !isComparable(run) || lanes === baseLanes) return undefined;
  let longest = 0;
  if (baseLanes === 1) {
    for (const { startMs, endMs, count } of base.spans) {
      if (count === 1 && endMs - startMs > longest) longest = endMs - startMs;
    }
  }
  return Math.max((base.wallMs * baseLanes) / lanes, longest);
}

/** Says so where the runs had not the same number of items. */
function differentItems(bars: readonly Bar[]): string {
  const totals = bars.flatMap(({ record }) =>
    record && record.backend !== 'python' && record.total ? [record.total] : [],
  );
  const different = [...new Set(totals)];
  if (different.length < 2) return '';
  return `Not the same work: ${different.map((total) => total.toLocaleString('en-US')).join(', ')} items`;
}

function remarks(record: RunRecord): string[] {
  return record.status === 'running' ? ['still running'] : troubles(record);
}

function descriptionOf(bars: readonly Bar[]): string {
  const records = bars.flatMap(({ record }) => (record ? [record] : []));
  const known = bars.filter(({ record }) => !record).map(({ label, ms }) => `${label}: ${time(ms)}`);
  const words = records.length > 0 ? inWords(records) : '';
  return [
    `Wall time of ${bars.length === 1 ? 'one run' : `${bars.length} bars`}.`,
    words,
    known.length > 0 ? `From elsewhere: ${known.join('; ')}.` : '',
  ]
    .filter(Boolean)
    .join(' ');
}
