import { figure } from '../notebook';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import { busyLanes } from './lanes';
import { lanesFor, type Recorded, recordsOf } from './record';
import { Rows } from './rows';
import { NEUTRAL, PALETTE, WIDTH } from './theme';
import { count, time, timeUnit } from './units';

/** Pixels. */
const PANEL = 72;
const GAP = 14;

/**
 * How many lanes were busy at each moment, against how many the run could use (the full height). Several runs stand
 * below each other on one time axis. Each value is the mean of a slice of time.
 *
 * @param runs a run, a record, one read back from JSON, or a list of them.
 * @throws TypeError for anything else, and for options that it has not.
 */
export function utilization(runs: Recorded | readonly Recorded[], options: ChartOptions = {}): Chart {
  const records = recordsOf(utilization, runs);
  checkOptions(utilization, options);
  const measured = records.map((record) => {
    const { busy, sliceMs } = busyLanes(record);
    const mean = busy.reduce((sum, lanes) => sum + lanes, 0) / busy.length;
    // Work outside the run's lanes can make it more than the run had.
    const lanes = Math.max(1, lanesFor(record), Math.ceil(Math.max(...busy) - 0.05));
    const figures = `${figure(+mean.toFixed(2))} of ${count(lanes, 'lane')} busy on average (${Math.round((mean / lanes) * 100)} %), ${time(record.wallMs)}`;
    return { record, busy, sliceMs, lanes, figures };
  });
  const endMs = Math.max(0, ...records.map(({ wallMs }) => wallMs));
  const unit = timeUnit(endMs);
  const inUnit = (ms: number) => +(ms / unit.ms).toPrecision(5);
  const rows = new Rows(options.width ?? WIDTH, records.length > 1 ? records.map(({ label }) => label) : []);
  const bands: object[] = [];
  const points: object[] = [];
  for (const { record, busy, sliceMs, lanes, figures } of measured) {
    rows.gap(GAP);
    if (records.length > 1) rows.heading(figures, record.label);
    const top = rows.add(PANEL);
    const bottom = top + PANEL;
    bands.push({ start: 0, end: inUnit(record.wallMs), y: top, y2: bottom });
    let last = Number.NaN;
    busy.forEach((value, slice) => {
      const y = +(bottom - (value / lanes) * PANEL).toFixed(1);
      if (y !== last) points.push({ start: inUnit(slice * sliceMs), y, y2: bottom });
      last = y;
    });
    points.push({ start: inUnit(record.wallMs), y: bottom, y2: bottom });
  }
  if (records.length === 0) rows.heading('No runs.');
  const x = {
    field: 'start',
    type: 'quantitative',
    scale: { domain: [0, inUnit(endMs) || 1], nice: false },
    axis:
      endMs > 0 ? { title: `time from the start (${unit.name})`, tickCount: { expr: 'width / 70' } } : null,
  };
  return createChart(
    {
      title: 'Lanes busy over time',
      subtitle: measured.length === 1 ? `${measured[0]!.record.label}: ${measured[0]!.figures}` : '',
      description: `Lanes busy over time. ${measured.map(({ record, figures }) => `${record.label}: ${figures}`).join('; ') || 'No runs'}.`,
      height: rows.height,
      spec: {
        params: rows.params(),
        layer: [
          {
            name: 'lanes',
            data: { values: bands },
            mark: { type: 'rect', color: NEUTRAL, opacity: 0.15 },
            encoding: { x, x2: { field: 'end' }, y: rows.y('y'), y2: { field: 'y2' } },
          },
          {
            name: 'busy',
            data: { values: points },
            mark: { type: 'area', interpolate: 'step-after', color: (options.palette ?? PALETTE)[0] },
            encoding: { x, y: rows.y('y'), y2: { field: 'y2' }, detail: { field: 'y2' } },
          },
          ...rows.headings(),
        ],
      },
    },
    options,
  );
}
