/**
 * Turns values into a graph of nodes, functions with all they use. Never runs code of the values on its way: getters,
 * `toString`, `toJSON`, iterators and traps of proxies stay untouched.
 */
import { isBuiltin } from 'node:module';
import { inspect, types } from 'node:util';
import { CaptureError } from './error';
import { derive, find, type Known, readFunction, recall, takeAlong } from './functions';
import {
  CONFIGURABLE,
  type Code,
  ENUMERABLE,
  type Extras,
  type FunctionNode,
  type Node,
  type Property,
  type Slot,
  WRITABLE,
} from './graph';
import { identityOf } from './identity';
import { fileFor } from './lines';
import { compareMembers, isOfEveryFunction } from './members';
import { exporterOf, moduleOf, refreshModules } from './modules';
import {
  hasPrivate,
  hopeless,
  insideRegExp,
  insideView,
  isConstructor,
  isDetached,
  isExotic,
  isNative,
  isNodeError,
  leaveHere,
  madeWith,
  makerOf,
  nameOf,
  ORDINARY,
  unbox,
} from './natives';
import { plainObjects } from './plain';
import { render } from './render';
import type { Key, Use } from './source';
import { isStandardGlobal, standardName, wellKnownName } from './standard';
import { type Naming, type Step, Trail } from './trail';
import { hasNames, type Insight, lookInto } from './variables';

export type Target = 'thread' | 'process' | 'cluster';

/** Where large things go: into parts of their own, or along with the graph. */
export interface Store {
  bytes(buffer: ArrayBuffer): { part?: string; bytes?: ArrayBuffer };
  shared(memory: SharedArrayBuffer): { part?: string; memory?: SharedArrayBuffer };
  /** undefined: the text is short enough to go as it is. */
  text(text: string): string | undefined;
  code(key: string, make: () => Code): string;
}

export interface WriterOptions {
  readonly name: Naming;
  readonly target: Target;
  /** What is written comes from the target instead of going there. */
  readonly isBack?: boolean;
  /** Folder from which imports will be resolved. */
  readonly base: string;
  readonly store: Store;
  /** What can't go is replaced by a text about it: for errors, which must not be lost. */
  readonly isLenient?: boolean;
  /** Large texts and memory go into parts of their own. */
  readonly hasParts?: boolean;
}

type PropertyName = string | symbol;

const LOST =
  "The worker would only change its own copy. Return the value instead, keep a worker's own state in `init`, or " +
  'count with Atomics on a SharedArrayBuffer';

/** Something points into plain data that was to go as a whole. */
const SHARED = new Error('points into plain data');

/** The graph of a value, plain data in it as V8 has it where nothing else points into that. */
export function written(value: unknown, options: WriterOptions): { writer: Writer; root: Slot } {
  try {
    const writer = new Writer(options, true);
    return { writer, root: writer.write(value) };
  } catch (error) {
    if (error !== SHARED) throw error;
    const writer = new Writer(options, false);
    return { writer, root: writer.write(value) };
  }
}

class Writer {
  readonly nodes: Node[] = [];
  readonly #options: WriterOptions;
  readonly #trail: Trail;
  readonly #index = new Map<unknown, number>();
  readonly #objects: number[] = [];
  #functions: number[] = [];
  /** What is known already of functions that are still to be written. */
  readonly #derived = new Map<number, Insight>();
  /** Prototypes whose instances can go. */
  readonly #allowed = new Set<object>();
  /** Node's pieces of memory that small Buffers share, with their views. */
  readonly #pools = new Map<ArrayBufferLike, { at: number; views: (Node & { t: 'view' })[] }>();
  #hasModules = false;

  /** Objects within plain data that goes as a whole. */
  readonly #inside = new Set<object>();

  constructor(
    options: WriterOptions,
    readonly mayClone: boolean,
  ) {
    this.#options = options;
    this.#trail = new Trail(options);
  }

  /** Everything that was written. */
  get values(): readonly unknown[] {
    return this.#trail.values;
  }

