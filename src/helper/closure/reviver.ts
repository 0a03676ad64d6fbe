import type { AnyFunction } from './capture';
import { type Code, type Content, type FunctionNode, type Message, type Node, type Slot, TAG } from './graph';
import { original } from './identity';
import type { Part } from './parts';
import { type Call, compile, Reader, requireFrom, type Surroundings } from './reader';
import { SharedFunctions } from './shared';

/** Compiled code that is kept; what is needed again is compiled again. */
const MOST_PROGRAMS = 5000;

/** Keeps the parts a worker was sent, and makes functions of them again. */
export class Reviver {
  readonly #parts = new Map<string, Content>();
  readonly #programs = new Map<string, ReturnType<typeof compile>>();
  readonly #around: Surroundings;
  /** Functions of the last capture that was revived, by identity. */
  #latest: ReadonlyMap<string, Call> = new Map();
  /** Functions that came along with each that was revived. */
  readonly #company = new WeakMap<object, ReadonlyMap<string, Call>>();
  readonly #shared = new SharedFunctions();

  /** @param options.base folder from which imports are resolved */
  constructor(options: { base: string }) {
    this.#around = {
      base: options.base,
      isKept: true,
      require: requireFrom(options.base),
      content: (id) => this.#content(id),
      program: (id) => this.#program(id),
    };
  }

  add(part: Part): void {
    this.#parts.set(part.id, part.message as Content);
  }

  /** Frees parts that won't be needed again. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#parts.delete(id);
      this.#programs.delete(id);
    }
  }

  /**
   * The function, with its own copies of what it captured: another call gives another copy.
   * @param id the capture's
   * @throws Error when a part is missing
   */
  revive(id: string): AnyFunction {
    const content = this.#content(id);
    if (content.kind !== 'graph') throw new Error(`Part ${id} is ${content.kind}, not a capture`);
    const { value, functions } = this.#read(content.nodes, content.root, this.#around, () => undefined);
    this.#latest = functions;
    this.#company.set(value as AnyFunction, functions);
    return value as AnyFunction;
  }

  /** @internal Values of a message; functions and classes that came along with `reader` are not made twice. */
  read([, nodes, root, codes]: Message, reader?: AnyFunction): unknown {
    const around: Surroundings = {
      ...this.#around,
      isKept: false,
      program: (id) => this.#program(id, codes[id]),
    };
    const company = reader && this.#company.get(reader);
    const here = (id: string, at: number) => {
      const known = original(id) ?? company?.get(id);
      if (known !== undefined || company) return known;
      // Whose the values are is not known: a class must be one, what a function captured may have changed since.
      return (nodes[at] as FunctionNode).isClass ? this.#latest.get(id) : undefined;
    };
    return this.#read(nodes, root, around, here).value;
  }

  #read(
    nodes: readonly Node[],
    root: Slot,
    around: Surroundings,
    here: (id: string, at: number) => unknown,
  ): { value: unknown; functions: ReadonlyMap<string, Call> } {
    const { reused, signatures } = this.#shared.plan(nodes);
    const reader = new Reader(nodes, around, (id, at) => reused.get(at) ?? here(id, at));
    const value = reader.read(root);
    for (const [at, signature] of signatures) {
      const { id } = nodes[at] as FunctionNode;
      if (reader.isNew(at)) this.#shared.keep(id, reader.functions.get(id)!, signature);
    }
    return { value, functions: reader.functions };
  }

  #content(id: string): Content {
    const content = this.#parts.get(id);
    if (!content) throw new Error(`Part ${id} was not sent, or was forgotten`);
    return content;
  }

  #program(id: string, code?: Code): ReturnType<typeof compile> {
    let program = this.#programs.get(id);
    if (!program) {
      if (!code) {
        const content = this.#content(id);
        if (content.kind !== 'code') throw new Error(`Part ${id} is ${content.kind}, not code`);
        ({ code } = content);
      }
      program = compile(code);
      if (this.#programs.size >= MOST_PROGRAMS) this.#programs.delete(this.#programs.keys().next().value!);
      this.#programs.set(id, program);
    }
    return program;
  }
}

let ours: Reviver | undefined;

/**
 * The value of a message that `encode` made. What was a copy of something made here is the original again.
 * @param reviver of the worker
 * @param reader the revived function that the value is for: instances are of the classes that it knows. Default: those
 *   of the last one revived
 */
export function decode(message: unknown, reviver?: Reviver, reader?: AnyFunction): unknown {
  if (!Array.isArray(message) || message[0] !== TAG) return message;
  ours ??= new Reviver({ base: process.cwd() });
  return (reviver ?? ours).read(message as unknown as Message, reader);
}
