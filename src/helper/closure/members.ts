/** Compares a class as it is with what its text makes of it: methods may have been added, replaced or deleted since. */
import type { Member, Source } from './source';

const toText = Function.prototype.toString;

type Name = string | symbol;

export interface Difference {
  /** Own properties that the text doesn't make. */
  readonly extra: readonly Name[];
  /** Those it makes that are gone. */
  readonly gone: readonly Name[];
}

/**
 * @param holder the class itself (static members) or its prototype
 * @param keys names that the text works out, by their number; those of methods are found here
 */
export function compareMembers(
  source: Source,
  maker: object,
  holder: object,
  keys: (Name | undefined)[],
): Difference {
  const isStatic = holder === maker;
  const expected = source.members.filter((member) => member.isStatic === isStatic);
  const extra: Name[] = [];
  const have = Reflect.ownKeys(holder);
  for (const key of have) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key)!;
    const isInborn = isStatic
      ? isOfEveryFunction(key, descriptor, source)
      : key === 'constructor' && descriptor.value === maker && !descriptor.enumerable;
    if (!isInborn && !isMade(key, descriptor, expected, keys)) extra.push(key);
  }
  const gone: Name[] = expected.flatMap(({ name }) =>
    name === undefined || have.includes(name) ? [] : [name],
  );
  if (!isStatic && !have.includes('constructor')) gone.push('constructor');
  return { extra, gone };
}

/** Own properties that functions have from the start. */
export function isOfEveryFunction(key: Name, descriptor: PropertyDescriptor, source: Source): boolean {
  switch (key) {
    case 'prototype':
      return !descriptor.enumerable;
    case 'name':
      return typeof descriptor.value === 'string' && !descriptor.writable && !descriptor.enumerable;
    case 'length':
      return descriptor.value === source.length && !descriptor.writable && !descriptor.enumerable;
    default:
      return false;
  }
}

function isMade(
  key: Name,
  descriptor: PropertyDescriptor,
  expected: readonly Member[],
  keys: (Name | undefined)[],
): boolean {
  if (descriptor.enumerable || !descriptor.configurable) return false;
  const { value, get, set, writable } = descriptor;
  if (!get && !set) return writable === true && isFrom(value, 'method', key, expected, keys);
  return isFrom(get, 'get', key, expected, keys) && isFrom(set, 'set', key, expected, keys);
}

function isFrom(
  value: unknown,
  kind: Member['kind'],
  key: Name,
  expected: readonly Member[],
  keys: (Name | undefined)[],
): boolean {
  if (typeof value !== 'function') {
    return kind !== 'method' && !expected.some((member) => member.kind === kind && member.name === key);
  }
  const text = toText.call(value);
  for (const member of expected) {
    if (member.kind !== kind || member.text !== text) continue;
    if (member.name === key) return true;
    if (member.computed === undefined) continue;
    const taken = keys[member.computed];
    if (taken !== undefined && taken !== key) continue;
    keys[member.computed] = key;
    return true;
  }
  return false;
}