  write(value: unknown): Slot {
    const slot = this.#slot(value, { from: -1, label: '', how: 'root' });
    for (;;) {
      const at = this.#objects.pop();
      if (at !== undefined) this.#try(at, () => this.#object(at));
      else if (this.#functions.length > 0) this.#writeFunctions();
      else break;
    }
    for (const [buffer, { at, views }] of this.#pools) this.#pool(buffer as ArrayBuffer, at, views);
    return slot;
  }

  #slot(value: unknown, step: Step): Slot {
    switch (typeof value) {
      case 'string': {
        const part = value.length > 1000 ? this.#options.store.text(value) : undefined;
        return part === undefined ? value : [this.#add(value, { t: 'text', part }, step)];
      }
      case 'object':
        if (value === null) return value;
        break;
      case 'symbol':
      case 'function':
        break;
      default:
        return value as Slot;
    }
    const seen = this.#index.get(value);
    if (seen !== undefined) return [seen];
    if (this.#inside.size > 0 && this.#inside.has(value as object)) throw SHARED;
    const at = this.#add(value, undefined, step);
    if (typeof value === 'symbol') this.nodes[at] = symbolNode(value);
    else this.#objects.push(at);
    return [at];
  }

  #add(value: unknown, node: Node | undefined, step: Step): number {
    // Filled in before the graph is complete.
    const at = this.nodes.push(node as Node) - 1;
    this.#trail.add(value, step);
    if (typeof value !== 'string') this.#index.set(value, at);
    return at;
  }

  #child(from: number, value: unknown, label: string, how: Step['how'], at?: number): Slot {
    return typeof value === 'number' ? value : this.#slot(value, { from, label, how, at });
  }

  #refuse(at: number, what: string, instead: string): never {
    this.#trail.refuse(at, what, instead);
  }

  #try(at: number, write: () => void): void {
    if (!this.#options.isLenient) {
      write();
      return;
    }
    try {
      write();
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.nodes[at] = { t: 'text', text: describe(this.#trail.values[at]) };
    }
  }

  #object(at: number): void {
    // Its class may have written it meanwhile, if it is a prototype.
    if (this.nodes[at] !== undefined) return;
    const value = this.#trail.values[at] as object;
    const name = standardName(value);
    if (name) {
      this.nodes[at] = { t: 'standard', name };
      return;
    }
    if (types.isProxy(value)) {
      // The notebook's own `require` is one.
      const isOurs = this.#trail.step(at).label === 'require' && isRequire(value);
      if (!isOurs) this.#refuse(at, 'a Proxy', 'Pass what it gives, as plain values');
      this.nodes[at] = { t: 'require' };
      return;
    }
    const origin = this.#origin(value);
    if (origin) this.nodes[at] = origin;
    else if (typeof value !== 'function') this.nodes[at] = this.#kind(at, value);
    else if (isRequire(value)) this.nodes[at] = { t: 'require' };
    else this.#functions.push(at);
  }

  /** Modules and the functions they export are imported again. */
  #origin(value: object): Node | undefined {
    if (!this.#hasModules) refreshModules();
    this.#hasModules = true;
    const { base } = this.#options;
    const specifier = moduleOf(value, base);
    if (specifier !== undefined) return { t: 'import', from: specifier };
    const exporter = typeof value === 'function' ? exporterOf(value, base) : undefined;
    return exporter && { t: 'import', from: exporter.specifier, name: exporter.name };
  }

