/** Figures as people read them: times in a fitting unit, counts, ratios, lists. */
import { figure } from '../notebook';

/** Milliseconds in the unit that fits: `250 µs`, `51.3 ms`, `1.04 s`, `2 min 5 s`, `1 h 12 min`. */
export function time(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 0.9995) return `${figure(ms * 1000)} µs`;
  if (ms < 999.5) return `${figure(ms)} ms`;
  if (ms < 59_950) return `${figure(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return joined(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return `${large.toLocaleString('en-US')} ${largeUnit}${small ? ` ${small} ${smallUnit}` : ''}`;
}

/** A unit for a whole time axis. */
export interface TimeUnit {
  readonly name: 'µs' | 'ms' | 's' | 'min' | 'h';
  /** Milliseconds in one. */
  readonly ms: number;
}

/** The unit in which an axis that ends at `ms` has readable numbers. */
export function timeUnit(ms: number): TimeUnit {
  if (ms < 1) return { name: 'µs', ms: 0.001 };
  if (ms < 1000) return { name: 'ms', ms: 1 };
  if (ms < 120_000) return { name: 's', ms: 1000 };
  if (ms < 7_200_000) return { name: 'min', ms: 60_000 };
  return { name: 'h', ms: 3_600_000 };
}

/** `1 item`, `1,200 items`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? noun : plural}`;
}

/** How `ms` compares with `baseMs`, in words; within 5 % it is no faster. `×` is the sign between. */
export function ratio(baseMs: number, ms: number, times = '×'): string {
  if (!(baseMs > 0) || !(ms > 0)) return '';
  const faster = baseMs / ms;
  if (faster >= 1.05) return `${short(faster)} ${times} faster`;
  if (faster > 0.95) return 'no faster';
  return `${short(1 / faster)} ${times} slower`;
}

function short(value: number): string {
  return value < 10 ? value.toFixed(1) : figure(Math.round(value));
}

/** `1st`, `2nd`, `3rd`, `4th`. */
export function ordinal(n: number): string {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${ending}`;
}

/** From 1 to 10, the roundest first. */
const ROUND = [
  [1],
  [1, 2, 5],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  Array.from({ length: 90 }, (_, tenths) => 1 + tenths / 10),
];

/**
 * Labels of a logarithmic axis on which these values, all above 0, stand: the roundest numbers of which at least three
 * lie between the least and the most of them; where those are too close for that, these two.
 */
export function roundSteps(values: readonly number[]): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  for (const round of ROUND) {
    const steps: number[] = [];
    for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
      for (const step of round) steps.push(+(step * 10 ** power).toPrecision(3));
    }
    if (steps.filter((step) => step >= least && step <= most).length >= 3)
      return steps.filter((step) => step >= least / 1.3 && step <= most * 1.3);
  }
  return values.length > 0 ? [...new Set([least, most])] : [];
}
