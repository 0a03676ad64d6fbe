/**
 * The whole program a function was written in: what the function's own text doesn't tell. Which surroundings a name
 * comes from, whether it can ever change, whether the code is strict.
 */
import type { AnyNode, Class, Function as FunctionNode, Program } from 'acorn';
import { acorn } from './lazy';
import { type Binding, bindingOf, hasUseStrict, type Scope, scopeIn, Walk } from './walk';

/** Where V8 says that a function's code begins. */
export interface Location {
  readonly scriptId: string;
  readonly line: number;
  readonly column: number;
}

/** What surrounds a function. */
export interface Place {
  readonly isStrict: boolean;
  /** `function f() {}` as a statement: in it, `f` is a variable of its surroundings. */
  readonly isDeclaration: boolean;
  readonly scope: Scope;
  /** Of a method it begins behind its name. */
  readonly node: FunctionNode | Class;
}

/** An object literal with methods in it. */
interface Literal {
  /** Where the methods end. */
  readonly ends: readonly number[];
  /** `__proto__: something` among its properties. */
  readonly hasProto: boolean;
}

interface Found extends Place {
  readonly isClass: boolean;
}

export class Script {
  readonly text: string;
  readonly #lines: number[] = [0];
  readonly #functions: readonly Found[];
  readonly #literals: readonly Literal[];
  /** `eval` may assign to anything. */
  readonly hasEval: boolean;

  /** @throws SyntaxError */
  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lines.push(at + 1);
    const walk = new ScriptWalk(program(text));
    this.#functions = walk.functions;
    this.#literals = walk.literals;
    this.hasEval = walk.hasEval;
  }

  /** Where V8 would say that the code at this offset begins. */
  location(scriptId: string, offset: number): Location {
    let line = this.#lines.length - 1;
    while (this.#lines[line]! > offset) line--;
    return { scriptId, line, column: offset - this.#lines[line]! };
  }

  /** Offset of a place; line and column count from 0. */
  offset(line: number, column: number): number {
    return (this.#lines[line] ?? 0) + column;
  }

  /** Offset of the function with this text, or undefined if it isn't of this script. */
  start({ line, column }: Location, text: string): number | undefined {
    // V8 names the place of the parameters, which comes after the name.
    const at = this.offset(line, column);
    const start = this.text.lastIndexOf(text, at);
    return start >= 0 && at < start + text.length ? start : undefined;
  }

  /** Whether the object literal that a method stands in says what its prototype is; undefined: it is in none. */
  literalHasProto(location: Location, text: string): boolean | undefined {
    const start = this.start(location, text);
    if (start === undefined) return undefined;
    return this.#literals.find(({ ends }) => ends.includes(start + text.length))?.hasProto;
  }

  /** The surroundings of the function with this text, or undefined if it isn't of this script. */
  place(location: Location, text: string): Place | undefined {
    const start = this.start(location, text);
    if (start === undefined) return undefined;
    const end = start + text.length;
    const isClass = /^class\b/.test(text);
    // The outermost within the text: what is inside of the function begins behind it.
    return this.#functions.find(
      ({ node, isClass: is }) => is === isClass && node.start >= start && node.end === end,
    );
  }
}

function program(text: string): Program {
  const options = {
    ecmaVersion: 'latest',
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowSuperOutsideMethod: true,
    checkPrivateFields: false,
    allowHashBang: true,
  } as const;
  try {
    return acorn().parse(text, { ...options, sourceType: 'script' });
  } catch (error) {
    try {
      return acorn().parse(text, { ...options, sourceType: 'module' });
    } catch {
      throw error;
    }
  }
}

class ScriptWalk extends Walk {
  readonly functions: Found[] = [];
  readonly literals: Literal[] = [];
  hasEval = false;

  constructor(root: Program) {
    super();
    if (root.sourceType === 'module' || hasUseStrict(root.body)) this.strict++;
    this.block(root.body, scopeIn('program', undefined));
    this.resolve();
    // Outer ones before inner ones.
    this.functions.sort(({ node: a }, { node: b }) => a.start - b.start || b.end - a.end);
  }

  protected override open(node: FunctionNode | Class | undefined, scope: Scope): void {
    if (!node) return;
    const isClass = node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
    this.functions.push({
      node,
      isClass,
      isStrict: this.strict > 0,
      isDeclaration: node.type === 'FunctionDeclaration',
      scope,
    });
  }

  protected override enter(node: AnyNode): boolean {
    if (node.type === 'WithStatement') this.hasEval = true;
    if (node.type === 'ObjectExpression') {
      const properties = node.properties.flatMap((one) => (one.type === 'Property' ? [one] : []));
      const methods = properties.filter(({ method, kind }) => method || kind !== 'init');
      const hasProto = properties.some(
        ({ key, computed, shorthand, method }) =>
          !computed && !shorthand && !method && 'name' in key && key.name === '__proto__',
      );
      if (methods.length > 0) this.literals.push({ ends: methods.map(({ end }) => end), hasProto });
    }
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'eval') {
      this.hasEval = true;
    }
    return false;
  }
}

