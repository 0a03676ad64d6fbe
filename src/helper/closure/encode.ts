import { types } from 'node:util';
import { CaptureError, orRefuse } from './error';
import { type Code, type Message, TAG } from './graph';
import { isExotic } from './natives';
import { codePart } from './parts';
import type { Naming } from './trail';
import { hasNames } from './variables';
import { type Target, Writer } from './writer';

export interface EncodeOptions {
  readonly target: Target;
  /** How messages call the value: `result`. */
  readonly name: Naming;
  /** It comes from the target instead of going there. */
  readonly isBack?: boolean;
  /** Hands the memory of ArrayBuffers and typed arrays over instead of copying it: here they will be empty. */
  readonly transfer?: boolean;
}

/**
 * Makes a message of an argument or a result: the same kinds of values as captures.
 * @returns `transfer`: the memory to hand over with the message
 * @throws CaptureError when something in it can't travel; of what an Error holds on to, a text goes in its place
 */
export function encode(
  value: unknown,
  options: EncodeOptions,
): { message: unknown; transfer: ArrayBuffer[] } {
  if (isSimple(value, options.target, new Set())) {
    if (!options.transfer) return { message: value, transfer: [] };
    if (isColumn(value)) return { message: value, transfer: [value.buffer as ArrayBuffer] };
  }
  try {
    return message(value, options, false);
  } catch (error) {
    // What went wrong must be told, even if it holds on to something that can't go.
    if (!(error instanceof CaptureError) || !types.isNativeError(value)) throw error;
    return message(value, options, true);
  }
}

function message(
  value: unknown,
  { target, name, isBack = false, transfer: hands = false }: EncodeOptions,
  isLenient: boolean,
): { message: Message; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const coded: Record<string, Code> = {};
  const writer = new Writer({
    name,
    target,
    base: process.cwd(),
    isBack,
    isLenient,
    store: {
      bytes(bytes) {
        if (hands) transfer.push(bytes);
        return { bytes };
      },
      shared: (memory) => ({ memory }),
      text: () => undefined,
      code(key, make) {
        const { id, message } = codePart(key, make);
        coded[id] = message.code;
        return id;
      },
    },
  });
  const root = orRefuse(() => writer.write(value), encode);
  return { message: [TAG, writer.nodes, root, coded], transfer };
}

/** How deep a value may be to go as it is: structured clone goes down by recursion. */
const MAX_DEPTH = 50;

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

/** True for primitives, and for plain objects and arrays of them: messages keep them as they are. */
function isSimple(value: unknown, target: Target, seen: Set<object>, depth = 0): boolean {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      return false;
    case 'object':
      break;
    default:
      return true;
  }
  if (value === null || seen.has(value)) return true;
  // Everything else would run the traps of a proxy.
  if (depth > MAX_DEPTH || types.isProxy(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) return isSimpleArray(value, target, seen, depth);
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype) {
    // Node's serialization copies the memory of each view, so two views of one buffer would part.
    return COLUMNS.has(prototype) && (depth === 0 || target === 'thread') && isColumn(value);
  }
  const keys = Reflect.ownKeys(value);
  if (!Object.isExtensible(value) || (keys.length === 0 && isExotic(value))) return false;
  for (const key of keys) {
    const descriptor = typeof key === 'string' && Object.getOwnPropertyDescriptor(value, key);
    if (!descriptor || !isOrdinary(descriptor)) return false;
    if (!isSimple(descriptor.value, target, seen, depth + 1)) return false;
  }
  return true;
}

function isSimpleArray(value: readonly unknown[], target: Target, seen: Set<object>, depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Array.prototype || !Object.isExtensible(value)) return false;
  const { length } = value;
  // Looking at descriptors (an element may be a getter) would take too long for large ones.
  const isShort = length <= 1000;
  if (isShort ? Reflect.ownKeys(value).length !== length + 1 : hasNames(value)) return false;
  for (let i = 0; i < length; i++) {
    if (isShort && !isOrdinary(Object.getOwnPropertyDescriptor(value, i)!)) return false;
    const one = value[i];
    if (typeof one === 'number') continue;
    if (one === undefined && !Object.hasOwn(value, i)) return false;
    if (!isSimple(one, target, seen, depth + 1)) return false;
  }
  return value[0] !== TAG;
}

/** A typed array that is its whole memory, and nothing else. */
function isColumn(value: unknown): value is ArrayBufferView {
  if (!ArrayBuffer.isView(value) || !COLUMNS.has(Object.getPrototypeOf(value))) return false;
  const { buffer, byteLength } = value;
  if (types.isSharedArrayBuffer(buffer) || byteLength !== buffer.byteLength) return false;
  if ('resizable' in buffer && buffer.resizable) return false;
  if (!Object.isExtensible(value)) return false;
  const { length } = value as Uint8Array;
  return length > 1000 ? !hasNames(value) : Reflect.ownKeys(value).length === length;
}

function isOrdinary({ get, set, writable, enumerable, configurable }: PropertyDescriptor): boolean {
  return !get && !set && writable === true && enumerable === true && configurable === true;
}
