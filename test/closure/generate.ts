// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it writes programs with template strings of their own
/**
 * Writes programs by chance: functions over functions, classes, shared and cyclic values, nested scopes, names that
 * shadow each other. Each is the body of a function of `require` and returns a function without arguments, which gives
 * back plain data. The choices come from a tape, so that fast-check can replay and shrink them.
 */

/** Few names, so that they meet. */
const NAMES = ['a', 'b', 'c', 'd', 'f', 'g', 'x', '$t', 'values', 'exports', 'Map', 'async', 'of', 'get'];
const KEYS = ['a', 'b', 'k', 'length2', 'constructor2', 'then2', '__p'];

type Type = 'value' | 'function' | 'class' | 'object';

interface Name {
  readonly name: string;
  readonly type: Type;
}

/** Turns any value into plain data: kinds, prototypes, keys, cycles and shared references. */
const DIGEST = `
const digest = (value) => {
  const seen = [];
  const show = (v) => {
    if (typeof v === 'bigint') return v + 'n';
    if (typeof v === 'symbol') return String(v);
    if (typeof v === 'number' && (v !== v || Object.is(v, -0) || Math.abs(v) === Infinity)) return 'number ' + (Object.is(v, -0) ? '-0' : v);
    if (v === undefined) return 'undefined';
    if (v === null || (typeof v !== 'object' && typeof v !== 'function')) return v;
    if (v instanceof Promise) return 'a promise';
    const at = seen.indexOf(v);
    if (at >= 0) return 'seen ' + at;
    seen.push(v);
    const proto = Object.getPrototypeOf(v);
    const name = proto === null ? 'null' : typeof proto.constructor === 'function' ? proto.constructor.name : '?';
    const keys = Reflect.ownKeys(v).filter((k) => !['arguments', 'caller', 'stack'].includes(k)).map((k) => {
      const d = Object.getOwnPropertyDescriptor(v, k);
      return [String(k), (d.writable ? 'w' : '') + (d.enumerable ? 'e' : '') + (d.configurable ? 'c' : ''), 'value' in d ? (ArrayBuffer.isView(v) ? d.value : show(d.value)) : typeof d.get + typeof d.set];
    });
    const inside = v instanceof globalThis.Map ? [...v].map(([k, w]) => [show(k), show(w)]) : v instanceof Set ? [...v].map(show)
      : v instanceof Date ? v.getTime() : v instanceof RegExp ? String(v) : 0;
    return [typeof v, name, inside, keys, Object.isFrozen(v)];
  };
  return show(value);
};`;

class Writer {
  readonly #tape: Uint8Array;
  #at = 0;
  #depth = 0;
  #fresh = 0;
  /** Whether something was written that may not travel. */
  mayBeRefused = false;

  constructor(tape: Uint8Array) {
    this.#tape = tape;
  }

  program(): string {
    const names: Name[] = [];
    const strict = this.choose(6) === 0 ? '"use strict";' : '';
    const body = this.declarations(names, 3 + this.choose(6), false);
    // As in a later cell, where the variables of this one are properties of `exports`.
    const isLater = this.choose(3) === 2 && !names.some(({ name }) => name === 'exports');
    const seen = isLater ? names.map(({ name, type }) => ({ name: `exports.${name}`, type })) : names;
    const kept = isLater
      ? `Object.defineProperty(exports, '__esModule', { value: true }); Object.assign(exports, { ${[...new Set(names.map(({ name }) => name))]} });`
      : '';
    const shown = Array.from({ length: 1 + this.choose(3) }, () => this.expression(seen, 'n'));
    const root = this.pick([
      (text: string) => `() => { const n = 2; return digest([${text}]) }`,
      (text: string) => `function () { const n = 2; return digest([${text}]) }`,
      (text: string) =>
        `async () => { const n = 2; const r = [${text}]; return digest(await Promise.all(r)) }`,
    ]);
    const tries = shown.map((text) => `(() => { try { return ${text} } catch (e) { return String(e) } })()`);
    return `${strict}${DIGEST}\n${body}\n${kept}\nreturn ${root(tries.join(', '))}`;
  }

