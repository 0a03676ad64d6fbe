/**
 * The shape in which values travel: a flat list of nodes that point at each other by index, so that cycles, shared
 * references and deep nesting are nothing special. It holds only what structured clone and `v8.serialize` keep.
 */
import type { StandardName } from './intrinsics';

/** A primitive as it is, or `[index]` of a node. */
export type Slot = undefined | null | boolean | number | string | bigint | readonly [index: number];

/** Flags of a property, as bits. */
export const WRITABLE = 1;
export const ENUMERABLE = 2;
export const CONFIGURABLE = 4;
export const PLAIN = WRITABLE | ENUMERABLE | CONFIGURABLE;

/** `[key, flags, value]`, or `[key, flags, get, set]` for an accessor. */
export type Property =
  | readonly [key: Slot, flags: number, value: Slot]
  | readonly [key: Slot, flags: number, get: Slot, set: Slot];

/** What any object can have besides what its kind has. */
export interface Extras {
  /** Prototype, where it is not the kind's own. */
  p?: Slot;
  own?: Property[];
  /** Own properties that the kind has by itself and this one lacks. */
  lacks?: Slot[];
  /** `Object.freeze`, `seal` or `preventExtensions`. */
  fixed?: 'frozen' | 'sealed' | 'closed';
}

export type Node = Extras &
  /** Plain data that nothing else points into: left to V8's serialization. */
  (
    | { t: 'clone'; v: object }
    | { t: 'plain'; k: string[]; v: Slot[] }
    | { t: 'array'; v: Slot[] }
    /** With holes: `own` has what is there. */
    | { t: 'sparse'; n: number }
    | { t: 'map'; k: Slot[]; v: Slot[] }
    | { t: 'set'; v: Slot[] }
    | { t: 'date'; v: number }
    | { t: 'regexp'; source: string; flags: string; at: number }
    | { t: 'error' }
    | { t: 'domexception'; message: string; name: string; stack: string | undefined }
    | { t: 'boxed'; v: Slot }
    | { t: 'arguments'; v: Slot[] }
    /** An instance of a standard class that is told by what it is made with. */
    | { t: 'made'; by: StandardName; with: readonly unknown[] }
    /** A long text in a part of its own, or one that stands in for what can't go. */
    | { t: 'text'; part?: string; text?: string }
    /** Bytes in a part of their own, or here. `max`: resizable up to so many bytes. */
    | { t: 'buffer'; part?: string; bytes?: ArrayBuffer; max?: number }
    | { t: 'shared'; part?: string; memory?: SharedArrayBuffer }
    | { t: 'view'; c: string; b: Slot; o: number; n: number }
    | { t: 'standard'; name: StandardName }
    | { t: 'symbol'; wellKnown?: string; key?: string; id?: string; description?: string }
    /** A module, or one of its exports. */
    | { t: 'import'; from: string; name?: string }
    /** What `import * as` makes of a module (TypeScript's `__importStar`). */
    | { t: 'star'; of: Slot }
    | { t: 'require' }
    /** The notebook's variables, as far as they are used: `exports.name`. */
    | { t: 'names'; k: string[]; v: Slot[] }
    /** The `prototype` of a function. */
    | { t: 'prototype'; f: Slot }
    | FunctionNode
  );

export interface FunctionNode extends Extras {
  t: 'function';
  /** Who it is, wherever it goes. */
  id: string;
  isClass?: boolean;
  code: string;
  /** false: it has none; undefined: it is made by the code, or among `own`. */
  name: string | false | undefined;
  /** Values of the variables it uses, in the code's order. */
  v: Slot[];
  parent?: Slot;
  keys?: Slot[];
  privates?: Slot[];
  args?: Slot;
  home?: Slot;
}

/** A function's text, made ready to be evaluated; see `render`. */
export interface Code {
  readonly program: string;
  readonly file: string;
}

/** The content of a part: code, memory, a long text, or the graph of one capture. */
export type Content =
  | { readonly kind: 'code'; readonly code: Code }
  | { readonly kind: 'bytes'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'shared'; readonly memory: SharedArrayBuffer }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'graph'; readonly nodes: readonly Node[]; readonly root: Slot };

/** First element of an encoded message; what starts like this and isn't one is never sent as it is. */
export const TAG = 'tslab-parallel graph';

export type Message = readonly [
  tag: typeof TAG,
  nodes: readonly Node[],
  root: Slot,
  codes: Readonly<Record<string, Code>>,
];
