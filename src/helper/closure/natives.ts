/** What objects are by what is inside them, and which of them hold something that can't leave their process. */
import { EventEmitter } from 'node:events';
import { TextDecoder, TextEncoder, types } from 'node:util';
import type { StandardName } from './intrinsics';
import { readSource } from './source';

const toText = Function.prototype.toString;

type Getter = (this: unknown) => unknown;
const getter = (prototype: object, key: string | symbol) =>
  Object.getOwnPropertyDescriptor(prototype, key)!.get! as Getter;

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const insides = {
  view: {
    kind: getter(TypedArray, Symbol.toStringTag),
    buffer: getter(TypedArray, 'buffer'),
    offset: getter(TypedArray, 'byteOffset'),
    length: getter(TypedArray, 'length'),
  },
  data: {
    buffer: getter(DataView.prototype, 'buffer'),
    offset: getter(DataView.prototype, 'byteOffset'),
    length: getter(DataView.prototype, 'byteLength'),
  },
  regexp: { source: getter(RegExp.prototype, 'source'), flags: getter(RegExp.prototype, 'flags') },
};

export interface ViewInsides {
  readonly kind: string;
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  /** Elements of a typed array, bytes of a DataView. */
  readonly length: number;
}

/** What a typed array or DataView is, whatever its properties say. */
export function insideView(view: ArrayBufferView): ViewInsides {
  const isData = types.isDataView(view);
  const { buffer, offset, length } = isData ? insides.data : insides.view;
  return {
    kind: isData ? 'DataView' : (insides.view.kind.call(view) as string),
    buffer: buffer.call(view) as ArrayBufferLike,
    offset: offset.call(view) as number,
    length: length.call(view) as number,
  };
}

export function insideRegExp(value: RegExp): { source: string; flags: string; at: number } {
  return {
    source: insides.regexp.source.call(value) as string,
    flags: insides.regexp.flags.call(value) as string,
    at: Object.getOwnPropertyDescriptor(value, 'lastIndex')!.value as number,
  };
}

/** The primitive in `new Number(1)` and the like. */
export function unbox(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value);
  return Symbol.prototype.valueOf.call(value);
}

export function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** More than its properties. */
export function isExotic(value: object): boolean {
  return (
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value) ||
    types.isBoxedPrimitive(value) ||
    types.isArgumentsObject(value) ||
    hopeless(value) !== undefined
  );
}

export interface Made {
  /** The class. */
  readonly by: StandardName;
  /** What to call it with for another one: primitives, and objects of them. */
  readonly with: readonly unknown[];
}

/** How to make another instance of a standard class that can't be changed later, or only as its arguments tell. */
export function madeWith(value: object, prototype: object): Made | undefined {
  const tell = MAKERS.get(prototype);
  try {
    return tell?.(value as never);
  } catch {
    return undefined; // an impostor: only its prototype is that
  }
}

const MAKERS = new Map<object, (value: never) => Made>([
  [URL.prototype, ({ href }: URL) => ({ by: ['URL'], with: [href] })],
  [
    URLSearchParams.prototype,
    (value: URLSearchParams) => ({ by: ['URLSearchParams'], with: [String(value)] }),
  ],
  // Its only encoding is UTF-8; reading that tells an impostor.
  [TextEncoder.prototype, ({ encoding: _ }: TextEncoder) => ({ by: ['TextEncoder'], with: [] })],
  [
    TextDecoder.prototype,
    ({ encoding, fatal, ignoreBOM }: TextDecoder) => ({
      by: ['TextDecoder'],
      with: [encoding, { fatal, ignoreBOM }],
    }),
  ],
  [Intl.Locale.prototype, (value: Intl.Locale) => ({ by: ['Intl', 'Locale'], with: [value.toString()] })],
]);
for (const name of Object.getOwnPropertyNames(Intl)) {
  const { prototype } = Reflect.get(Intl, name) as { prototype?: { resolvedOptions?: unknown } };
  if (typeof prototype?.resolvedOptions !== 'function') continue;
  MAKERS.set(prototype, (value: { resolvedOptions(): { locale: string; hour12?: boolean } }) => {
    // Beside `hourCycle` it would only make that less exact.
    const { locale, hour12: _, ...options } = value.resolvedOptions();
    return { by: ['Intl', name], with: [locale, options] };
  });
}

export interface Refusal {
  readonly what: string;
  readonly instead: string;
}