  choose(count: number): number {
    if (this.#at >= this.#tape.length) return 0;
    return this.#tape[this.#at++]! % count;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.choose(from.length)]!;
  }

  /** A name for a declaration; one that is declared once in its block. */
  name(taken: Set<string>): string {
    for (let i = 0; i < 4; i++) {
      const name = this.pick(NAMES);
      if (!taken.has(name)) {
        taken.add(name);
        return name;
      }
    }
    const name = `v${this.#fresh++}`;
    taken.add(name);
    return name;
  }

  declarations(names: Name[], count: number, inFunction: boolean, reserved: string[] = []): string {
    const taken = new Set<string>(['digest', 'n', ...reserved]);
    const lines: string[] = [];
    for (let i = 0; i < count; i++) lines.push(this.declaration(names, taken, inFunction));
    return lines.join('\n');
  }

  declaration(names: Name[], taken: Set<string>, inFunction: boolean): string {
    this.#depth++;
    try {
      const simple = this.#depth > 4;
      const n = inFunction ? 'n' : '1';
      const add = (name: string, type: Type) => {
        names.push({ name, type });
        return name;
      };
      switch (this.choose(simple ? 4 : 15)) {
        case 0: {
          const value = this.value(names);
          return `${this.pick(['const', 'let', 'var'])} ${add(this.name(taken), 'value')} = ${value};`;
        }
        case 1: {
          const value = this.object(names);
          return `const ${add(this.name(taken), 'object')} = ${value};`;
        }
        case 2: {
          const value = this.collection(names);
          return `const ${add(this.name(taken), 'value')} = ${value};`;
        }
        case 3: {
          const name = this.name(taken);
          const text = `const ${name} = ${this.function(names, name)};`;
          add(name, 'function');
          return text;
        }
        case 4:
        case 5: {
          const name = add(this.name(taken), 'function');
          return this.maybeAsync((async) => `${async}function ${name}(n) `, this.body(names));
        }
        case 6:
        case 7: {
          const name = this.name(taken);
          const text = this.class(names, name);
          add(name, 'class');
          return text;
        }
        case 8: {
          // Closures out of a function of their own.
          const inner = [...names];
          const parameter = this.pick(NAMES);
          inner.push({ name: parameter, type: 'value' });
          const body = this.declarations(inner, 1 + this.choose(3), false).replace(/^/, '');
          const [p, q] = [this.name(taken), this.name(taken)];
          const functions = [this.function(inner), this.function(inner)];
          const argument = this.value(names);
          add(p, 'function');
          add(q, 'function');
          return `const [${p}, ${q}] = ((${parameter}_, ...rest) => { { ${`let ${parameter} = ${parameter}_;`} {\n${body}\nreturn [${functions}] } } })(${argument});`;
        }
        case 9: {
          const inner: Name[] = [...names, { name: 'i', type: 'value' }];
          const list = this.name(taken);
          const kind = this.pick(['let', 'var']);
          const body = `${list}.push(${this.function(inner)})`;
          const name = this.name(taken);
          add(name, 'function');
          return `const ${list} = []; for (${kind} i = 0; i < 3; i++) { const j = i; ${body} }\nconst ${name} = ${list}[1];`;
        }
        case 10: {
          const type = names.filter((one) => one.type === 'class');
          if (type.length === 0) return '';
          const { name } = this.pick(type);
          return `let ${add(this.name(taken), 'object')} = (() => { try { return new ${name}(${this.value(names)}, ${n}) } catch (e) { return { failed: String(e) } } })();`;
        }
        case 11: {
          const objects = names.filter((one) => one.type === 'object' && taken.has(one.name));
          if (objects.length === 0) return '';
          const one = this.pick(objects).name;
          const other = this.pick(objects).name;
          return this.pick([
            `if (Object.isExtensible(${one})) ${one}.${this.pick(KEYS)} = ${other};`,
            `Object.freeze(${one});`,
            `Object.defineProperty(Object.isExtensible(${one}) ? ${one} : {}, 'hidden', { value: ${other}, writable: true });`,
            `if (Object.isExtensible(${one})) Object.setPrototypeOf(${one}, ${this.pick(['null', `{ inherited: ${this.value(names)} }`])});`,
          ]);
        }
        case 12: {
          const block = this.declarations([...names], 1 + this.choose(2), false);
          const name = this.name(taken);
          const inner = [...names];
          const local = this.pick(NAMES);
          inner.push({ name: local, type: 'value' });
          const value = this.value(names);
          const fn = this.function(inner);
          add(name, 'function');
          return this.pick([
            `let ${name}; { { ${block} } { const ${local} = ${value}; ${name} = ${fn}; } }`,
            `let ${name}; try { throw ${value} } catch (${local}) { ${name} = ${fn}; }`,
            `let ${name}; switch (1) { case 1: let ${local} = ${value}; ${name} = ${fn}; }`,
            `let ${name}; for (const ${local} of [${value}]) ${name} = ${fn};`,
          ]);
        }
        case 13: {
          // Under names of their own: a program that changed a module would change it for all others.
          const [path, os] = [`path${this.#fresh++}`, `os${this.#fresh++}`];
          const modules = `const ${path} = { default: require('path') }, ${os} = require('os'), { sep: ${path}s, basename: ${path}b } = ${path}.default;`;
          const name = this.name(taken);
          add(name, 'function');
          return `${modules}\nconst ${name} = (n) => [${path}.default.join('a', 'b'), (0, ${path}b)('c/d'), ${path}s, ${os}.EOL];`;
        }
        default: {
          // What was declared with let or var is changed before the function goes.
          const name = this.name(taken);
          add(name, 'value');
          return `let ${name} = ${this.value(names)}; ${name} = ${this.value(names)};`;
        }
      }
    } finally {
      this.#depth--;
    }
  }

  value(names: Name[]): string {
    switch (this.choose(9)) {
      case 0:
        return String(this.choose(100));
      case 1:
        return this.pick(['"s"', '`t${1 + 1}`', "'\\u0000'"]);
      case 2:
        return this.pick(['-0', 'NaN', 'undefined', 'null', '10n', 'true', 'Symbol.for("s")', '1e400']);
      case 3:
        return this.object(names);
      case 4:
        return this.collection(names);
      case 5:
        return `[${this.reference(names)}, ${this.reference(names)}]`;
      default:
        return this.reference(names);
    }
  }

  reference(names: Name[]): string {
    const data = names.filter(({ type }) => type === 'value' || type === 'object');
    return data.length === 0 ? '7' : this.pick(data).name;
  }

  object(names: Name[]): string {
    this.#depth++;
    const parts: string[] = [];
    const count = this.choose(4);
    for (let i = 0; i < count; i++) {
      const key = this.pick(KEYS);
      switch (this.choose(this.#depth > 4 ? 2 : 7)) {
        case 0:
        case 1:
          parts.push(`${key}: ${this.reference(names)}`);
          break;
        case 2:
          parts.push(`get ${key}() { return ${this.reference(names)} }`);
          break;
        case 3:
          parts.push(
            this.choose(3) === 0
              ? `*${key}(n) ${this.body(names)}`
              : this.maybeAsync((async) => `${async}${key}(n) `, this.body(names)),
          );
          break;
        case 4:
          parts.push(`['${key}' + ${this.choose(3)}]: ${this.reference(names)}`);
          break;
        case 5:
          parts.push(`${key}: ${this.function(names)}`);
          break;
        default:
          parts.push(`[Symbol.for('${key}')]: ${this.choose(9)}`);
      }
    }
    this.#depth--;
    return `({ ${parts.join(', ')} })`;
  }

  collection(names: Name[]): string {
    return this.pick([
      () => `new globalThis.Map([[${this.reference(names)}, ${this.reference(names)}], ['k', 1]])`,
      () => `new Set([${this.reference(names)}, 1])`,
      () => `[1, , ${this.reference(names)}]`,
      () => 'new Date(5)',
      () => '/x[y]/gi',
      () => 'new Uint8Array([1, 2, 3])',
      () => 'new Float64Array(300).fill(1.5)',
      () => `Object.assign(new RangeError('no'), { extra: ${this.reference(names)} })`,
      () => `Object.create({ up: ${this.reference(names)} })`,
      () => 'Object.freeze([1, [2]])',
    ])();
  }

  /** A function expression of `n`. */
  function(names: Name[], own?: string): string {
    const inner = own === undefined ? names : [...names, { name: own, type: 'function' as const }];
    const extra = this.choose(4);
    const parameter = this.pick(NAMES);
    const withDefault: Name[] = [...inner, { name: parameter, type: 'value' }];
    switch (extra) {
      case 0:
        return `(n, ${parameter} = ${this.reference(names)}) => ${this.body(withDefault, [parameter])}`;
      case 1:
        return `function (n, { ${parameter} } = { ${parameter}: ${this.choose(9)} }) ${this.body(withDefault, [parameter])}`;
      case 2:
        return `function ${this.pick(NAMES)}(n) ${this.body(inner)}`;
      default:
        return `(n) => (${this.guarded(inner)})`;
    }
  }

  /** Rejections nobody hears of would end the test. */
  maybeAsync(head: (async: string) => string, body: string): string {
    return this.choose(3) === 0
      ? `${head('async ')}{ try ${body} catch (e) { return String(e) } }`
      : `${head('')}${body}`;
  }

  guarded(names: Name[]): string {
    return `n > 0 ? ${this.expression(names, 'n')} : ${this.reference(names)}`;
  }

  body(names: Name[], parameters: string[] = []): string {
    const inner = [...names];
    const local = this.choose(3) === 2 ? this.declarations(inner, 1 + this.choose(2), true, parameters) : '';
    const parts = [`if (!(n > 0)) return ${this.choose(50)};`];
    if (this.choose(12) === 11 && names.length > 0) {
      this.mayBeRefused = true;
      parts.push(`try { ${this.pick(names).name} = n } catch (e) {}`);
    }
    return `{ ${parts.join(' ')} ${local}\nreturn ${this.expression(inner, 'n')} }`;
  }

  expression(names: Name[], n: string): string {
    this.#depth++;
    try {
      const functions = names.filter(({ type }) => type === 'function');
      const classes = names.filter(({ type }) => type === 'class');
      const objects = names.filter(({ type }) => type === 'object');
      switch (this.choose(this.#depth > 5 ? 2 : 10)) {
        case 0:
          return this.reference(names);
        case 1:
          return String(this.choose(20));
        case 2:
        case 3:
          return functions.length === 0 ? this.reference(names) : `${this.pick(functions).name}(${n} - 1)`;
        case 4:
          return `[${this.expression(names, n)}, ${this.expression(names, n)}]`;
        case 5:
          return classes.length === 0
            ? this.reference(names)
            : this.pick([
                (c: string) => `new ${c}(${this.reference(names)}, ${n} - 1)`,
                (c: string) => `new ${c}(1, ${n} - 1).m?.(${n} - 1)`,
                (c: string) => `${c}.s?.(${n} - 1)`,
                (c: string) => `[${c}.count, ${c}.name, typeof ${c}]`,
              ])(this.pick(classes).name);
        case 6:
          return objects.length === 0
            ? this.reference(names)
            : this.pick([
                (o: string) => `${o}.${this.pick(KEYS)}`,
                (o: string) => `${o}?.${this.pick(KEYS)}?.(${n} - 1)`,
                (o: string) => `({ ...${o} })`,
                (o: string) => `({ o: ${o} })`,
                (o: string) => `Object.keys(${o})`,
              ])(this.pick(objects).name);
        case 7:
          return `[1, 2].map((${this.pick(NAMES)}) => (${this.expression(names, n)}))`;
        case 8:
          return `typeof ${names.length === 0 ? 'nowhere' : this.pick(names).name}`;
        default:
          return `((n) => ${this.expression(names, 'n')})(${n} - 1)`;
      }
    } finally {
      this.#depth--;
    }
  }

  class(names: Name[], own: string): string {
    const parents = names.filter(({ type, name }) => type === 'class' && name !== own);
    const extend =
      parents.length > 0 && this.choose(2) === 0
        ? ` extends ${this.pick(parents).name}`
        : this.pick(['', '', '', ' extends Array', ' extends globalThis.Map', ' extends Error']);
    const inner: Name[] = [...names, { name: own, type: 'class' }];
    const members: string[] = [];
    const isOwn = extend === '';
    members.push(
      isOwn
        ? `constructor(a, n) { this.a = a; this.z = ${this.reference(names)} }`
        : `constructor(a, n) { ${extend.includes('Map') ? 'super()' : extend.includes('Error') ? 'super("e")' : extend.includes('Array') ? 'super(2)' : 'super(a, n)'}; this.w = ${this.reference(names)} }`,
    );
    const count = 1 + this.choose(4);
    for (let i = 0; i < count; i++) {
      switch (this.choose(9)) {
        case 0:
          members.push(`m(n) ${this.body(inner)}`);
          break;
        case 1:
          members.push(`static s(n) ${this.body(inner)}`);
          break;
        case 2:
          members.push(`static count = ${this.reference(names)};`);
          break;
        case 3:
          members.push(`get ${this.pick(KEYS)}() { return ${this.reference(names)} }`);
          break;
        case 4:
          members.push(`field${i} = ${this.reference(names)};`);
          break;
        case 5:
          members.push(`*gen(n) ${this.body(inner)}`);
          break;
        case 6:
          members.push(
            `static #secret${i} = ${this.reference(names)}; static reveal${i}() { return ${own}.#secret${i} }`,
          );
          break;
        case 7:
          members.push(`['computed' + ${i}]() { return ${this.reference(names)} }`);
          break;
        default:
          members.push(
            isOwn
              ? `static { this.made = ${this.choose(9)} }`
              : `m(n) { return [super.m?.(n - 1), ${this.reference(names)}] }`,
          );
      }
    }
    return `class ${own}${extend} { ${members.join('\n')} }`;
  }
}

/** A program for a tape, and whether it may be refused. */
export function generate(tape: Uint8Array): { code: string; mayBeRefused: boolean } {
  const writer = new Writer(tape);
  return { code: writer.program(), mayBeRefused: writer.mayBeRefused };
}