  #kind(at: number, value: object): Node {
    if (this.mayClone && this.#isWhole(value)) return { t: 'clone', v: value };
    if (Array.isArray(value)) return this.#array(at, value);
    const maker = makerOf(value);
    if (maker) {
      const f = this.#child(at, maker, nameOf(maker) ?? 'constructor', 'internal');
      // Its function may have been written before; then this is all there is to say.
      return this.nodes[at] ?? { t: 'prototype', f };
    }
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype !== Object.prototype || isExotic(value)) return this.#exotic(at, value, prototype);
    return this.#star(at, value) ?? this.#plain(at, value);
  }

  /** Plain data that nothing else points into, so far. */
  #isWhole(value: object): boolean {
    const prototype = Object.getPrototypeOf(value) as unknown;
    if (
      prototype !== Object.prototype &&
      prototype !== Array.prototype &&
      prototype !== Map.prototype &&
      prototype !== Set.prototype
    )
      return false;
    const all = plainObjects(value, this.#options.hasParts ?? false);
    if (!all) return false;
    all.delete(value);
    for (const one of all) if (this.#index.has(one)) return false;
    for (const one of all) this.#inside.add(one);
    return true;
  }

  #exotic(at: number, value: object, prototype: object | null): Node {
    const as = (node: Node, standard: object, skip?: (key: PropertyName) => boolean) => {
      if (prototype !== standard) this.#prototype(at, prototype, node);
      this.#own(at, value, node, skip);
      return node;
    };
    if (types.isMap(value)) {
      const node: Node = { t: 'map', k: [], v: [] };
      Map.prototype.forEach.call(value, (entry, key) => {
        node.k.push(this.#child(at, key, '[a key]', 'element'));
        node.v.push(
          this.#child(
            at,
            entry,
            `.get(${typeof key === 'string' ? JSON.stringify(key) : labelOf(key)})`,
            'element',
          ),
        );
      });
      return as(node, Map.prototype);
    }
    if (types.isSet(value)) {
      const node: Node = { t: 'set', v: [] };
      Set.prototype.forEach.call(value, (one) =>
        node.v.push(this.#child(at, one, '[an element]', 'element')),
      );
      return as(node, Set.prototype);
    }
    if (types.isDate(value)) return as({ t: 'date', v: Date.prototype.getTime.call(value) }, Date.prototype);
    if (types.isRegExp(value)) {
      return as({ t: 'regexp', ...insideRegExp(value) }, RegExp.prototype, (key) => key === 'lastIndex');
    }
    if (prototype === DOMException.prototype) {
      const { message, name, stack } = value as DOMException;
      return { t: 'domexception', message, name, stack };
    }
    if (types.isNativeError(value)) return this.#error(at, value, prototype);
    if (types.isSharedArrayBuffer(value)) return as(this.#shared(at, value), SharedArrayBuffer.prototype);
    if (types.isArrayBuffer(value)) return as(this.#buffer(at, value), ArrayBuffer.prototype);
    if (ArrayBuffer.isView(value)) return this.#view(at, value, prototype);
    if (types.isBoxedPrimitive(value)) {
      const inner = unbox(value);
      return as(
        { t: 'boxed', v: this.#child(at, inner, '', 'internal') },
        Object.getPrototypeOf(Object(inner)) as object,
        (key) => typeof inner === 'string' && (key === 'length' || isIndex(key)),
      );
    }
    if (types.isArgumentsObject(value)) {
      const elements = Array.from(value as ArrayLike<unknown>);
      return { t: 'arguments', v: elements.map((one, i) => this.#child(at, one, `[${i}]`, 'element')) };
    }
    if (types.isModuleNamespaceObject(value)) {
      // `import * as` in an ES module: what it imports has been loaded here, too, if it is Node's or CommonJS.
      const module: unknown = Object.getOwnPropertyDescriptor(value, 'default')?.value;
      if (typeof module === 'object' && module !== null && this.#origin(module)) {
        return { t: 'star', of: this.#child(at, module, 'default', 'property') };
      }
    }
    const refusal = hopeless(value);
    if (refusal) this.#refuse(at, refusal.what, refusal.instead);
    const made = prototype && madeWith(value, prototype);
    if (made) return { t: 'made', ...made };
    if (value === process.env) return this.#plain(at, { ...process.env });
    const node = this.#plain(at, value);
    this.#prototype(at, prototype, node);
    return node;
  }

  #array(at: number, value: unknown[]): Node {
    const { length } = value;
    const prototype = Object.getPrototypeOf(value) as object | null;
    const v: Slot[] = [];
    // Looking at descriptors (an element may be a getter) would take too long for large ones.
    const isShort = length <= 1000;
    const isFrozen = isShort && Object.isFrozen(value);
    let isPlain = isShort ? Reflect.ownKeys(value).length === length + 1 : !hasNames(value);
    for (let i = 0; i < length && isPlain; i++) {
      let one: unknown;
      if (isShort) {
        const descriptor = Object.getOwnPropertyDescriptor(value, i);
        isPlain = descriptor !== undefined && isPlainData(descriptor, isFrozen);
        one = descriptor?.value;
      } else {
        one = value[i];
        isPlain = one !== undefined || Object.hasOwn(value, i);
      }
      if (isPlain) v.push(this.#child(at, one, `[${i}]`, 'element'));
    }
    const node: Node = isPlain ? { t: 'array', v } : { t: 'sparse', n: length };
    if (isPlain) fix(value, node);
    else {
      this.#own(at, value, node, (key) => key === 'length');
      if (!Object.getOwnPropertyDescriptor(value, 'length')!.writable) node.fixed ??= 'frozen';
    }
    if (prototype !== Array.prototype) this.#prototype(at, prototype, node);
    return node;
  }

  #plain(at: number, value: object): Node {
    const node: Node = { t: 'plain', k: [], v: [] };
    const isFrozen = Object.isFrozen(value);
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, key)!;
      if (typeof key === 'symbol' || !isPlainData(descriptor, isFrozen)) {
        const special: Node = { t: 'plain', k: [], v: [] };
        this.#own(at, value, special);
        return special;
      }
      node.k.push(key);
      node.v.push(this.#child(at, descriptor.value, key, 'property'));
    }
    fix(value, node);
    return node;
  }

  /** Own properties with their flags, accessors as functions. */
  #own(at: number, value: object, node: Extras, skip?: (key: PropertyName) => boolean): void {
    for (const key of Reflect.ownKeys(value)) {
      if (!skip?.(key)) this.#addOwn(at, value, key, node);
    }
    fix(value, node);
  }

  #addOwn(at: number, value: object, key: PropertyName, node: Extras): void {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)!;
    const flags =
      (descriptor.writable ? WRITABLE : 0) |
      (descriptor.enumerable ? ENUMERABLE : 0) |
      (descriptor.configurable ? CONFIGURABLE : 0);
    const label = labelOf(key);
    const slot = this.#child(at, key, label, 'internal');
    const property: Property =
      'value' in descriptor
        ? [slot, flags, this.#child(at, descriptor.value, label, 'property')]
        : [
            slot,
            flags,
            this.#child(at, descriptor.get, label, 'property'),
            this.#child(at, descriptor.set, label, 'property'),
          ];
    node.own ??= [];
    node.own.push(property);
  }

  /** The prototype of an instance. Classes whose instances can't be copied are refused here. */
  #prototype(at: number, prototype: object | null, node: Extras): void {
    if (prototype !== null && !this.#allowed.has(prototype)) {
      this.#checkInstance(at, prototype);
      this.#allowed.add(prototype);
    }
    node.p = this.#child(at, prototype, 'prototype', 'internal');
  }

  #checkInstance(at: number, prototype: object): void {
    let own: string | undefined;
    for (let p: object | null = prototype; p !== null; p = Object.getPrototypeOf(p) as object | null) {
      // It will be refused when it is reached.
      if (types.isProxy(p)) return;
      const maker = makerOf(p);
      const standard = standardName(p) ?? (maker && standardName(maker));
      // Their instances are told by what is inside them, so anything else here is a plain object.
      if (standard && ORDINARY.has(standard[0])) return;
      const name = standard?.filter((step) => step !== 'prototype').join('.') ?? (maker && nameOf(maker));
      own ??= name;
      const what = own === name ? a(name ?? 'instance of an unnamed class') : `${a(own!)} (${a(name!)})`;
      if (standard || (maker && this.#isNodes(maker))) {
        this.#refuse(at, what, leaveHere(this.#trail.values[at]));
      }
      if (maker && hasPrivate(maker)) {
        this.#refuse(
          at,
          `${what}, whose class has private fields (#)`,
          'Nobody else can read them: make it there, in `init` or in the function; ' +
            'a class of your own can use `private` instead of `#`',
        );
      }
    }
  }

  /** True for classes of Node and of native code. */
  #isNodes(maker: object): boolean {
    if (isNative(maker)) return true;
    const exporter = exporterOf(maker, this.#options.base);
    return exporter !== undefined && isBuiltin(exporter.specifier);
  }

  #error(at: number, value: Error, prototype: object | null): Node {
    const node: Node = { t: 'error' };
    let p = prototype;
    // The nearest class that has a name stands in for those inside Node.
    while (p !== null && !standardName(p) && isNodeError(makerOf(p)))
      p = Object.getPrototypeOf(p) as object | null;
    this.#prototype(at, p, node);
    for (const key of Reflect.ownKeys(value)) {
      if (key !== 'stack') this.#addOwn(at, value, key, node);
      else {
        // V8 makes the text at the first reading, and newer ones have a getter for it.
        node.own ??= [];
        node.own.push(['stack', WRITABLE | CONFIGURABLE, stackOf(value)]);
      }
    }
    fix(value, node);
    return node;
  }

  #shared(at: number, value: SharedArrayBuffer): Node {
    if (this.#options.target !== 'thread') {
      const instead = 'Memory is shared between threads only: use the backend "thread"';
      this.#refuse(at, 'a SharedArrayBuffer', instead);
    }
    return { t: 'shared', ...this.#options.store.shared(value) };
  }

  #buffer(at: number, value: ArrayBuffer): Node {
    if (isDetached(value)) {
      const what = 'an ArrayBuffer whose memory was transferred away';
      this.#refuse(at, what, 'Copy it before it is transferred');
    }
    // Not in the types of ES2022.
    const { resizable, maxByteLength } = value as ArrayBuffer & {
      resizable?: boolean;
      maxByteLength?: number;
    };
    const node: Node = { t: 'buffer', ...this.#options.store.bytes(value) };
    if (resizable) node.max = maxByteLength;
    return node;
  }

  #view(at: number, value: ArrayBufferView, prototype: object | null): Node {
    const { kind, buffer, offset, length } = insideView(value);
    const isBuffer = prototype === Buffer.prototype;
    const c = isBuffer ? 'Buffer' : kind;
    const node: Node & { t: 'view' } = { t: 'view', c, b: null, o: offset, n: length };
    const isPooled = isBuffer && buffer.byteLength > length && buffer.byteLength <= Buffer.poolSize;
    if (isPooled) this.#pooled(at, buffer, node);
    else node.b = this.#child(at, buffer, 'buffer', 'property');
    const standard = (globalThis as unknown as Record<string, { prototype: object }>)[c]!.prototype;
    if (prototype !== standard) this.#prototype(at, prototype, node);
    if (length <= 1000 || hasNames(value)) this.#own(at, value, node, isIndex);
    return node;
  }

  /** Node keeps small Buffers side by side in one piece of memory: the neighbours stay here. */
  #pooled(at: number, buffer: ArrayBufferLike, view: Node & { t: 'view' }): void {
    let pool = this.#pools.get(buffer);
    if (!pool) {
      const own = this.#add({}, { t: 'buffer' }, { from: at, label: 'buffer', how: 'property' });
      pool = { at: own, views: [] };
      this.#pools.set(buffer, pool);
    }
    pool.views.push(view);
    view.b = [pool.at];
  }

  #pool(buffer: ArrayBuffer, at: number, views: (Node & { t: 'view' })[]): void {
    const start = Math.min(...views.map(({ o }) => o));
    const end = Math.max(...views.map(({ o, n }) => o + n));
    const bytes = new Uint8Array(end - start);
    for (const view of views) {
      bytes.set(new Uint8Array(buffer, view.o, view.n), view.o - start);
      view.o -= start;
    }
    this.nodes[at] = { t: 'buffer', bytes: bytes.buffer };
  }

  /** `import * as` as TypeScript makes it: a getter for each of the module's names, and `default`. */
  #star(at: number, value: object): Node | undefined {
    const inner = Object.getOwnPropertyDescriptor(value, 'default');
    const module: unknown = inner?.value;
    if ((typeof module !== 'object' && typeof module !== 'function') || module === null) return undefined;
    if (inner?.writable || inner?.configurable || types.isProxy(module) || !this.#origin(module))
      return undefined;
    for (const key of Reflect.ownKeys(value)) {
      if (key === 'default') continue;
      const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(value, key)!;
      if (!get || set || !enumerable || configurable || !Object.hasOwn(module, key)) return undefined;
    }
    return { t: 'star', of: this.#child(at, module, 'default', 'property') };
  }

  #writeFunctions(): void {
    const batch = this.#functions;
    this.#functions = [];
    const insights = new Map<number, Insight>();
    const asked: number[] = [];
    for (const at of batch) {
      if (recall(this.#trail.values[at] as object)?.isOpen === false) continue;
      const insight = this.#derived.get(at);
      if (insight) insights.set(at, insight);
      else asked.push(at);
    }
    // All in one go: each message to the inspector has its price.
    for (const [i, insight] of lookInto(asked.map((at) => this.#trail.values[at] as object)).entries()) {
      insights.set(asked[i]!, insight);
    }
    for (const at of batch) this.#try(at, () => this.#function(at, insights.get(at)));
  }

  #function(at: number, insight: Insight | undefined): void {
    const value = this.#trail.values[at] as object;
    const known = recall(value) ?? readFunction(this.#trail, at, insight!);
    this.#trail.locate(at, known.location);
    const { source, isStrict, location } = known;
    const node: FunctionNode = { t: 'function', id: identityOf(value), code: '', name: undefined, v: [] };
    if (source.isClass) node.isClass = true;
    this.nodes[at] = node;
    const names = this.#variables(at, known, node, insight);
    if (source.isClass) this.#class(at, value, known, node, insight);
    else this.#plainFunction(at, value, known, node);
    const name = Object.getOwnPropertyDescriptor(value, 'name');
    if (!name) node.name = false;
    else if (isOfEveryFunction('name', name, source)) node.name = name.value as string;
    const key = `${isStrict ? 'strict' : 'sloppy'} ${source.shape} ${names.join()} ${source.text}`;
    node.code = this.#options.store.code(key, () => ({
      program: render({ source, names, isStrict: isStrict && source.strict !== true }),
      file: fileFor(nameOf(value) ?? '', source.text, location),
    }));
  }

  /** Writes the values of the variables; returns the names of those that have one. */
  #variables(at: number, known: Known, node: FunctionNode, insight: Insight | undefined): string[] {
    const names: string[] = [];
    for (const variable of known.variables) {
      const { name, use, isGlobal } = variable;
      if (use.assignedAt !== undefined) {
        const whose = isGlobal ? 'a variable that is declared nowhere' : 'a variable of the notebook';
        this.#trail.refuseIn(at, use.assignedAt, `assigns to \`${name}\`, ${whose}`, LOST);
      }
      const found = takeAlong(variable, insight);
      if (!found) continue;
      const { value, kind, isUnset } = found;
      if (name === known.source.ownName && value === this.#trail.values[at]) continue;
      if (kind.startsWith('With')) {
        const what = `uses \`${name}\` of a \`with\` block`;
        this.#trail.refuseIn(at, use.at, what, 'Write the object before the name');
      }
      if (isUnset || (value === undefined && known.isUnset(name))) {
        const instead = `Start the run below the line that declares \`${name}\``;
        this.#trail.refuseIn(at, use.at, `uses \`${name}\`, which has no value yet`, instead);
      }
      if (name === 'arguments') {
        node.args = this.#child(at, value, name, 'variable', use.at);
        continue;
      }
      const slot = isNamespace(name, value)
        ? this.#names(at, value, use)
        : this.#child(at, value, name, 'variable', use.at);
      names.push(name);
      node.v.push(slot);
      if (insight && typeof slot === 'object' && slot && this.nodes[slot[0]] === undefined) {
        const derived = derive(known, insight, name, value);
        if (derived) this.#derived.set(slot[0], derived);
      }
    }
    return names;
  }

  /** tslab's variables of earlier cells, and those of a CommonJS module, are properties of `exports`. */
  #names(at: number, namespace: Record<string, unknown>, use: Use): Slot {
    const { assignedMember, members } = use;
    if (assignedMember) {
      const what = `assigns to \`${assignedMember.name}\`, a variable of the notebook`;
      this.#trail.refuseIn(at, assignedMember.at, what, LOST);
    }
    if (!members) {
      const what = 'uses all variables of the notebook at once (`exports`)';
      this.#trail.refuseIn(at, use.wholeAt ?? use.at, what, 'Name the ones it needs');
    }
    // Each function has its own, so that it is the same whatever else goes along.
    const node: Node = { t: 'names', k: [], v: [] };
    const index = this.#add(node, node, { from: at, label: 'exports', how: 'internal' });
    for (const [name, position] of members) {
      if (!(name in namespace)) continue;
      node.k.push(name);
      node.v.push(this.#child(at, namespace[name], name, 'variable', position));
    }
    return [index];
  }

  #class(at: number, value: object, known: Known, node: FunctionNode, insight: Insight | undefined): void {
    const { source } = known;
    const parent = Object.getPrototypeOf(value) as object;
    const prototype = (value as { prototype: object }).prototype;
    let inborn: { parent: object; prototype: object | null } = {
      parent: Function.prototype,
      prototype: source.heritage === 'null' ? null : Object.prototype,
    };
    if (source.heritage === 'some') {
      if (!isConstructor(parent)) {
        this.#refuse(at, 'a class whose parent is no class any more', 'Leave its prototype as it is');
      }
      node.parent = this.#child(at, parent, 'extends', 'internal');
      inborn = { parent, prototype: Object.getOwnPropertyDescriptor(parent, 'prototype')?.value as object };
    }
    if (parent !== inborn.parent) node.p = this.#child(at, parent, 'extends', 'internal');

    const keys = source.keys.map((key) => key && toKey(this.#key(at, key, insight!)));
    const own = compareMembers(source, value, value, keys);
    for (const key of own.extra) this.#addOwn(at, value, key, node);
    if (own.gone.length > 0) node.lacks = own.gone.map((key) => this.#child(at, key, '', 'internal'));
    fix(value, node);

    const { extra, gone } = compareMembers(source, value, prototype, keys);
    const above = Object.getPrototypeOf(prototype) as object | null;
    const isChanged = above !== inborn.prototype || !Object.isExtensible(prototype);
    if (isChanged || extra.length > 0 || gone.length > 0) {
      const [index, extras] = this.#ownPrototype(at, prototype);
      if (above !== inborn.prototype) extras.p = this.#child(index, above, 'prototype', 'internal');
      for (const key of extra) this.#addOwn(index, prototype, key, extras);
      if (gone.length > 0) extras.lacks = gone.map((key) => this.#child(index, key, '', 'internal'));
      fix(prototype, extras);
    }

    if (keys.length > 0) {
      node.keys = keys.map((key) => {
        if (key === undefined) {
          const what = 'a class with a method whose name is worked out (`[…]`) and which was replaced';
          this.#refuse(at, what, 'Give the method a plain name');
        }
        return this.#child(at, key, '', 'internal');
      });
    }
    if (source.privateStatics.length > 0) {
      node.privates = source.privateStatics.map((name) =>
        this.#child(at, insight!.privates.get(name), name, 'property'),
      );
    }
  }

  /** The value of a field's worked-out name. */
  #key(at: number, key: Key, insight: Insight): unknown {
    if ('literal' in key) return key.literal;
    if ('variable' in key) {
      const found = find(insight, key.variable);
      if (found) return found.value;
      if (isStandardGlobal(key.variable)) return (globalThis as Record<string, unknown>)[key.variable];
    } else {
      const of = this.#key(at, key.of, insight);
      const name = toKey(this.#key(at, key.member, insight));
      const isOurs = 'variable' in key.of && isNamespace(key.of.variable, of);
      if (of !== undefined && of !== null && (isOurs || !types.isProxy(of))) return (of as never)[name];
    }
    this.#refuse(
      at,
      'a class with a field whose name is worked out (`[…]`)',
      "Write the field's name itself",
    );
  }

  #plainFunction(at: number, value: object, known: Known, node: FunctionNode): void {
    const { source } = known;
    if (source.usesSuper) node.home = this.#child(at, this.#home(at, known), 'super', 'internal');
    const parent = Object.getPrototypeOf(value) as object | null;
    if (parent === null || !standardName(parent)) node.p = this.#child(at, parent, 'prototype', 'internal');
    for (const key of Reflect.ownKeys(value)) {
      // Reading these two walks up the stack.
      if (key === 'arguments' || key === 'caller') continue;
      if (key === 'prototype') this.#prototypeProperty(at, value, node);
      else if (!isOfEveryFunction(key, Object.getOwnPropertyDescriptor(value, key)!, source)) {
        this.#addOwn(at, value, key, node);
      }
    }
    fix(value, node);
  }

  /** What `super` means in a method that is not part of a class: the prototype of its object. */
  #home(at: number, known: Known): unknown {
    const { from, how, label } = this.#trail.step(at);
    const owner = how === 'property' ? (this.#trail.values[from] as object) : undefined;
    const descriptor = owner && Object.getOwnPropertyDescriptor(owner, label);
    const value = this.#trail.values[at];
    if (descriptor && [descriptor.value, descriptor.get, descriptor.set].includes(value)) {
      const prototype = Object.getPrototypeOf(owner) as unknown;
      // The method may have been put into another object than that it was written in.
      if (known.literalHasProto() === (prototype !== Object.prototype)) return prototype;
    }
    this.#refuse(at, 'a method that uses `super`', 'Call it on its object: `(item) => object.method(item)`');
  }

  /** Classes of old have their methods on their function's prototype. */
  #prototypeProperty(at: number, value: object, node: FunctionNode): void {
    const prototype: unknown = Object.getOwnPropertyDescriptor(value, 'prototype')!.value;
    const isObject = typeof prototype === 'object' && prototype !== null;
    const own = isObject ? Object.getOwnPropertyDescriptor(prototype, 'constructor') : undefined;
    const isGenerator = types.isGeneratorFunction(value);
    if (isObject && isGenerator && Reflect.ownKeys(prototype).length === 0) return;
    if (!isObject || isGenerator || own?.value !== value) {
      this.#addOwn(at, value, 'prototype', node);
      return;
    }
    const above = Object.getPrototypeOf(prototype) as object | null;
    const isInborn = Reflect.ownKeys(prototype).length === 1 && !own.enumerable && above === Object.prototype;
    if (isInborn && Object.isExtensible(prototype)) return;
    const [index, extras] = this.#ownPrototype(at, prototype);
    if (above !== Object.prototype) this.#prototype(index, above, extras);
    this.#own(index, prototype, extras, (key) => key === 'constructor' && !own.enumerable);
  }

  /** The node of a prototype that is not as its function makes it. */
  #ownPrototype(at: number, prototype: object): [index: number, node: Node] {
    const node: Node = { t: 'prototype', f: [at] };
    const seen = this.#index.get(prototype);
    if (seen !== undefined) this.nodes[seen] = node;
    return [seen ?? this.#add(prototype, node, { from: at, label: 'prototype', how: 'property' }), node];
  }
}

