/**
 * Functions of live cells go to other threads without their text: a page's policy lets nobody make code of text. So each function
 * was written twice when the page was made: where it stands in its cell, and in a factory, which makes it anew from the values
 * of the names that it uses. What travels is the number of the factory and those values.
 */
import type { Travelling } from './protocol';

/** Makes a function whose names are given afterwards, so that functions may use each other. */
export type Factory = () => { readonly fn: unknown; set(values: Record<string, unknown>): void };

interface Origin {
  readonly factory: number;
  readonly captured: () => Record<string, unknown>;
  /** Names of its surroundings that it assigns: that would be lost. */
  readonly assigns: readonly string[];
}

const origins = new WeakMap<object, Origin>();

/** Notes where a function comes from; called where it is made. */
export function originates<F extends object>(
  factory: number,
  captured: () => Record<string, unknown>,
  fn: F,
  name = '',
  assigns: readonly string[] = [],
): F {
  origins.set(fn, { factory, captured, assigns });
  if (name && (fn as { name?: string }).name === '')
    Object.defineProperty(fn, 'name', { value: name, configurable: true });
  return fn;
}

const isCode = (value: unknown): value is object => typeof value === 'function';

/** @throws TypeError for a function that was not made in a live cell, or that assigns a name of its surroundings */
export function pack(fn: object): Travelling[] {
  const list: Travelling[] = [];
  const numbers = new Map<object, number>();
  const add = (one: object): number => {
    const known = numbers.get(one);
    if (known !== undefined) return known;
    const name = (one as { name?: string }).name || 'the function';
    const origin = origins.get(one);
    if (!origin)
      throw new TypeError(
        `${name} can't go to another thread of the browser: write it in a live cell, as a function of its own.`,
      );
    const [assigned] = origin.assigns;
    if (assigned !== undefined)
      throw new TypeError(
        `${name} assigns "${assigned}", which would be lost: what it uses is a copy over there. Return the value instead.`,
      );
    const number = list.length;
    numbers.set(one, number);
    list.push(undefined as unknown as Travelling);
    const captured = Object.entries(origin.captured()).map(([key, value]): Travelling['captured'][number] =>
      isCode(value) ? [key, undefined, add(value)] : [key, value, undefined],
    );
    list[number] = { factory: origin.factory, captured };
    return number;
  };
  add(fn);
  return list;
}

/** The function that was packed. */
export function unpack(list: readonly Travelling[], factories: readonly Factory[]): unknown {
  const made = list.map(({ factory }) => factories[factory]!());
  for (const [at, { captured }] of list.entries()) {
    made[at]!.set(
      Object.fromEntries(
        captured.map(([name, value, travelling]) => [
          name,
          travelling === undefined ? value : made[travelling]!.fn,
        ]),
      ),
    );
  }
  return made[0]!.fn;
}
