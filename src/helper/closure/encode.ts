import { types } from 'node:util';
import { CaptureError, orRefuse } from './error';
import { type Code, type Message, TAG } from './graph';
import { codePart } from './parts';
import { isColumn, isPlain } from './plain';
import type { Naming } from './trail';
import { type Target, written } from './writer';

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
  if (isPlain(value)) {
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
  const { writer, root } = orRefuse(
    () =>
      written(value, {
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
      }),
    encode,
  );
  return { message: [TAG, writer.nodes, root, coded], transfer };
}
