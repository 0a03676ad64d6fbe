import { figure } from '../notebook';
import { type Chart, type ChartOptions, checkOptions, createChart } from './chart';
import { named, refusal } from './record';
import { bySeries, POINT, thinned } from './series';
import { DASHES, PALETTE, SHAPES } from './theme';
import { roundSteps } from './units';

/** A point: x, y. */
export type Point = readonly [x: number, y: number];

export interface LinesOptions extends ChartOptions {
  /** What the horizontal axis counts, with its unit, such as `threads` or `time (ms)`. */
  x?: string;
  /** What the vertical axis counts, with its unit. */
  y?: string;
  /** Axes that are logarithmic; points at 0 and below are left out of those. Default none. */
  log?: 'x' | 'y' | 'xy';
  /** A value holds until the next point, as that of a counter does. Default false. */
  steps?: boolean;
}

/** Points of all lines together. */
const MOST_POINTS = 1500;
/** With more points than this in a line, they are not marked one by one. */
const MOST_MARKED = 24;
/** With more values than this, a logarithmic axis has round labels instead. */
const MOST_TRIED = 8;

/**
 * Your own figures as lines, one a series. The vertical axis begins at 0, unless it is logarithmic.
 *
 * @param series the points of each line by its name, in the order in which they are joined
 * @example lines({ threads: [[1, 80], [2, 43], [4, 41]] }, { x: 'workers', y: 'time (ms)' })
 * @throws TypeError for anything else, and for options that it has not.
 */
export function lines(series: Readonly<Record<string, readonly Point[]>>, options: LinesOptions = {}): Chart {
  checkOptions(lines, options, {
    x: { words: 'a string', test: (value) => typeof value === 'string' },
    y: { words: 'a string', test: (value) => typeof value === 'string' },
    log: { words: '"x", "y" or "xy"', test: (value) => ['x', 'y', 'xy'].includes(value as string) },
    steps: { words: 'true or false', test: (value) => typeof value === 'boolean' },
  });
  const { x = '', y = '', log = '', steps = false } = options;
  const all = seriesOf(series).map(([name, points]): [string, readonly Point[]] => [
    name,
    points.filter((point) => (!log.includes('x') || point[0] > 0) && (!log.includes('y') || point[1] > 0)),
  ]);
  const names = all.map(([name]) => name);
  const points = all.flatMap(([name, values]) =>
    thinned(values, MOST_POINTS / all.length).map((point) => ({
      name,
      x: rounded(point[0]),
      y: rounded(point[1]),
    })),
  );
  const marked = all.every(([, values]) => values.length <= MOST_MARKED);
  const palette = options.palette ?? PALETTE;
  const by = bySeries('name', names);
  const axis = (title: string, own: object) => ({
    title: title || null,
    labelOverlap: 'greedy',
    labelSeparation: 12,
    ...own,
  });
  const logarithmic = (title: string, values: readonly number[]) => ({
    scale: { type: 'log', nice: false, padding: 12 },
    axis: axis(title, { values, format: ',.12~r', grid: false }),
  });
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  // What was tried is what one looks for below: 1, 2, 4, 8 threads.
  const tried = [...new Set(xs)].sort((a, b) => a - b);
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative',
      ...(log.includes('x')
        ? logarithmic(x, tried.length <= MOST_TRIED ? tried : roundSteps(xs))
        : { scale: { zero: false, nice: false }, axis: axis(x, { tickCount: { expr: 'width / 70' } }) }),
    },
    y: {
      field: 'y',
      type: 'quantitative',
      ...(log.includes('y')
        ? logarithmic(y, roundSteps(ys))
        : { scale: { zero: true, nice: true }, axis: axis(y, { tickCount: 5 }) }),
    },
    color: by(palette),
  };
  const tooltip = {
    expr: `{line: datum.name, ${JSON.stringify(x || 'x')}: datum.x, ${JSON.stringify(y || 'y')}: datum.y}`,
  };
  const layer: object[] = [
    {
      name: 'lines',
      mark: { type: 'line', strokeWidth: 2, interpolate: steps ? 'step-after' : 'linear', tooltip },
      // Shapes tell marked lines apart without colour, dashes the others.
      encoding: marked ? encoding : { ...encoding, strokeDash: by(DASHES) },
    },
  ];
  if (marked) {
    layer.push({
      name: 'points',
      mark: { ...POINT, size: 60, tooltip },
      encoding: { ...encoding, shape: by(SHAPES) },
    });
  }
  return createChart(
    {
      title: what(x, y),
      subtitle: points.length > 0 ? '' : 'No points.',
      description: descriptionOf(all, x, y),
      height: points.length > 0 ? 220 : 20,
      spec: points.length > 0 ? { data: { values: points }, layer } : { data: { values: [] }, mark: 'point' },
    },
    options,
  );
}

/** @throws TypeError that says which point of which line is none */
function seriesOf(series: unknown): [string, readonly Point[]][] {
  if (typeof series !== 'object' || series === null || Array.isArray(series)) {
    throw refusal(
      lines,
      `lines() draws points by the name of their line, such as { threads: [[1, 80], [2, 43]] }; got ${named(series)}.`,
    );
  }
  return Object.entries(series).map(([name, points]) => {
    if (!Array.isArray(points)) {
      throw refusal(lines, `lines() draws lists of points [x, y]; ${name} is ${named(points)}.`);
    }
    for (const [at, point] of points.entries()) {
      if (!Array.isArray(point) || point.length !== 2 || !point.every(Number.isFinite)) {
        throw refusal(
          lines,
          `lines() draws points of two numbers, [x, y]; ${name}[${at}] is ${Array.isArray(point) ? `[${point.join(', ')}]` : named(point)}.`,
        );
      }
    }
    return [name, points];
  });
}

/** Digits that nobody sees are bytes all the same; but 4,194,304 is not 4,194,300. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : +value.toPrecision(6);
}

function descriptionOf(all: readonly (readonly [string, readonly Point[]])[], x: string, y: string): string {
  const said = all.map(([name, points]) => {
    if (points.length === 0) return `${name}: no points`;
    if (points.length <= 8)
      return `${name}: ${points.map(([at, value]) => `${figure(value)} at ${figure(at)}`).join(', ')}`;
    const values = points.map(([, value]) => value);
    const least = values.reduce((a, b) => Math.min(a, b));
    const most = values.reduce((a, b) => Math.max(a, b));
    return `${name}: from ${figure(values[0]!)} to ${figure(values.at(-1)!)}, least ${figure(least)}, most ${figure(most)}`;
  });
  return `${what(x, y)}. ${said.length > 0 ? `${said.join('; ')}.` : 'No lines.'}`;
}

function what(x: string, y: string): string {
  const words = [y, x].filter(Boolean).join(' against ') || 'lines';
  return `${words[0]!.toUpperCase()}${words.slice(1)}`;
}
