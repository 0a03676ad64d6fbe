/**
 * Reads the text of one function with a real parser: which variables of its surroundings it uses, and what of it
 * only makes sense where it was written.
 */
import type { AnyNode, Class, Expression, Function as FunctionNode } from 'acorn';
import { acorn } from './lazy';
import { declare, hasUseStrict, type Reference, type Scope, scopeIn, Walk } from './walk';

/** How a function's text has to be put into a program so that it becomes the same kind of function again. */
export type Shape = 'expression' | 'class' | 'method' | 'accessor';

/** A variable of the surroundings, as the function uses it. */
export interface Use {
  /** Offset of the first use in the text. */
  readonly at: number;
  /** Offset of the first assignment; undefined where it is only read. */
  assignedAt: number | undefined;
  /** Names read as `variable.name`; undefined once it is used in any other way. */
  members: Map<string, number> | undefined;
  /** First member that is assigned, as `variable.name = …` or `delete variable.name`. */
  assignedMember: { name: string; at: number } | undefined;
  /** Where it is used as a whole: offset of the first such use. */
  wholeAt: number | undefined;
}

/** A method or accessor in a class. */
export interface Member {
  readonly isStatic: boolean;
  /** As `Function.prototype.toString` gives it. */
  readonly text: string;
  /** undefined: the name is computed. */
  readonly name: string | undefined;
  readonly kind: 'method' | 'get' | 'set';
  /** Which of the class's computed names; undefined: none. */
  readonly computed: number | undefined;
}

/** An expression without calls, for a field's name. */
export type Key =
  | { readonly literal: unknown }
  | { readonly variable: string }
  | { readonly of: Key; readonly member: Key };

/** What is needed to make the text a function again, besides its variables. */
export interface Source {
  readonly text: string;
  readonly shape: Shape;
  /** The name the text itself binds: a function's or class's own. */
  readonly ownName: string | undefined;
  /** Where that name stands. */
  readonly ownNameAt: number;
  readonly free: ReadonlyMap<string, Use>;
  /** What can't be taken along, with the reason and its offset. */
  readonly refusal: { readonly what: string; readonly instead: string; readonly at: number } | undefined;
  /** `super` in a method that stands alone. */
  readonly usesSuper: boolean;
  /** An arrow function that uses the `arguments` of the function around it. */
  readonly usesArguments: boolean;
  /** Strict by its own text, sloppy by its own text, or whatever its surroundings are. */
  readonly strict: boolean | undefined;
  /** Whether strictness can change what it does. */
  readonly minds: boolean;
  /** Number of parameters before the first with a default: its `length`. */
  readonly length: number;
  /** Ranges of the text to be replaced when it is revived. */
  readonly edits: readonly Edit[];
  readonly isClass: boolean;
  readonly members: readonly Member[];
  /** Private names of the class that instances carry. */
  readonly hasPrivate: boolean;
  readonly heritage: 'none' | 'null' | 'some';
  /** Static private fields, whose present values are taken from the class. */
  readonly privateStatics: readonly string[];
  /** Computed names of fields, to be worked out when the class is captured; `undefined` in a method's place. */
  readonly keys: readonly (Key | undefined)[];
}

/** Something in the text that is replaced: by a value the reviver is given, or by nothing. */
export type Edit = { readonly start: number; readonly end: number } & (
  | { readonly put: 'parent' | 'import' | 'nothing' | 'semicolon' | 'name' }
  | { readonly put: 'key'; readonly index: number }
  /** A static private field, still empty. */
  | { readonly put: 'field'; readonly name: string }
  /** What fills them: they may lead back to the class. */
  | { readonly put: 'privates'; readonly names: readonly string[] }
);

/** A text the parser can't make sense of. */
export class UnreadableError extends Error {}

const PARSED = new Map<string, Source>();
const PARSED_LIMIT = 2000;

/**
 * Reads a function's text; remembered by text.
 * @param isMethod the function has no `prototype` of its own, so `function () {}` can only be a method of that name
 * @param node the function in a program that has been parsed already
 * @throws UnreadableError
 */
