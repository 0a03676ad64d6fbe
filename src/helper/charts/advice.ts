import { barEnd, barNames } from './bars';
import { type Chart, type ChartOptions, createChart } from './chart';
import { PALETTE, THEME_TEXT, WIDTH } from './theme';
import { count, ratio, time, timeUnit } from './units';

/** The time that a backend is expected to take. */
export interface Expected {
  readonly backend: string;
  readonly workers: number;
  /** Milliseconds, 0 or more. */
  readonly ms: number;
}

const STEP = 36;
const NARROW = 400;
const UNITS: Readonly<Record<string, readonly [one: string, more: string]>> = {
  thread: ['thread', 'threads'],
  process: ['process', 'processes'],
};

/**
 * Expected times, one bar a backend; the first is the loop that the others are compared with. The one to use is
 * filled and says so, the others are hollow.
 */
export function advice(expected: readonly Expected[], use: Expected, options: ChartOptions = {}): Chart {
  const width = options.width ?? WIDTH;
  const unit = timeUnit(Math.max(0, ...expected.map(({ ms }) => ms)));
  const labels = expected.map(labelOf);
  const rows = expected.map((plan, at) => {
    const length = +(plan.ms / unit.ms).toPrecision(6);
    const compared = at > 0 ? ratio(expected[0]!.ms, plan.ms) : '';
    const words = [time(plan.ms), compared, plan === use ? 'use this' : ''];
    // Beside a narrow picture's bars there is no room for all of it.
    const shown = width < NARROW ? [words[0], words[2]] : words;
    const [text, told] = [shown, words].map((some) => some.filter(Boolean).join(', '));
    return { place: at, time: length, textAt: length, text: text!, told: told!, use: plan === use };
  });
  const color = (options.palette ?? PALETTE)[0]!;
  const x = {
    field: 'time',
    type: 'quantitative',
    scale: { domain: [0, barEnd(rows, width, labels)], nice: false },
    axis: { title: `expected wall time (${unit.name})`, tickCount: { expr: 'width / 70' } },
  };
  const words = expected.map((_, at) => `${labels[at]}: ${rows[at]!.told}`).join('; ');
  return createChart(
    {
      title: 'Expected time',
      subtitle: '',
      description: `Expected time on each backend. ${words}.`,
      height: Math.max(40, rows.length * STEP),
      spec: {
        params: [{ name: 'labels', value: labels }],
        data: { values: rows },
        encoding: {
          y: barNames(width),
        },
        layer: [
          {
            name: 'bars',
            mark: {
              type: 'bar',
              height: { band: 0.72 },
              strokeWidth: 1.5,
              tooltip: { expr: '{on: labels[datum.place], expected: datum.told}' },
            },
            encoding: {
              x,
              fillOpacity: { condition: { test: 'datum.use', value: 1 }, value: 0.15 },
              fill: { value: color },
              stroke: { value: color },
            },
          },
          {
            name: 'times',
            mark: { ...THEME_TEXT, align: 'left', baseline: 'middle', dx: 7 },
            encoding: { x: { ...x, field: 'textAt' }, text: { field: 'text' } },
          },
        ],
      },
    },
    options,
  );
}

function labelOf({ backend, workers }: Expected): string {
  if (backend === 'serial') return 'the loop';
  const units = UNITS[backend];
  return units ? count(workers, ...units) : `${backend}, ${workers.toLocaleString('en-US')} at once`;
}
