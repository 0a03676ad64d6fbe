/** Refuses bad arguments, in the same words everywhere. */
import { inspect } from 'node:util';
import { redacted } from './redact';

function came(value: unknown): string {
  const shown = redacted(inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY }));
  const short = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  if (value === null || value === undefined || Number.isNaN(value)) return short;
  return `${short} (${typeof value})`;
}

/** One sentence for every refused argument: what was expected, what came. */
export function refuse(name: string, expected: string, value: unknown): never {
  throw new TypeError(`${name} must be ${expected}; got ${came(value)}.`);
}

/** A whole number, `least` or more; undefined is fine. */
export function checkWhole(name: string, value: unknown, least: number): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    refuse(name, `a whole number, ${least} or more`, value);
  }
}

/** A number above 0, also Infinity; undefined is fine. */
export function checkMilliseconds(name: string, value: unknown): void {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (typeof value !== 'number' || !(value > 0)) refuse(name, 'a number of milliseconds above 0', value);
}

/** An object with no other keys than those; undefined is fine. */
export function checkOptions(name: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null) refuse(name, 'an object', options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(`${name} has no "${key}"; it takes ${known.join(', ')}.`);
    }
  }
}