export function readSource(text: string, isMethod: boolean, node?: FunctionNode | Class): Source {
  const key = isMethod ? `m${text}` : `f${text}`;
  let source = PARSED.get(key);
  if (source) {
    // Most recently used last, so that the oldest goes first.
    PARSED.delete(key);
  } else {
    source = (node && analyseNode(text, node as AnyNode, node.start)) ?? analyse(text, isMethod);
    if (PARSED.size >= PARSED_LIMIT) PARSED.delete(PARSED.keys().next().value!);
  }
  PARSED.set(key, source);
  return source;
}

const OPTIONS = {
  ecmaVersion: 'latest',
  allowSuperOutsideMethod: true,
  checkPrivateFields: false,
  allowHashBang: false,
} as const;

function expression(text: string): Expression | undefined {
  try {
    const program = acorn().parse(`(${text}\n)`, OPTIONS);
    const statement = program.body[0];
    if (program.body.length !== 1 || statement?.type !== 'ExpressionStatement') return undefined;
    const node = statement.expression;
    // Anything behind the function (a call, a comma) would be another program than its text.
    return node.start === 1 ? node : undefined;
  } catch {
    return undefined;
  }
}

function analyseNode(text: string, node: AnyNode, offset: number): Source | undefined {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return new Analysis(text, offset, 'expression').readFunction(node);
    case 'ClassDeclaration':
    case 'ClassExpression':
      return new Analysis(text, offset, 'class').readClass(node);
    default:
      return undefined;
  }
}