function fix(value: object, node: Extras): void {
  if (Object.isExtensible(value)) return;
  node.fixed = Object.isFrozen(value) ? 'frozen' : Object.isSealed(value) ? 'sealed' : 'closed';
}

function symbolNode(symbol: symbol): Node {
  const wellKnown = wellKnownName(symbol);
  if (wellKnown !== undefined) return { t: 'symbol', wellKnown };
  const key = Symbol.keyFor(symbol);
  if (key !== undefined) return { t: 'symbol', key };
  return { t: 'symbol', id: identityOf(symbol), description: symbol.description };
}

/** The notebook's variables as tslab keeps them, or a CommonJS module's. */
function isNamespace(name: string, value: unknown): value is Record<string, unknown> {
  if (name !== 'exports' || typeof value !== 'object' || value === null) return false;
  return types.isProxy(value) || Object.hasOwn(value, '__esModule');
}

function isRequire(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'cache')?.value === require.cache;
}

function isPlainData(
  { writable, enumerable, configurable, get, set }: PropertyDescriptor,
  isFrozen: boolean,
): boolean {
  if (get || set || !enumerable) return false;
  return isFrozen || (writable === true && configurable === true);
}

function isIndex(key: PropertyName): boolean {
  return typeof key === 'string' && /^(?:0|[1-9]\d*)$/.test(key);
}

function toKey(value: unknown): PropertyName {
  return typeof value === 'symbol' ? value : String(value);
}

function labelOf(key: unknown): string {
  if (typeof key === 'string') return key;
  return typeof key === 'object' || typeof key === 'function' ? '…' : String(key);
}

function a(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function stackOf(error: Error): string {
  try {
    // Somebody's `prepareStackTrace` may run, and give anything.
    if (typeof error.stack === 'string') return error.stack;
  } catch {
    // As below.
  }
  return String(Object.getOwnPropertyDescriptor(error, 'message')?.value ?? '');
}

function describe(value: unknown): string {
  try {
    return inspect(value, { depth: 0 });
  } catch {
    return `a ${typeof value} that can't be shown`;
  }
}
