/**
 * Plain data: what V8's own serialization carries faithfully, so that it needs no graph. One walk decides, without running any code of
 * the values: no getter, no trap, no iterator of theirs.
 */
import { types } from 'node:util';
import { TAG } from './graph';
import { isExotic } from './natives';
import { hasNames } from './variables';

/** How deep a value may be to go as it is: structured clone goes down by recursion. */
const MAX_DEPTH = 50;
/** More characters may be a part of their own. */
const LONG_TEXT = 1000;

const COLUMNS: ReadonlySet<unknown> = new Set(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((kind) => kind.prototype),
);

const {
  getOwnPropertyDescriptor,
  getOwnPropertyNames,
  getOwnPropertySymbols,
  getPrototypeOf,
  isExtensible,
  keys,
} = Object;
const { forEach: eachEntry } = Map.prototype;
const { forEach: eachElement } = Set.prototype;

/** Whether the value can go as it is. */
export function isPlain(value: unknown): boolean {
  return new Plain(undefined, true).has(value, 0);
}

/**
 * The same of a part of a graph.
 * @param hasParts large texts and memory go into parts of their own
 * @returns all objects in it, itself included; undefined where it must go another way
 */
export function plainObjects(value: object, hasParts: boolean): Set<object> | undefined {
  const all = new Set<object>();
  return new Plain(all, !hasParts).has(value, 0) ? all : undefined;
}

class Plain {
  /** Memory of the views so far: several of one buffer must stay views of one. */
  readonly #memory = new Set<ArrayBufferLike>();

  /** Objects that have objects of their own. */
  readonly #seen = new Set<object>();

  constructor(
    /** Gets every object. */
    readonly all: Set<object> | undefined,
    readonly withLarge: boolean,
  ) {}

  has(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'function':
      case 'symbol':
        return false;
      case 'object':
        return value === null || this.#object(value, depth);
      case 'string':
        return this.withLarge || value.length <= LONG_TEXT;
      default:
        return true;
    }
  }

  #object(value: object, depth: number): boolean {
    // Everything else would run the traps of a proxy.
    if (depth > MAX_DEPTH || types.isProxy(value) || !isExtensible(value)) return false;
    this.all?.add(value);
    switch (getPrototypeOf(value)) {
      case Object.prototype:
        return this.#fields(value, depth);
      case Array.prototype:
        return Array.isArray(value) && this.#array(value, depth);
      case Date.prototype:
        return types.isDate(value) && isBare(value);
      case Map.prototype:
        return types.isMap(value) && isBare(value) && this.#map(value, depth);
      case Set.prototype:
        return types.isSet(value) && isBare(value) && this.#set(value, depth);
      case RegExp.prototype:
        // A copy begins at 0.
        return types.isRegExp(value) && getOwnPropertyNames(value).length === 1 && isBareRegExp(value);
      default:
        return this.#column(value);
    }
  }

  #fields(value: object, depth: number): boolean {
    const names = keys(value);
    if (names.length === 0)
      return getOwnPropertyNames(value).length === 0 && isBare(value) && !isExotic(value);
    // What is not enumerated would be left behind.
    if (getOwnPropertyNames(value).length !== names.length || getOwnPropertySymbols(value).length > 0)
      return false;
    let isLeaf = true;
    for (let at = 0; at < names.length; at++) {
      const descriptor = getOwnPropertyDescriptor(value, names[at]!)!;
      if (descriptor.writable !== true || descriptor.configurable !== true) return false;
      const one: unknown = descriptor.value;
      switch (typeof one) {
        case 'number':
          continue;
        case 'string':
          if (this.withLarge || one.length <= LONG_TEXT) continue;
          return false;
        case 'object':
          if (one === null) continue;
          // Before its children: it may be its own.
          if (isLeaf) {
            if (this.#seen.has(value)) return true;
            this.#seen.add(value);
            isLeaf = false;
          }
          if (!this.#object(one, depth + 1)) return false;
          continue;
        case 'function':
        case 'symbol':
          return false;
        default:
      }
    }
    // Array.prototype.toString and the like are not asked: what looks plain and is `arguments` or an error has other prototypes.
    return (
      !types.isArgumentsObject(value) && !types.isNativeError(value) && !types.isModuleNamespaceObject(value)
    );
  }

  #array(value: readonly unknown[], depth: number): boolean {
    const { length } = value;
    // Looking at descriptors (an element may be a getter) would take too long for large ones.
    const isShort = length <= 1000;
    if (
      isShort
        ? getOwnPropertyNames(value).length !== length + 1 || getOwnPropertySymbols(value).length > 0
        : hasNames(value)
    )
      return false;
    if (this.#seen.has(value)) return true;
    let isLeaf = true;
    for (let at = 0; at < length; at++) {
      let one: unknown;
      if (isShort) {
        const descriptor = getOwnPropertyDescriptor(value, at);
        if (descriptor?.writable !== true || !descriptor.enumerable || !descriptor.configurable) return false;
        one = descriptor.value;
      } else one = value[at];
      if (typeof one === 'number') continue;
      if (one === undefined && !isShort && !Object.hasOwn(value, at)) return false;
      if (typeof one === 'object' && one !== null && isLeaf) {
        this.#seen.add(value);
        isLeaf = false;
      }
      if (!this.has(one, depth + 1)) return false;
    }
    return value[0] !== TAG;
  }

  #map(value: Map<unknown, unknown>, depth: number): boolean {
    if (this.#seen.has(value)) return true;
    this.#seen.add(value);
    let isFine = true;
    eachEntry.call(value, (entry, key) => {
      isFine &&= this.has(key, depth + 1) && this.has(entry, depth + 1);
    });
    return isFine;
  }

  #set(value: Set<unknown>, depth: number): boolean {
    if (this.#seen.has(value)) return true;
    this.#seen.add(value);
    let isFine = true;
    eachElement.call(value, (one) => {
      isFine &&= this.has(one, depth + 1);
    });
    return isFine;
  }

  #column(value: object): boolean {
    if (!this.withLarge || !isColumn(value) || this.#memory.has(value.buffer)) return false;
    this.#memory.add(value.buffer);
    return true;
  }
}

/** Nothing of its own beside what its kind has. */
function isBare(value: object): boolean {
  return getOwnPropertyNames(value).length === 0 && getOwnPropertySymbols(value).length === 0;
}

function isBareRegExp(value: RegExp): boolean {
  const { value: at, writable } = getOwnPropertyDescriptor(value, 'lastIndex')!;
  return at === 0 && writable === true && getOwnPropertySymbols(value).length === 0;
}

/** A typed array that is its whole memory, and nothing else. */
export function isColumn(value: unknown): value is ArrayBufferView {
  if (!ArrayBuffer.isView(value) || !COLUMNS.has(getPrototypeOf(value))) return false;
  const { buffer, byteLength } = value;
  if (types.isSharedArrayBuffer(buffer) || byteLength !== buffer.byteLength) return false;
  if ('resizable' in buffer && buffer.resizable) return false;
  if (!isExtensible(value)) return false;
  const { length } = value as Uint8Array;
  if (length > 1000) return !hasNames(value);
  return getOwnPropertyNames(value).length === length && getOwnPropertySymbols(value).length === 0;
}