function analyse(text: string, isMethod: boolean): Source {
  const node = expression(text);
  const isCalledFunction = isMethod && node?.type === 'FunctionExpression' && /^function\s*\(/.test(text);
  const source = node && !isCalledFunction ? analyseNode(text, node, 1) : undefined;
  if (source) return source;

  let program: ReturnType<ReturnType<typeof acorn>['parse']>;
  try {
    program = acorn().parse(`({${text}\n})`, OPTIONS);
  } catch (error) {
    // A method of a class may use what no object literal may.
    throw new UnreadableError(error instanceof Error ? error.message : String(error));
  }
  const literal = program.body[0]?.type === 'ExpressionStatement' ? program.body[0].expression : undefined;
  const property = literal?.type === 'ObjectExpression' ? literal.properties[0] : undefined;
  if (
    literal?.type !== 'ObjectExpression' ||
    literal.properties.length !== 1 ||
    property?.type !== 'Property' ||
    property.value.type !== 'FunctionExpression'
  ) {
    throw new UnreadableError('it is neither a function nor a method');
  }
  return new Analysis(text, 2, property.kind === 'init' ? 'method' : 'accessor').readFunction(
    property.value,
    property.computed ? (property.key as Expression) : undefined,
  );
}

type Refusal = NonNullable<Source['refusal']>;

/** One walk over a function's tree. `offset` is what the parser's positions are ahead of the text's. */
class Analysis extends Walk {
  readonly #text: string;
  readonly #offset: number;
  readonly #shape: Shape;
  readonly #edits: Edit[] = [];
  #refusal: Refusal | undefined;
  #usesSuper = false;
  #minds = false;
  /** Private names declared by the classes around the place. */
  readonly #privates: Set<string>[] = [];
  /** How many functions with a `this` of their own are around the place. */
  #owners = 0;
  /** Classes and object literals' methods around the place: their `super` is their own. */
  #homes = 0;

  constructor(text: string, offset: number, shape: Shape) {
    super();
    this.#text = text;
    this.#offset = offset;
    this.#shape = shape;
  }

  /** @param key what works out the name of a method that stands alone */
  readFunction(node: FunctionNode, key?: Expression): Source {
    // Whether its own name means itself or a variable, its text doesn't tell: so that name is free.
    this.function({ ...node, id: null } as FunctionNode, scopeIn('block', undefined));
    if (key) this.#edits.push({ ...this.#range(key), put: 'name' });
    const isStrict = node.body.type === 'BlockStatement' && hasUseStrict(node.body.body);
    return this.#source({
      // A method's name is no variable in it.
      ownName: node.id?.name,
      ownNameAt: node.id ? node.id.start - this.#offset : -1,
      length: lengthOf(node),
      strict: isStrict || undefined,
    });
  }

  readClass(node: Class): Source {
    const scope = scopeIn('block', scopeIn('block', undefined));
    if (node.id) declare(scope, node.id.name, 'own');
    const members: Member[] = [];
    const privateStatics: string[] = [];
    const keys: (Key | undefined)[] = [];
    let hasPrivate = false;
    let length = 0;
    let heritage: Source['heritage'] = 'none';
    if (node.superClass) {
      heritage = node.superClass.type === 'Literal' && node.superClass.raw === 'null' ? 'null' : 'some';
      // The class it extends is the one it has now; what made it may have been a call.
      if (heritage === 'some') this.#edits.push({ ...this.#range(node.superClass), put: 'parent' });
    }
    this.open(node);
    this.strict++;
    for (const element of node.body.body) {
      if (element.type === 'StaticBlock') {
        this.#edits.push({ ...this.#range(element), put: 'semicolon' });
        continue;
      }
      const { key } = element;
      const isPrivate = key.type === 'PrivateIdentifier';
      if (isPrivate && !element.static) hasPrivate = true;
      if (element.type === 'PropertyDefinition' && element.static) {
        // Static fields have the values they have now, not those they began with.
        if (isPrivate) privateStatics.push(`#${key.name}`);
        const put = isPrivate
          ? { put: 'field' as const, name: `#${key.name}` }
          : { put: 'semicolon' as const };
        this.#edits.push({ ...this.#range(element), ...put });
        continue;
      }
      if (element.type === 'PropertyDefinition') {
        if (element.computed) {
          const known = keyOf(key);
          if (!known) this.refuseKey(key);
          this.#edits.push({ ...this.#range(key), put: 'key', index: keys.push(known) - 1 });
        }
        this.element({ ...element, computed: false }, scope);
        continue;
      }
      let computed: number | undefined;
      if (element.computed) {
        computed = keys.push(undefined) - 1;
        this.#edits.push({ ...this.#range(key), put: 'key', index: computed });
      }
      if (element.kind === 'constructor') length = lengthOf(element.value);
      else if (!isPrivate) {
        const from = element.static ? this.#afterStatic(element.start, key.start) : element.start;
        members.push({
          isStatic: element.static,
          text: this.#text.slice(from - this.#offset, element.end - this.#offset),
          name: element.computed ? undefined : nameOfKey(key),
          kind: element.kind,
          computed,
        });
      }
      this.function(element.value, scope);
    }
    this.strict--;
    this.close(node);
    if (privateStatics.length > 0) {
      const at = node.body.end - 1 - this.#offset;
      this.#edits.push({ start: at, end: at, put: 'privates', names: privateStatics });
    }
    return this.#source({
      ownName: node.id?.name,
      length,
      strict: true,
      members,
      hasPrivate,
      heritage,
      privateStatics,
      keys,
    });
  }

  #source(rest: Partial<Source> & { length: number }): Source {
    const free = new Map<string, Use>();
    for (const reference of this.resolve()) addUse(free, reference, reference.at - this.#offset);
    return {
      text: this.#text,
      shape: this.#shape,
      ownName: undefined,
      ownNameAt: -1,
      free,
      refusal: this.#refusal,
      usesSuper: this.#usesSuper,
      usesArguments: free.has('arguments'),
      strict: undefined,
      minds: this.#minds,
      edits: this.#edits.sort((a, b) => a.start - b.start),
      isClass: this.#shape === 'class',
      members: [],
      hasPrivate: false,
      heritage: 'none',
      privateStatics: [],
      keys: [],
      ...rest,
    };
  }

  #range(node: { start: number; end: number }): { start: number; end: number } {
    return { start: node.start - this.#offset, end: node.end - this.#offset };
  }

  /** `toString` of a static method begins behind the word `static` and what follows it. */
  #afterStatic(start: number, key: number): number {
    const rest = this.#text.slice(start - this.#offset, key - this.#offset);
    return start + /^static(?:\s+|\/\*[\s\S]*?\*\/|\/\/.*)*/.exec(rest)![0].length;
  }

  #refuse(what: string, instead: string, node: { start: number }): void {
    this.#refusal ??= { what, instead, at: node.start - this.#offset };
  }

  private refuseKey(key: AnyNode): void {
    this.#refuse('a field whose name is worked out (`[…]`)', "Write the field's name itself", key);
  }

  protected override open(node: FunctionNode | Class | undefined): void {
    if (isClass(node)) {
      this.#homes++;
      this.#privates.push(privatesOf(node));
    } else if (node?.type !== 'ArrowFunctionExpression') this.#owners++;
  }

  protected override close(node: FunctionNode | Class | undefined): void {
    if (isClass(node)) {
      this.#homes--;
      this.#privates.pop();
    } else if (node?.type !== 'ArrowFunctionExpression') this.#owners--;
  }

  protected override write(): void {
    if (this.strict === 0) this.#minds = true;
  }

  protected override blockFunction(): void {
    this.#minds = true;
  }

  protected override enter(node: AnyNode, scope: Scope): boolean {
    switch (node.type) {
      case 'Property':
        if (!node.method && node.kind === 'init') return false;
        if (node.computed) this.visit(node.key, scope);
        this.#homes++;
        this.visit(node.value, scope);
        this.#homes--;
        return true;
      case 'WithStatement':
        this.#refuse('`with`', 'Write the object before each of its properties', node);
        return true;
      case 'CallExpression':
        if (node.callee.type === 'Identifier' && node.callee.name === 'eval') {
          this.#refuse(
            '`eval`, which may use any variable',
            'Write the code itself, or use `new Function`',
            node,
          );
        }
        return false;
      case 'ThisExpression':
        if (this.#owners > 0) this.write();
        else {
          this.#refuse(
            '`this` of the function around it',
            'Make it a method, or put what it needs into a variable first: `const self = this`',
            node,
          );
        }
        return true;
      case 'Super':
        if (this.#owners === 0) {
          this.#refuse('`super` of the method around it', 'Call the method through a variable', node);
        } else if (this.#homes === 0) this.#usesSuper = true;
        return true;
      case 'MetaProperty':
        if (node.meta.name === 'import') {
          this.#refuse('`import.meta`', 'Put what it needs into a variable first', node);
        } else if (this.#owners === 0) {
          this.#refuse('`new.target` of the function around it', 'Put it into a variable first', node);
        }
        return true;
      case 'PrivateIdentifier':
        if (!this.#privates.some((names) => names.has(node.name))) {
          this.#refuse(
            `\`#${node.name}\`, a private name of its class`,
            'Call it on its object: `(item) => object.method(item)`',
            node,
          );
        }
        return true;
      case 'ImportExpression':
        this.#edits.push({
          start: node.start - this.#offset,
          end: node.start - this.#offset + 'import'.length,
          put: 'import',
        });
        return false;
      default:
        return false;
    }
  }
}

