/** Makes values of a graph again: the inverse of `writer.ts`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import {
  CONFIGURABLE,
  type Code,
  type Content,
  ENUMERABLE,
  type FunctionNode,
  type Node,
  type Property,
  type Slot,
  WRITABLE,
} from './graph';
import { adopt, original } from './identity';
import { standardObject } from './intrinsics';

// Only errors need it.
const lines = () => require('./lines') as typeof import('./lines');

export type Call = (...args: unknown[]) => unknown;

/** What a function's program is given; see `render`. */
interface Tools {
  set(values: unknown[]): void;
  method(literal: object): unknown;
  import(specifier: string): Promise<unknown>;
  parent?: unknown;
  keys?: unknown[];
  /** Gives a class's static private fields their values. */
  setPrivates?(values: unknown[]): void;
  args?: unknown[];
}

type Program = (tools: Tools) => Call;

/** What graphs on one side have in common. */
export interface Surroundings {
  readonly require: NodeJS.Require;
  readonly base: string;
  /** What is read may be read once more. */
  readonly isKept: boolean;
  program(id: string): Program;
  content(id: string): Content;
}

/** A folder to import from, as a `require` of a file there. */
export function requireFrom(base: string): NodeJS.Require {
  return createRequire(join(base, 'notebook.js'));
}

/** The program of a function's code, compiled. */
export function compile({ program, file }: Code): Program {
  return new Script(program, { filename: file }).runInThisContext() as Program;
}

const VIEWS = globalThis as unknown as Record<
  string,
  new (
    buffer: ArrayBufferLike,
    offset: number,
    length?: number,
  ) => object
>;

export class Reader {
  readonly #nodes: readonly Node[];
  readonly #values: unknown[];
  readonly #made: boolean[];
  readonly #tools = new Map<number, Tools>();
  readonly #around: Surroundings;
  /** A function that needs not be made, because it is here already. */
  readonly #here: (id: string, at: number) => unknown;
  /** Functions of this graph, by identity. */
  readonly functions = new Map<string, Call>();

  constructor(nodes: readonly Node[], around: Surroundings, here: (id: string, at: number) => unknown) {
    this.#nodes = nodes;
    this.#values = new Array(nodes.length);
    this.#made = new Array(nodes.length).fill(false);
    this.#around = around;
    this.#here = here;
  }

  /** True for a function that this graph brought. */
  isNew(at: number): boolean {
    return this.#tools.has(at);
  }