/** True for a variable that keeps its first value, as far as the script's text tells. */
export function isConstant(script: Script, place: Place, name: string): boolean {
  const binding = lookUp(place, name);
  if (!binding || binding.isAssigned || script.hasEval) return false;
  const { kind } = binding;
  return kind !== 'var' && kind !== 'hoisted' && kind !== 'own';
}

/**
 * Where the function or class is written that this constant was given; undefined where it was given anything else. One
 * that is written there was made in the very scope which the variable belongs to.
 */
export function madeAt(script: Script, place: Place, name: string, text: string): number | undefined {
  if (!isConstant(script, place, name)) return undefined;
  const init = lookUp(place, name)?.init as AnyNode | undefined;
  switch (init?.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ClassDeclaration':
    case 'ClassExpression':
      return script.text.slice(init.start, init.end) === text ? init.start : undefined;
    default:
      return undefined;
  }
}

/** True for a constant whose first value can't be `undefined`: where it is, the constant has no value yet. */
export function isNeverUndefined(place: Place, name: string): boolean {
  const binding = lookUp(place, name);
  if (!binding || binding.isAssigned) return false;
  if (binding.kind === 'class') return true;
  if (binding.kind !== 'const' && binding.kind !== 'let') return false;
  const init = binding.init as AnyNode | undefined;
  switch (init?.type) {
    case 'Literal':
    case 'TemplateLiteral':
    case 'ArrayExpression':
    case 'ObjectExpression':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ClassExpression':
    case 'NewExpression':
    case 'BinaryExpression':
    case 'UpdateExpression':
      return true;
    case 'UnaryExpression':
      return init.operator !== 'void';
    default:
      return false;
  }
}

function lookUp({ scope }: Place, name: string): Binding | undefined {
  const binding = bindingOf(name, scope);
  // Other scripts can see and change what is declared outside of all functions.
  return binding && scopeOf(binding, name, scope)?.kind !== 'program' ? binding : undefined;
}

function scopeOf(binding: Binding, name: string, from: Scope): Scope | undefined {
  for (let scope: Scope | undefined = from; scope; scope = scope.parent) {
    if (scope.names.get(name) === binding) return scope;
  }
  return undefined;
}

/** The cell a script was made of, in the reader's own words. */
export interface Cell {
  readonly number: number;
  readonly source: string;
}

interface Kept {
  readonly text: string;
  cell: Cell | undefined;
  /** Read at first need; null: a syntax error, or syntax the parser doesn't know yet. */
  script: Script | null | undefined;
}

/** Characters of text: trees take a hundred times as many bytes. */
const LIMIT = 2_000_000;
let size = 0;
const scripts = new Map<string, Kept>();

/** Keeps a program's text by V8's number for it, so that V8 needn't be asked. */
export function keepScript(scriptId: string, text: string, cell?: Cell): void {
  // V8 may have compiled the same text before, and then goes on with that number.
  const before = [...scripts.values()].find((kept) => kept.text === text);
  if (before && cell) before.cell = cell;
  size += text.length;
  for (const [id, kept] of scripts) {
    if (size <= LIMIT) break;
    size -= kept.text.length;
    scripts.delete(id);
  }
  scripts.set(scriptId, { text, cell, script: before?.script });
}

/** A script whose text is here. */
export function knownScript(scriptId: string): Script | undefined {
  const kept = scripts.get(scriptId);
  if (kept?.script === undefined && kept) {
    try {
      kept.script = new Script(kept.text);
    } catch {
      kept.script = null;
    }
  }
  return kept?.script ?? undefined;
}

export function hasScript(scriptId: string): boolean {
  return scripts.has(scriptId);
}

export function cellOf(scriptId: string): Cell | undefined {
  return scripts.get(scriptId)?.cell;
}