function addUse(free: Map<string, Use>, { name, how, member }: Reference, at: number): void {
  let use = free.get(name);
  if (!use) {
    use = { at, assignedAt: undefined, members: new Map(), assignedMember: undefined, wholeAt: undefined };
    free.set(name, use);
  }
  if (member === undefined) {
    use.members = undefined;
    use.wholeAt ??= at;
    if (how === 'assign') use.assignedAt ??= at;
  } else {
    if (use.members && !use.members.has(member)) use.members.set(member, at);
    if (how === 'assign') use.assignedMember ??= { name: member, at };
  }
}

/** Its `length`: parameters before the first that may be left out. */
function lengthOf(node: FunctionNode): number {
  const at = node.params.findIndex(({ type }) => type === 'AssignmentPattern' || type === 'RestElement');
  return at < 0 ? node.params.length : at;
}

function isClass(node: FunctionNode | Class | undefined): node is Class {
  return node?.type === 'ClassExpression' || node?.type === 'ClassDeclaration';
}

function privatesOf(node: Class): Set<string> {
  const names = new Set<string>();
  for (const element of node.body.body) {
    if (element.type !== 'StaticBlock' && element.key.type === 'PrivateIdentifier')
      names.add(element.key.name);
  }
  return names;
}

/** The property name that a key written in the code stands for. */
function nameOfKey(key: AnyNode): string {
  if (key.type === 'Identifier') return key.name;
  if (key.type === 'Literal') {
    return 'bigint' in key && key.bigint ? String(BigInt(key.bigint)) : String(key.value);
  }
  return '';
}

/** undefined: it takes more than reading variables and properties. */
function keyOf(node: AnyNode): Key | undefined {
  if (node.type === 'Literal') return { literal: node.value };
  if (node.type === 'Identifier') return { variable: node.name };
  if (node.type !== 'MemberExpression' || node.object.type === 'Super') return undefined;
  const of = keyOf(node.object);
  const { property } = node;
  const member =
    !node.computed && property.type === 'Identifier' ? { literal: property.name } : keyOf(property);
  return of && member && { of, member };
}