  read(root: Slot): unknown {
    for (let at = 0; at < this.#nodes.length; at++) this.#make(at);
    for (let at = 0; at < this.#nodes.length; at++) this.#fill(at);
    // Last, as nothing can be added after it.
    for (let at = 0; at < this.#nodes.length; at++) this.#fix(at);
    return this.#value(root);
  }

  #value(slot: Slot): unknown {
    return typeof slot === 'object' && slot !== null ? this.#make(slot[0]) : slot;
  }

  /** The value of a node, still empty where it may lead back to itself. */
  #make(at: number): unknown {
    if (!this.#made[at]) {
      const node = this.#nodes[at]!;
      const value = this.#create(at, node);
      if ('p' in node && node.t !== 'function' && node.t !== 'prototype') {
        const prototype = this.#value(node.p!);
        // Instead of a class that could not come along there may be a text about it.
        if (typeof prototype === 'object') Object.setPrototypeOf(value, prototype);
      }
      this.#values[at] = value;
      this.#made[at] = true;
    }
    return this.#values[at];
  }

  #create(at: number, node: Node): unknown {
    switch (node.t) {
      case 'clone':
        // A part is kept, and may be read again.
        return this.#around.isKept ? structuredClone(node.v) : node.v;
      case 'plain':
        return {};
      case 'names':
        return {};
      case 'array':
        return [];
      case 'sparse':
        return new Array(node.n);
      case 'map':
        return new Map();
      case 'set':
        return new Set();
      case 'date':
        return new Date(node.v);
      case 'regexp': {
        const regexp = new RegExp(node.source, node.flags);
        regexp.lastIndex = node.at;
        return regexp;
      }
      case 'error': {
        // Without a trace of its own: Node would show this line beside the error.
        const { stackTraceLimit } = Error;
        Error.stackTraceLimit = 0;
        const error = new Error();
        Error.stackTraceLimit = stackTraceLimit;
        for (const key of Reflect.ownKeys(error))
          delete (error as unknown as Record<string | symbol, unknown>)[key];
        return error;
      }
      case 'domexception':
        return Object.defineProperty(new DOMException(node.message, node.name), 'stack', {
          value: node.stack,
          writable: true,
          configurable: true,
        });
      case 'boxed':
        return Object(this.#value(node.v));
      case 'arguments':
        return function (this: unknown) {
          // biome-ignore lint/complexity/noArguments: it is an arguments object that was captured
          return arguments;
        }.apply(undefined, node.v.map((slot) => this.#value(slot)) as never);
      case 'made':
        return Reflect.construct(standardObject(node.by) as Call, node.with);
      case 'text':
        return node.text ?? (this.#around.content(node.part!) as Content & { kind: 'text' }).text;
      case 'buffer':
        return this.#buffer(node);
      case 'shared':
        return node.memory ?? (this.#around.content(node.part!) as Content & { kind: 'shared' }).memory;
      case 'view': {
        const buffer = this.#value(node.b) as ArrayBuffer;
        return node.c === 'Buffer'
          ? Buffer.from(buffer, node.o, node.n)
          : new VIEWS[node.c]!(buffer, node.o, node.n);
      }
      case 'standard':
        return standardObject(node.name);
      case 'symbol':
        return symbolOf(node);
      case 'import': {
        const module = load(this.#around, node.from);
        return node.name === undefined ? module : module[node.name];
      }
      case 'star':
        return star(this.#value(node.of) as Record<string, unknown>);
      case 'require':
        return this.#around.require;
      case 'prototype':
        return (this.#value(node.f) as { prototype?: unknown }).prototype;
      case 'function':
        return this.#function(at, node);
    }
  }

  #buffer(node: Node & { t: 'buffer' }): ArrayBuffer {
    const bytes = node.bytes ?? (this.#around.content(node.part!) as Content & { kind: 'bytes' }).bytes;
    if (node.max === undefined) return node.bytes ?? bytes.slice(0);
    const Resizable = ArrayBuffer as unknown as new (
      n: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer;
    const buffer = new Resizable(bytes.byteLength, { maxByteLength: node.max });
    new Uint8Array(buffer).set(new Uint8Array(bytes));
    return buffer;
  }

  #function(at: number, node: FunctionNode): unknown {
    const here = this.#here(node.id, at);
    if (here !== undefined) {
      this.functions.set(node.id, here as Call);
      return here;
    }
    const tools: Tools = {
      set: () => {},
      method: (literal) => {
        if (node.home !== undefined) Object.setPrototypeOf(literal, this.#value(node.home) as object);
        const key = Reflect.ownKeys(literal)[0]!;
        const { value, get, set } = Object.getOwnPropertyDescriptor(literal, key)!;
        return value ?? get ?? set;
      },
      import: (specifier) => importFrom(this.#around, specifier),
    };
    if (node.parent !== undefined) tools.parent = this.#value(node.parent);
    if (node.keys) tools.keys = node.keys.map((slot) => this.#value(slot));
    if (node.args !== undefined) tools.args = Array.from(this.#value(node.args) as ArrayLike<unknown>);
    const value = this.#around.program(node.code)(tools);
    adopt(value, node.id);
    this.#tools.set(at, tools);
    this.functions.set(node.id, value);
    return value;
  }

  #fill(at: number): void {
    const node = this.#nodes[at]!;
    const value = this.#values[at] as object;
    switch (node.t) {
      case 'plain':
      case 'names': {
        const target = value as Record<string, unknown>;
        for (let i = 0; i < node.k.length; i++) {
          const key = node.k[i]!;
          const one = this.#value(node.v[i]!);
          if (key === '__proto__' || node.p !== undefined) {
            Object.defineProperty(target, key, {
              value: one,
              writable: true,
              enumerable: true,
              configurable: true,
            });
          } else target[key] = one;
        }
        break;
      }
      case 'array': {
        const target = value as unknown[];
        for (let i = 0; i < node.v.length; i++) target[i] = this.#value(node.v[i]!);
        break;
      }
      case 'map':
        for (let i = 0; i < node.k.length; i++) {
          Map.prototype.set.call(value, this.#value(node.k[i]!), this.#value(node.v[i]!));
        }
        break;
      case 'set':
        for (const slot of node.v) Set.prototype.add.call(value, this.#value(slot));
        break;
      case 'function': {
        const tools = this.#tools.get(at);
        // Not made here, so nothing to add.
        if (!tools) return;
        tools.set(node.v.map((slot) => this.#value(slot)));
        tools.setPrivates?.((node.privates ?? []).map((slot) => this.#value(slot)));
        if (node.p !== undefined) Object.setPrototypeOf(value, this.#value(node.p) as object | null);
        const own = Object.getOwnPropertyDescriptor(value, 'name');
        if (node.name === false) delete (value as { name?: string }).name;
        else if (node.name !== undefined && own?.value !== node.name) {
          Object.defineProperty(value, 'name', { value: node.name, configurable: true });
        }
        break;
      }
      case 'prototype':
        if (!this.#tools.has((node.f as [number])[0])) return;
        if (node.p !== undefined) Object.setPrototypeOf(value, this.#value(node.p) as object | null);
        break;
      default:
    }
    for (const slot of node.lacks ?? [])
      delete (value as Record<string, unknown>)[this.#value(slot) as string];
    for (const property of node.own ?? []) this.#define(value, property);
    if (node.t === 'error') {
      const stack = Object.getOwnPropertyDescriptor(value, 'stack');
      if (typeof stack?.value === 'string') {
        Object.defineProperty(value, 'stack', { ...stack, value: lines().readableTrace(stack.value) });
      }
    }
  }

  #define(value: object, property: Property): void {
    const [key, flags, first] = property;
    const shared = { enumerable: (flags & ENUMERABLE) !== 0, configurable: (flags & CONFIGURABLE) !== 0 };
    Object.defineProperty(
      value,
      this.#value(key) as string,
      property.length === 4
        ? { ...shared, get: this.#value(first) as () => unknown, set: this.#value(property[3]) as () => void }
        : { ...shared, writable: (flags & WRITABLE) !== 0, value: this.#value(first) },
    );
  }

  #fix(at: number): void {
    const { fixed, t } = this.#nodes[at]!;
    if (fixed === undefined) return;
    if (t === 'function' && !this.#tools.has(at)) return;
    const value = this.#values[at] as object;
    if (fixed === 'frozen') Object.freeze(value);
    else if (fixed === 'sealed') Object.seal(value);
    else Object.preventExtensions(value);
  }
}

function symbolOf(node: Node & { t: 'symbol' }): symbol {
  if (node.wellKnown !== undefined) return (Symbol as unknown as Record<string, symbol>)[node.wellKnown]!;
  if (node.key !== undefined) return Symbol.for(node.key);
  const known = symbols.get(node.id!) ?? (original(node.id!) as symbol | undefined);
  if (known !== undefined) return known;
  const symbol = Symbol(node.description);
  symbols.set(node.id!, symbol);
  adopt(symbol, node.id!);
  return symbol;
}

/** Symbols are the same for all graphs: they have nothing that could change. */
const symbols = new Map<string, symbol>();

function load({ require, base }: Surroundings, specifier: string): Record<string, unknown> {
  try {
    return require(specifier) as Record<string, unknown>;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`The function imports "${specifier}", which can't be loaded here, in ${base}: ${why}`, {
      cause: error,
    });
  }
}

/** As TypeScript's `__importStar` does it. */
function star(module: Record<string, unknown>): object {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(module)) {
    if (key !== 'default') Object.defineProperty(result, key, { enumerable: true, get: () => module[key] });
  }
  return Object.defineProperty(result, 'default', { enumerable: true, value: module });
}

async function importFrom({ require, base }: Surroundings, specifier: string): Promise<unknown> {
  const isPath = /^\.{0,2}\//.test(specifier);
  if (isPath) return import(pathToFileURL(join(base, specifier)).href);
  if (specifier.includes(':')) return import(specifier);
  // `import` would look from this package's folder.
  try {
    const file = require.resolve(specifier);
    return await import(file.startsWith('/') || /^[a-z]:\\/i.test(file) ? pathToFileURL(file).href : file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    return import(specifier);
  }
}