/** Values whose insides nobody can read or copy, whatever their prototype says. */
export function hopeless(value: object): Refusal | undefined {
  if (types.isPromise(value)) return { what: 'a Promise', instead: 'Await it first, and pass what it gives' };
  if (types.isWeakMap(value)) return { what: 'a WeakMap', instead: 'Use a Map' };
  if (types.isWeakSet(value)) return { what: 'a WeakSet', instead: 'Use a Set' };
  if (types.isGeneratorObject(value)) return { what: 'a running generator', instead: LIST };
  if (types.isMapIterator(value) || types.isSetIterator(value)) return { what: 'an iterator', instead: LIST };
  if (types.isExternal(value)) return { what: 'a pointer of native code', instead: MAKE };
  if (types.isKeyObject(value) || types.isCryptoKey(value)) {
    return { what: 'a key', instead: 'Export it first, and pass its bytes' };
  }
  if (types.isModuleNamespaceObject(value)) {
    return {
      what: 'a module that was loaded as an ES module',
      instead: 'Import it inside the function: `await import(…)`',
    };
  }
  return undefined;
}

const LIST = 'Put what it gives into an array: `[...values]`';
const MAKE = 'Make it where it is used: in `init`, or in the function itself';

/** Instances of Node's and other native classes. */
export function leaveHere(value: unknown): string {
  const isOpen =
    Object.prototype.isPrototypeOf.call(EventEmitter.prototype, value as object) &&
    Object.getPrototypeOf(value) !== EventEmitter.prototype;
  return isOpen ? 'Open it in the worker with `init`, or pass what it says instead' : MAKE;
}

/** Standard classes whose instances are told by their insides, or have none. */
export const ORDINARY: ReadonlySet<string> = new Set([
  ...['Object', 'Function', 'Array', 'Map', 'Set', 'Date', 'RegExp', 'Iterator'],
  ...['Number', 'String', 'Boolean', 'BigInt', 'Symbol'],
  ...[
    'Error',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
    'TypeError',
    'URIError',
    'AggregateError',
  ],
  ...['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Buffer', '%TypedArray%'],
  ...[
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
  ],
  ...['Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  ...['%AsyncFunction%', '%GeneratorFunction%', '%AsyncGeneratorFunction%'],
  ...['%IteratorPrototype%', '%AsyncIteratorPrototype%'],
]);

/** The class or function whose `prototype` this object is. */
export function makerOf(prototype: object): object | undefined {
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof maker !== 'function' || types.isProxy(maker)) return undefined;
  return Object.getOwnPropertyDescriptor(maker, 'prototype')?.value === prototype ? maker : undefined;
}

/** A function's name, if it has one. */
export function nameOf(value: object): string | undefined {
  const name: unknown = Object.getOwnPropertyDescriptor(value, 'name')?.value;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Written in another language than JavaScript, or a class of Node that no module exports. */
export function isNative(maker: object): boolean {
  return TIMERS.has(maker) || toText.call(maker).endsWith('{ [native code] }');
}

function timerClass<T extends object>(set: (call: () => void) => T, clear: (timer: T) => void): unknown {
  const timer = set(() => {});
  clear(timer);
  return timer.constructor;
}

const TIMERS: ReadonlySet<unknown> = new Set([
  timerClass(setTimeout, clearTimeout),
  timerClass(setImmediate, clearImmediate),
]);

/** Whether instances of the class carry what only its own code can read. */
export function hasPrivate(maker: object): boolean {
  const text = toText.call(maker);
  if (!text.includes('#')) return false;
  try {
    return readSource(text, false).hasPrivate;
  } catch {
    return false;
  }
}

/** Error classes inside Node that nobody can name. */
export function isNodeError(maker: object | undefined): boolean {
  return maker !== undefined && /^(?:NodeError|SystemError)/.test(nameOf(maker) ?? '');
}

const callerOf = Object.getOwnPropertyDescriptor(Function.prototype, 'caller')?.get;

/** Of plain functions only: sloppy ones have a `caller`, their own up to Node 24, an inherited one from Node 26 on. */
export function isSloppy(value: object): boolean {
  if (Object.hasOwn(value, 'caller')) return true;
  try {
    return callerOf?.call(value) !== undefined;
  } catch {
    return false;
  }
}

export function isConstructor(value: unknown): boolean {
  try {
    // Looks at it as `new.target`, without calling it.
    Reflect.construct(Object, [], value as never);
    return true;
  } catch {
    return false;
  }
}
