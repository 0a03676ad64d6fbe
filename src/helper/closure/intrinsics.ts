/** Objects that JavaScript and Node come with, by their names: all that a worker needs of `standard.ts`. */

/** Objects that have no global name of their own, with how to get at them. */
export const HIDDEN: Readonly<Record<string, () => object>> = {
  '%AsyncFunction%': () => (async () => {}).constructor,
  '%GeneratorFunction%': () => function* () {}.constructor,
  '%AsyncGeneratorFunction%': () => async function* () {}.constructor,
  '%TypedArray%': () => Object.getPrototypeOf(Uint8Array),
  '%IteratorPrototype%': () => Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
  '%AsyncIteratorPrototype%': () =>
    Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype)),
  '%ArrayIteratorPrototype%': () => Object.getPrototypeOf([][Symbol.iterator]()),
};

type Step = string | symbol;

/** Root name and steps to it; a step may read a getter: `['get', 'size']`. */
export type StandardName = readonly [root: string, ...steps: string[]];

/** Inverse of `standardName` in `standard.ts`. */
export function standardObject([root, ...steps]: StandardName): unknown {
  let value: unknown = HIDDEN[root]?.() ?? (globalThis as Record<string, unknown>)[root];
  for (const step of steps) {
    const accessor = /^([gs]et) (.+)$/.exec(step);
    const descriptor = Object.getOwnPropertyDescriptor(value, keyOf(accessor?.[2] ?? step));
    value = accessor ? descriptor?.[accessor[1] as 'get' | 'set'] : descriptor?.value;
  }
  return value;
}

function keyOf(step: string): Step {
  return step.startsWith('@@') ? (Symbol as unknown as Record<string, symbol>)[step.slice(2)]! : step;
}
