/**
 * What every realm of JavaScript and every Node has anyway: sent by its name, never copied. `intrinsics.ts` finds it again.
 */
import { HIDDEN, type StandardName } from './intrinsics';

let names: Map<object, StandardName> | undefined;
/** The enumerable ones of Node's own globals. */
const ENUMERABLE = new Set(
  (
    'global clearImmediate setImmediate clearInterval clearTimeout setInterval setTimeout queueMicrotask ' +
    'structuredClone atob btoa performance fetch navigator crypto'
  ).split(' '),
);
/** Globals as Node made them; what a cell has put there before this package was loaded is enumerable, and left out. */
const atStart = new Map<string, PropertyDescriptor>();
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name)!;
  if (!descriptor.enumerable || descriptor.get || ENUMERABLE.has(name)) atStart.set(name, descriptor);
}

/** True for a name that means the same in every Node: `Math`, `fetch`, `console`; false once a cell has replaced it. */
export function isStandardGlobal(name: string): boolean {
  const then = atStart.get(name);
  if (!then) return false;
  const now = Object.getOwnPropertyDescriptor(globalThis, name);
  // Node replaces some of its getters by what they got, at the first use.
  return now !== undefined && (then.get !== undefined || then.value === now.value);
}

function walk(): Map<object, StandardName> {
  const found = new Map<object, StandardName>([[globalThis, ['globalThis']]]);
  const visit = (value: unknown, name: StandardName, depth: number) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || found.has(value))
      return;
    found.set(value, name);
    if (depth === 0) return;
    for (const key of Reflect.ownKeys(value)) {
      const step = stepOf(key);
      if (step === undefined) continue;
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      if (!descriptor) continue;
      if (descriptor.get) visit(descriptor.get, [...name, `get ${step}`], 0);
      if (descriptor.set) visit(descriptor.set, [...name, `set ${step}`], 0);
      if ('value' in descriptor) visit(descriptor.value, [...name, step], depth - 1);
    }
  };
  for (const [name, { value }] of atStart) {
    // Getters load what may never be used; what they hold is found by name when it is met.
    const isOwn = name !== 'process' && name !== 'global' && name !== 'globalThis' && !name.startsWith('__');
    if (value !== undefined && isOwn)
      visit(value, [name], typeof value === 'function' || isNamespace(name) ? 2 : 0);
  }
  visit(process, ['process'], 0);
  for (const [name, get] of Object.entries(HIDDEN)) visit(get(), [name], 2);
  return found;
}

function isNamespace(name: string): boolean {
  return /^[A-Z]/.test(name) || name === 'console';
}

function stepOf(key: string | symbol): string | undefined {
  if (typeof key === 'string') return key.startsWith('@@') || / /.test(key) ? undefined : key;
  const name = wellKnownName(key);
  return name === undefined ? undefined : `@@${name}`;
}

const wellKnown = new Map<symbol, string>();
for (const key of Object.getOwnPropertyNames(Symbol)) {
  const value = (Symbol as unknown as Record<string, unknown>)[key];
  if (typeof value === 'symbol') wellKnown.set(value, key);
}

/** `iterator` for `Symbol.iterator`. */
export function wellKnownName(symbol: symbol): string | undefined {
  return wellKnown.get(symbol);
}

/** How to find the object anywhere, if it is one that JavaScript or Node comes with. */
export function standardName(value: object): StandardName | undefined {
  names ??= walk();
  const known = names.get(value);
  if (known || typeof value !== 'function') return known;
  // Globals that Node loads at their first use.
  const name = Object.getOwnPropertyDescriptor(value, 'name')?.value;
  const then = typeof name === 'string' ? atStart.get(name) : undefined;
  if (typeof name === 'string' && then?.get && (globalThis as Record<string, unknown>)[name] === value)
    return [name];
  return undefined;
}
