import type { Code, Content } from './graph';
import { freshId } from './identity';

/** A piece of a capture. `message` can be posted to a thread or a process; what has the same `id` has the same content. */
export interface Part {
  readonly id: string;
  readonly message: unknown;
}

export function part(content: Content): Part {
  return { id: freshId(), message: content };
}

/** Code never changes, so its parts are made once. */
const codes = new Map<string, CodePart>();
const CODES_LIMIT = 5000;

type CodePart = Part & { readonly message: Content & { kind: 'code' } };

/** The part of a piece of code; `key` says all that it is made of. */
export function codePart(key: string, make: () => Code): CodePart {
  let one = codes.get(key);
  if (!one) {
    if (codes.size >= CODES_LIMIT) codes.delete(codes.keys().next().value!);
    one = { id: freshId(), message: { kind: 'code', code: make() } };
    codes.set(key, one);
  }
  return one;
}
