// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs in strings have template strings of their own
/**
 * Hand-made programs: bodies of functions of `require` and `exports` that return a function without arguments. They are
 * JavaScript in strings, because most of them are nothing TypeScript would let through.
 */
export type Program = string | { readonly code: string; readonly refused: RegExp };

export const PROGRAMS: Record<string, Record<string, Program>> = {
  'kinds of functions': {
    arrow: 'const k = 2; return () => k + 1',
    'arrow with a block': 'const k = 2; return () => { const j = k; return j * 2 }',
    'arrow that returns an object': 'const k = 2; return () => ({ k })',
    'arrow with one bare parameter': 'const f = x => x + 1; return () => f(1)',
    'async arrow': 'const k = 2; return async () => (await k) + 1',
    'async arrow with a bare parameter': 'const f = async x => x + 1; return () => f(1)',
    'function declaration': 'const k = 2; function f() { return k } return f',
    'function expression': 'const k = 2; return function () { return k }',
    'named function expression that calls itself':
      'return function fact(n = 5) { return n < 2 ? 1 : n * fact(n - 1) }',
    'async function': 'const k = 2; return async function () { await null; return k }',
    generator: 'function* g() { yield 1; yield* [2, 3] } return () => [...g()]',
    'async generator':
      'async function* g() { yield 1; yield 2 } return async () => { const r = []; for await (const x of g()) r.push(x); return r }',
    'generator with return and throw':
      'function* g() { try { yield 1 } catch (e) { yield e } } return () => { const i = g(); return [i.next(), i.throw(5), i.return(7)] }',
    'method of an object': 'const o = { k: 3, m() { return o.k } }; return o.m',
    'method named function': 'const o = { function() { return 5 } }; return o.function',
    'method named async': 'const o = { async() { return 5 } }; return o.async',
    'method named get': 'const o = { get() { return 5 } }; return o.get',
    'method named static': 'const o = { static() { return 5 } }; return o.static',
    'method named new': 'const o = { new() { return 5 } }; return o.new',
    'method named by a string': 'const o = { "a b"() { return 5 } }; return o["a b"]',
    'method named by a number': 'const o = { 12() { return 5 } }; return o[12]',
    'method named by a bigint': 'const o = { 12n() { return 5 } }; return o[12]',
    'method with a computed name': 'const k = "x"; const o = { [k + 1]() { return 5 } }; return o.x1',
    'method with a symbol for a name':
      'const o = { [Symbol.iterator]() { return 5 } }; return o[Symbol.iterator]',
    'method named __proto__': 'const o = { __proto__() { return 5 } }; return o.__proto__',
    'async method': 'const o = { async m() { return 5 } }; return o.m',
    'generator method': 'const o = { *m() { yield 5 } }; return () => [...o.m()]',
    'async generator method':
      'const o = { async *m() { yield 5 } }; return async () => { for await (const x of o.m()) return x }',
    'getter as a function':
      'const o = { get x() { return 5 } }; return Object.getOwnPropertyDescriptor(o, "x").get',
    'setter as a function':
      'const o = { set x(v) { this.y = v } }; const set = Object.getOwnPropertyDescriptor(o, "x").set; return () => { const t = {}; set.call(t, 4); return t }',
    'getter with a computed name':
      'const o = { get ["x" + 1]() { return 5 } }; return Object.getOwnPropertyDescriptor(o, "x1").get',
    'new Function': 'return new Function("return 1 + 1")',
    'new Function with parameters': 'const f = new Function("a", "b", "return a * b"); return () => f(3, 4)',
    'function made by eval': 'const f = (0, eval)("(x) => x * 2"); return () => f(4)',
    'function with comments everywhere':
      'return /* a */ function /* b */ f /* c */ ( /* d */ ) /* e */ { /* f */ return 1 /* g */ } /* h */',
    'arrow with comments': 'const k = 1; return (/* a */) /* b */ => /* c */ k // d\n',
    'function whose code contains [native code]': 'return () => "function () { [native code] }"',
    'constructor function': 'function P(x) { this.x = x } return () => new P(3).x',
    'constructor function with a prototype':
      'function P(x) { this.x = x } P.prototype.dbl = function () { return this.x * 2 }; return () => new P(3).dbl()',
    'constructor function with inheritance': `function A() { this.a = 1 } A.prototype.f = function () { return this.a };
      function B() { A.call(this) } B.prototype = Object.create(A.prototype); B.prototype.constructor = B;
      return () => { const b = new B(); return [b.f(), b instanceof A, b.constructor === B] }`,
    'prototype replaced by an object':
      'function A() {} A.prototype = { f() { return 7 } }; return () => [new A().f(), new A().constructor === Object]',
    'function with own properties': 'function f() { return f.k } f.k = 4; return f',
    'function with a symbol property': 'const s = Symbol(); function f() { return f[s] } f[s] = 4; return f',
    'name and length':
      'const f = (a, b = 1, ...c) => 0; function g(a, b) {} return () => [f.name, f.length, g.name, g.length]',
    'name that was changed':
      'function g(a, b) {} Object.defineProperty(g, "name", { value: "other" }); Object.defineProperty(g, "length", { value: 9 }); return () => [g.name, g.length]',
    'name that was deleted': 'function g() {} delete g.name; return () => [g.name, Object.hasOwn(g, "name")]',
    'name that is not a string':
      'function g() {} Object.defineProperty(g, "name", { value: 5 }); return () => g.name',
    'unnamed function': 'const fs = [() => 1]; return () => [fs[0].name, Object.hasOwn(fs[0], "name")]',
    'toString overridden': 'function f() { return 1 } f.toString = () => "() => 2"; return f',
    'toString that throws': 'function f() { return 1 } f.toString = () => { throw 1 }; return f',
    'call and apply overridden':
      'function f() { return 1 } f.call = f.apply = f.bind = null; return () => f()',
    'frozen function': 'const f = Object.freeze(function () { return Object.isFrozen(f) }); return f',
    'function with another prototype':
      'function f() { return [f instanceof Function, f.extra] } Object.setPrototypeOf(f, { extra: 1 }); return f',
    'function without a prototype':
      'function f() { return Object.getPrototypeOf(f) } Object.setPrototypeOf(f, null); return f',
    'default parameters':
      'const k = 2; return (a = k, b = a + 1, { c = b } = {}, [d = c] = []) => [a, b, c, d]',
    'default parameter that is a function': 'const k = 2; return (f = () => k) => f()',
    'default that sees the outer variable, not the body’s':
      'const x = 1; function f(a = () => x) { var x = 2; return [a(), x] } return f',
    'rest parameters and spread': 'const f = (...a) => Math.max(...a); return () => f(1, 5, 3)',
    'parameters of one name': 'function f(a, a) { return a } return () => f(1, 2)',
    'tagged template': 'const tag = (s, ...v) => s.raw.join("|") + v; return () => tag`a${1}\\n${2}c`',
    'template with functions inside': 'const k = 2; return () => `${[1, 2].map((x) => `${x * k}`)}`',
    'regular expression with brackets': 'return () => "a(b".replace(/[(]/g, ")")',
    'very long function': `return () => { let s = 0; ${'s += 1; '.repeat(5000)} return s }`,
    'closures made in a loop':
      'const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i); return () => fs.map((f) => f())',
    'a closure made in the head of a loop':
      'const fs = []; for (let h = () => i, i = 0; i < 3; i++) fs.push(() => [h(), i]); return () => fs.map((f) => f())',
    'a closure made in the head of a loop, by itself':
      'let g; for (let h = () => i, i = 5; i < 8; i++) g = () => [h(), i]; return g',
    'closures made in a loop with var':
      'var fs = []; for (var i = 0; i < 3; i++) fs.push(() => i); return () => fs.map((f) => f())',
    'function returned by a function':
      'const add = (a) => (b) => a + b; const add2 = add(2); return () => add2(3)',
    'counter made over there':
      'const counter = () => { let n = 0; return () => ++n }; return () => { const c = counter(); c(); return c() }',
    'recursion by a variable': 'const f = (n) => n < 2 ? 1 : n * f(n - 1); return () => f(6)',
    'mutual recursion':
      'const even = (n) => n === 0 || odd(n - 1), odd = (n) => n !== 0 && even(n - 1); return () => even(10)',
    'recursion through an object':
      'const o = { even: (n) => n === 0 || o.odd(n - 1), odd: (n) => n !== 0 && o.even(n - 1) }; return () => o.odd(7)',
    'a hundred functions in a chain': `${Array.from({ length: 100 }, (_, i) => `const f${i} = () => ${i < 99 ? `f${i + 1}() + 1` : '0'};`).join('')} return f0`,
    'one function by two names': 'const f = () => 1, g = f; return () => f === g',
    trampolines:
      'const t = (f) => { while (typeof f === "function") f = f(); return f }; const s = (n, a = 0) => n ? () => s(n - 1, a + n) : a; return () => t(s(1000))',
    'immediately invoked': 'return () => (() => (function () { return 5 })())()',
    'arguments of its own': 'function f() { return [...arguments] } return () => f(1, 2)',
    'arguments in an arrow within': 'function f() { return (() => arguments[1])() } return () => f(1, 2)',
    'arguments of the function around it':
      'function f() { return () => arguments[1] } const g = f(1, 2); return g',
    'arguments.length of the function around it':
      'function f() { return () => [arguments.length, ...arguments] } return f(1, { a: 2 })',
    'new.target within':
      'function F() { return { made: new.target === F } } return () => [new F().made, F().made]',
  },

  scopes: {
    'three levels':
      'const a = 1; function f() { const b = 2; return () => { const c = 3; return () => a + b + c } } return f()()',
    'shadowed by a parameter': 'const x = 1; const f = (x) => x; return () => [f(2), x]',
    'shadowed by a block': 'const x = 1; return () => { { const x = 2; } return x }',
    'shadowed by a catch': 'const e = 1; return () => { try { throw 2 } catch (e) { return e } }',
    'outer name after a catch': 'const e = 1; return () => { try { throw 2 } catch (e) {} return e }',
    'shadowed by a loop': 'const i = 9; return () => { for (let i = 0; i < 1; i++); return i }',
    'shadowed by a for-of':
      'const i = 9; return () => { const r = []; for (const i of [1, 2]) r.push(i); return [r, i] }',
    'shadowed by a function': 'const f = 1; return () => { return typeof f; function f() {} }',
    'shadowed by a class': 'const C = 1; return () => { class C {} return typeof C }',
    'shadowed by a function in a block (sloppy)':
      'const g = 1; return () => { { function g() { return 2 } } return g() }',
    'shadowed by a hoisted var': 'const v = 1; return () => { const r = v; var v = 2; return r }',
    'shadowed by a var in a block': 'const v = 1; return () => { if (false) { var v } return v }',
    'shadowed by destructuring':
      'const a = 1, b = 2; return () => { const { a, x: [b] } = { a: 5, x: [6] }; return [a, b] }',
    'shadowed in a switch':
      'const x = 1; return () => { switch (x) { default: } switch (0) { case 0: let x = 2; return x } }',
    'outer name in a switch’s head':
      'const x = 1; return () => { switch (x) { case 1: { let x = 5; return x } } }',
    'shadowed by its own name': 'const f = 1; const g = function f() { return typeof f }; return g',
    'own name and the variable of that name, function expression':
      'let f = 5; const h = () => f; const g = function f() { return typeof f }; return () => [g(), h()]',
    'own name, and a variable that changes between two captures':
      'function f() { return typeof f } const g = f; const h = () => g(); h.first = h; return h',
    'own name and the variable of that name, declaration':
      'function f() { return typeof f } const g = f; f = 5; return g',
    'a class that shadows a global': 'class Map { get() { return 5 } } return () => new Map().get()',
    'a variable that shadows a global': 'const Math = { max: () => 7 }; return () => Math.max(1, 2)',
    'parameter that shadows a global': 'return ((undefined) => () => undefined)(4)',
    'two closures over one variable':
      'function make() { const shared = { n: 0 }; return [() => ++shared.n, () => shared.n] } const [inc, get] = make(); return () => { inc(); inc(); return get() }',
    'two instances of one factory':
      'const make = (k) => ({ get: () => k }); const a = make(1), b = make(2); return () => [a.get(), b.get()]',
    'labels are no variables':
      'const outer = 3; return () => { outer: for (;;) { for (;;) break outer } return outer }',
    'property names are no variables': 'const o = { a: 1 }; return () => ({ a: o.a, b: { c: 2 } }).b.c',
    'shorthand properties are variables': 'const a = 1, b = 2; return () => ({ a, b })',
    'computed property names are variables':
      'const k = "x"; return () => ({ [k]: 1, [k + 1]() { return 2 } }).x1()',
    'optional chaining': 'const o = { a: null }; return () => [o?.a?.b.c.d, o.b?.(), o?.["a"]]',
    'typeof of what is nowhere': 'return () => typeof nowhere',
    'what is nowhere, in a branch not taken': 'return () => { if (false) nowhere(); return 1 }',
    'what is nowhere': 'return () => nowhere',
    'a variable with a unicode name': 'const größe = 4, \\u0061bc = 5; return () => größe + abc',
    'a variable with dollars':
      'const $ = 1, $t = 2, $v = 3, _ = 4, $t_ = 5; return () => [$, $t, $v, _, $t_]',
    'undefined, null, NaN, Infinity as names': 'return () => [undefined, null, NaN, Infinity]',
    'deep nesting': `let f = () => 1; ${'f = ((g) => () => g() + 1)(f); '.repeat(300)} const h = f; return () => h()`,
    'for-in over a captured object':
      'const o = { a: 1, b: 2 }; return () => { const r = []; for (const k in o) r.push(k); return r }',
    'variable of a catch': 'let f; try { throw { k: 4 } } catch ({ k }) { f = () => k } return f',
    'parameter scope and body scope':
      'function f(a, g = () => a) { var a = 2; return [g, () => a] } const [x, y] = f(1); return () => [x(), y()]',
    'script scope': '(0, eval)("var fromScript = 7"); return () => fromScript',
  },

  assignments: {
    'count++': { code: 'let count = 0; return () => count++', refused: /assigns to `count`[\s\S]*line 1 of/ },
    '--count': { code: 'let count = 0; return () => --count', refused: /assigns to `count`/ },
    'count = 1': { code: 'let count = 0; return () => { count = 1 }', refused: /assigns to `count`/ },
    'count += 1': { code: 'let count = 0; return () => { count += 1 }', refused: /assigns to `count`/ },
    'count ??= 1': { code: 'let count; return () => { count ??= 1 }', refused: /assigns to `count`/ },
    '[count] = []': { code: 'let count = 0; return () => { [count] = [1] }', refused: /assigns to `count`/ },
    '({ count } = {})': {
      code: 'let count = 0; return () => { ({ count } = {}) }',
      refused: /assigns to `count`/,
    },
    '({ a: count = 1 } = {})': {
      code: 'let count = 0; return () => { ({ a: count = 1 } = {}) }',
      refused: /assigns to `count`/,
    },
    '[...count] = []': {
      code: 'let count = 0; return () => { [...count] = [1] }',
      refused: /assigns to `count`/,
    },
    '({ ...count } = {})': {
      code: 'let count = 0; return () => { ({ ...count } = {}) }',
      refused: /assigns to `count`/,
    },
    'for (count of …)': {
      code: 'let count = 0; return () => { for (count of [1]); }',
      refused: /assigns to `count`/,
    },
    'for (count in …)': {
      code: 'let count = 0; return () => { for (count in { a: 1 }); }',
      refused: /assigns to `count`/,
    },
    'for ([count] of …)': {
      code: 'let count = 0; return () => { for ([count] of [[1]]); }',
      refused: /assigns to `count`/,
    },
    'in a helper': {
      code: 'let count = 0; const inc = () => { count++ }; return () => inc()',
      refused: /\(\w+ → inc\) assigns to `count`/,
    },
    'in a function within': {
      code: 'let count = 0; return () => [1].forEach(() => { count++ })',
      refused: /assigns to `count`/,
    },
    'in a default parameter': {
      code: 'let count = 0; return (x = count++) => x',
      refused: /assigns to `count`/,
    },
    'in a class': {
      code: 'let count = 0; class A { constructor() { count++ } } return () => new A()',
      refused: /assigns to `count`/,
    },
    'in a field': {
      code: 'let count = 0; class A { id = count++ } return () => new A()',
      refused: /assigns to `count`/,
    },
    'of a parameter': 'let count = 0; return (count = 1) => { count++; return count }',
    'of a variable of its own': 'let count = 0; return () => { let count = 1; count++; return count }',
    'to a property of a captured object':
      'const o = { n: 1 }; return () => { o.n++; o.m = 2; delete o.x; [o.z] = [3]; return o }',
    'to an element of a captured array': 'const a = [1, 2]; return () => { a[0] = 5; a.push(3); return a }',
    'to nothing declared': { code: 'return () => { leak = 1 }', refused: /assigns to `leak`/ },
    'to exports.x': {
      code: 'Object.defineProperty(exports, "__esModule", { value: true }); exports.count = 0; return () => { exports.count++ }',
      refused: /assigns to `count`/,
    },
    'to a class’s static': 'class A { static n = 1 } return () => { A.n++; return A.n }',
  },

  classes: {
    'with everything': `const k = 2;
      class A { static s = k; static #p = 5; #x = 1; y = k; ['z' + k]() { return 1 } get v() { return this.#x } set v(n) { this.#x = n }
        static get p() { return A.#p } static { A.t = 3 } *[Symbol.iterator]() { yield this.y } async m() { return this.y } }
      return async () => { const a = new A(); a.v = 7; return [A.s, A.p, A.t, a.v, a.y, a.z2(), [...a], await a.m(), Object.keys(a)] }`,
    inheritance:
      'class A { f() { return 1 } } class B extends A { f() { return super.f() + 1 } } return () => [new B().f(), new B() instanceof A]',
    'three levels of inheritance, static too':
      'class A { static s() { return 1 } } class B extends A { static s() { return super.s() + 1 } } class C extends B { static s() { return super.s() + 1 } } return () => C.s()',
    'extends the result of a function':
      'const mixin = (B) => class extends B { g() { return this.f() * 2 } }; class A { f() { return 4 } } class C extends mixin(A) {} return () => new C().g()',
    'extends the result of a function called once':
      'let n = 0; const base = () => { n++; return class { n = 5 } }; class C extends base() {} return () => new C().n',
    'extends a function': 'function A() { this.a = 1 } class B extends A { } return () => new B().a',
    'extends null':
      'class A extends null { static f() { return Object.getPrototypeOf(A.prototype) } } return () => A.f()',
    'extends Array':
      'class A extends Array { sum() { return this.reduce((a, b) => a + b, 0) } } const a = A.from([1, 2, 3]); return () => [a.sum(), a.length, a.map((x) => x) instanceof A, Array.isArray(a)]',
    'extends Map':
      'class M extends Map { first() { return this.keys().next().value } } const m = new M([["a", 1]]); m.extra = 2; return () => [m.first(), m.get("a"), m.extra, m instanceof M]',
    'extends Set':
      'class M extends Set { sum() { return [...this].reduce((a, b) => a + b) } } const m = new M([1, 2]); return () => m.sum()',
    'extends Error':
      'class E extends Error { constructor(m, code) { super(m); this.code = code } } return () => { throw new E("no", 4) }',
    'extends Promise':
      'class P extends Promise { then2(f) { return this.then(f) } } return () => P.resolve(1).then2((x) => x + 1)',
    'extends Uint8Array':
      'class U extends Uint8Array { sum() { return this.reduce((a, b) => a + b) } } const u = U.of(1, 2); return () => [u.sum(), u instanceof U]',
    'extends a class of Node':
      'const { EventEmitter } = require("events"); class E extends EventEmitter { go() { let r = 0; this.on("x", (v) => { r = v }); this.emit("x", 4); return r } } return () => new E().go()',
    'class expression': 'const A = class { f() { return 1 } }; return () => [new A().f(), A.name]',
    'class expression with a name of its own':
      'const A = class B { static f() { return B === A } }; return () => [A.f(), A.name]',
    'unnamed class': 'const o = { c: [class { f() { return 1 } }] }; return () => new o.c[0]().f()',
    'class that uses itself':
      'class A { static make() { return new A() } f() { return A.make() instanceof A } } return () => A.make().f()',
    'two classes that use each other':
      'class A { b() { return new B() } } class B { a() { return new A() } } return () => new A().b().a() instanceof A',
    'an instance':
      'class A { constructor(x) { this.x = x } f() { return this.x } } const a = new A(3); return () => [a.f(), a instanceof A, a.constructor === A]',
    'an instance of a class made elsewhere':
      'const make = (k) => class { f() { return k } }; const A = make(1), B = make(2); const a = new A(), b = new B(); return () => [a.f(), b.f(), a instanceof B]',
    'an instance twice': 'class A {} const a = new A(), b = a; return () => a === b',
    'instances that know each other':
      'class N { constructor(v) { this.v = v } } const a = new N(1), b = new N(2); a.next = b; b.next = a; return () => a.next.next === a && b.next instanceof N',
    'instance without its class’s prototype':
      'class A { f() { return 1 } } const a = new A(); Object.setPrototypeOf(a, null); return () => Object.getPrototypeOf(a)',
    'instance with an accessor of its own':
      'class A {} const a = new A(); Object.defineProperty(a, "x", { get() { return 4 }, enumerable: true }); return () => [a.x, Object.keys(a)]',
    'Object.create of a prototype':
      'class A { f() { return this.k } } const a = Object.create(A.prototype, { k: { value: 5 } }); return () => [a.f(), a instanceof A, Object.keys(a)]',
    'instances with private fields': {
      code: 'class A { #x = 1; f() { return this.#x } } const a = new A(); return () => a.f()',
      refused: /`a` \(fn → a\), an A, whose class has private fields/,
    },
    'instances of a subclass of one with private fields': {
      code: 'class A { #x = 1 } class B extends A {} const b = new B(); return () => b',
      refused: /private fields/,
    },
    'class with private methods':
      'class A { #m() { return 4 } static #s() { return 5 } f() { return [this.#m(), A.#s(), #m in this] } } return () => new A().f()',
    'static private field that changed':
      'class A { static #n = 1; static inc() { return ++A.#n } } A.inc(); A.inc(); return () => A.inc()',
    'static private object':
      'class A { static #cache = new Map(); static put(k, v) { A.#cache.set(k, v); return A } static get(k) { return A.#cache.get(k) } } A.put("a", 1); return () => A.get("a")',
    'static field that changed': 'class A { static n = 1 } A.n = 5; return () => A.n',
    'static block that counts':
      'const made = []; class A { static { made.push(1) } } return () => [typeof A, made.length]',
    'static that is a function':
      'class A { static f = () => 4; static g = function () { return 5 } } return () => [A.f(), A.g()]',
    'static that is the class': 'class A { static self = A } return () => A.self === A',
    'static object shared with the outside':
      'const o = { n: 1 }; class A { static o = o } return () => A.o === o',
    'static method replaced': 'class A { static f() { return 1 } } A.f = () => 2; return () => A.f()',
    'static method deleted': 'class A { static f() { return 1 } } delete A.f; return () => A.f',
    'method replaced':
      'class A { f() { return 1 } } A.prototype.f = function () { return 2 }; return () => new A().f()',
    'method added': 'class A { } A.prototype.g = function () { return 3 }; return () => new A().g()',
    'method deleted': 'class A { f() {} } delete A.prototype.f; return () => new A().f',
    'accessor replaced':
      'class A { get x() { return 1 } } Object.defineProperty(A.prototype, "x", { get: () => 2, configurable: true }); return () => new A().x',
    'method made enumerable':
      'class A { f() { return 1 } } Object.defineProperty(A.prototype, "f", { enumerable: true }); return () => Object.keys(A.prototype)',
    'prototype chain changed':
      'class A {} class B { g() { return 1 } } Object.setPrototypeOf(A.prototype, B.prototype); return () => new A().g()',
    'parent changed':
      'class A { static s() { return 1 } } class B {} Object.setPrototypeOf(B, A); return () => B.s()',
    'frozen class':
      'class A { static k = 1 } Object.freeze(A); Object.freeze(A.prototype); return () => [Object.isFrozen(A), Object.isFrozen(A.prototype), A.k]',
    'getter and setter pair':
      'class A { #v = 1; get v() { return this.#v } set v(x) { this.#v = x * 2 } } return () => { const a = new A(); a.v = 4; return a.v }',
    'getter only, setter in the parent':
      'class A { set v(x) { this.w = x } get v() { return 1 } } class B extends A { get v() { return 2 } } return () => { const b = new B(); b.v = 3; return [b.v, b.w] }',
    'computed names':
      'const k = "dyn"; const s = Symbol("s"); class A { [k]() { return 1 } static [k + "S"]() { return 2 } [s]() { return 3 } get [k + "G"]() { return 4 } [Symbol.iterator] = 5; ["lit"] = 6 } return () => { const a = new A(); return [a.dyn(), A.dynS(), a[s](), a.dynG, a[Symbol.iterator], a.lit] }',
    'computed names that are calls':
      'let n = 0; const k = () => "m" + n++; class A { [k()]() { return 0 } [k()]() { return 1 } static [k()]() { return 2 } } return () => [new A().m0(), new A().m1(), A.m2()]',
    'computed field':
      'const k = "dyn"; class A { [k] = 4; static k() { return k } } return () => new A().dyn',
    'computed field that nothing remembers': {
      code: 'const k = "dyn"; class A { [k] = 4 } return () => new A().dyn',
      refused: /field whose name is worked out/,
    },
    'computed field of an object':
      'const k = { a: { b: "dyn" } }; class A { [k.a.b] = 4; static k() { return k } } return () => new A().dyn',
    'computed static field': 'let n = 0; class A { static ["k" + n++] = 4 } return () => A.k0',
    'computed field by a call': {
      code: 'let n = 0; class A { ["k" + n++] = 4 } return () => new A()',
      refused: /field whose name is worked out/,
    },
    'members named like others':
      'class A { static name() { return 1 } static length = 7; static get prototype2() { return 3 } constructor2() { return 4 } "quoted name"() { return 5 } 42() { return 6 } static static() { return 8 } get get() { return 9 } async() { return 10 } } return () => { const a = new A(); return [A.name(), A.length, A.prototype2, a.constructor2(), a["quoted name"](), a[42](), A.static(), a.get, a.async()] }',
    'static async generator':
      'class A { static async *g() { yield 1 } } return async () => { for await (const x of A.g()) return x }',
    'fields that lean on each other without semicolons':
      'class A { a = 1\n static b = 2\n ["c"]() { return 3 }\n static d\n *e() { yield 4 }\n static #f\n ["g"]() { return A.#f }\n static { A.h = 5 }\n ["i"] = 6 } return () => { const x = new A(); return [x.a, A.b, x.c(), "d" in A, [...x.e()], x.g(), A.h, x.i] }',
    'prototype of a generator function':
      'function* g() { yield this === undefined } g.prototype.extra = 4; return () => g().extra',
    'super in an object with a prototype set later': {
      code: 'const base = { f() { return 1 } }; const o = { f() { return super.f() + 1 } }; Object.setPrototypeOf(o, base); return () => o.f()',
      refused: /uses `super`/,
    },
    'super in a method that was mixed in': {
      code: 'const o = Object.assign(Object.create({ f: () => "wrong" }), { f() { return typeof super.f } }); return () => o.f()',
      refused: /uses `super`/,
    },
    'super in an object of the ordinary kind':
      'const o = { toString() { return super.toString() + "!" } }; return () => o.toString()',
    'parent that is no class any more': {
      code: 'class A {} class B extends A {} Object.setPrototypeOf(B, Function.prototype); return () => B.name',
      refused: /no class any more/,
    },
    'static methods with comments':
      'class A { static /* a */ async /* b */ f() { return 1 } static // x\n g() { return 2 } } return async () => [await A.f(), A.g()]',
    'fields without values, with semicolons':
      'class A { a; b\n c = 1;; static d; static e; f() { return Object.keys(this) } } return () => [new A().f(), Object.keys(A)]',
    'field that is an arrow function':
      'class A { k = 3; f = () => this.k } return () => { const { f } = new A(); return f() }',
    'instance whose field is an arrow function': {
      code: 'class A { k = 3; f = () => this.k } const a = new A(); return () => a.f()',
      refused: /`f`|a\.f|`this` of the function around it/,
    },
    'super in a static block’s arrow':
      'class A { static f() { return 1 } } class B extends A { static { B.g = super.f() } } return () => B.g',
    'super property in an object':
      'const base = { f() { return 1 } }; const o = { __proto__: base, f() { return super.f() + 1 } }; return () => o.f()',
    'method with super alone': {
      code: 'class A { f() { return 1 } } class B extends A { f() { return super.f() } } const f = new B().f; return () => f()',
      refused: /uses `super`/,
    },
    'method with a private name alone': {
      code: 'class A { #x = 1; f() { return this.#x } } const f = new A().f; return () => f.call(new A())',
      refused: /`#x`, a private name/,
    },
    'Symbol.hasInstance':
      'class Even { static [Symbol.hasInstance](n) { return n % 2 === 0 } } return () => [2 instanceof Even, 3 instanceof Even]',
    'Symbol.species and toStringTag':
      'class A extends Array { static get [Symbol.species]() { return Array } get [Symbol.toStringTag]() { return "A" } } return () => [new A(3).map((x) => x) instanceof A, Object.prototype.toString.call(new A())]',
    'valueOf, toPrimitive, toJSON':
      'class M { constructor(n) { this.n = n } [Symbol.toPrimitive](hint) { return hint === "number" ? this.n : "M" } toJSON() { return this.n } } const m = new M(4); return () => [+m, `${m}`, JSON.stringify({ m })]',
    'class in a class':
      'class A { static B = class { f() { return 1 } }; make() { return new A.B() } } return () => new A().make().f()',
    'abstract-like class':
      'class Shape { constructor() { if (new.target === Shape) throw new TypeError("abstract") } } class Sq extends Shape {} return () => { new Sq(); try { new Shape() } catch (e) { return e.message } }',
    'singleton that was made before':
      'class S { static #i; static get() { return (S.#i ??= new S()) } } S.get().n = 4; return () => [S.get() === S.get(), S.get().n, S.get() instanceof S]',
    'static private that is the class itself':
      'class S { static #self = S\n static #list = [S, 1]\n ["x"]() { return 1 }\n static check() { return [S.#self === S, S.#list[0] === S, new S().x()] } } return () => S.check()',
    singleton:
      'class S { static #i; static get() { return (S.#i ??= new S()) } } return () => S.get() === S.get()',
    'accessor inherited through Object.create':
      'const proto = { get x() { return this.y * 2 } }; const o = Object.create(proto); o.y = 4; return () => o.x',
  },

  values: {
    primitives: 'const v = [1, -1, 0.5, "s", "", true, false, null, undefined, 10n, -5n]; return () => v',
    'primitives as variables':
      'const a = 10n, b = undefined, c = null, d = "", e = 2 ** 53; return () => [a, b, c, d, e]',
    'minus zero, NaN, infinities':
      'const v = [-0, NaN, Infinity, -Infinity], z = -0; return () => [...v.map((x) => Object.is(x, -0)), Object.is(z, -0), v]',
    'huge bigint': 'const b = 3n ** 5000n; return () => b % 1000007n',
    'lone surrogates': 'const s = "a\\ud800b\\udfff"; return () => s.split("").map((c) => c.charCodeAt(0))',
    'zero bytes and quotes in strings': 'const s = "\\0\\u2028\\\\\\"`${}"; return () => s',
    'long string': 'const s = "abc".repeat(100000); return () => [s.length, s.slice(-5)]',
    'registered symbol': 'const s = Symbol.for("k"); return () => s === Symbol.for("k")',
    'well-known symbol': 'const s = Symbol.iterator; return () => s === Symbol.iterator',
    'symbol of its own':
      'const s = Symbol("mine"), o = { [s]: 4 }; return () => [o[s], s.description, Object.getOwnPropertySymbols(o)[0] === s]',
    'symbol twice': 'const s = Symbol(), t = s; return () => s === t',
    'plain object': 'const o = { a: 1, b: { c: [2] } }; return () => o',
    'order of keys': 'const o = { z: 1, a: 2, 10: 3, 2: 4 }; return () => Object.keys(o)',
    cycle: 'const o = { a: 1 }; o.self = o; return () => o.self.self === o',
    'shared reference': 'const s = { n: 1 }, o = { a: s, b: s }; return () => o.a === o.b && o.a === s',
    'object without prototype':
      'const o = Object.create(null); o.a = 1; return () => [Object.getPrototypeOf(o), o.a]',
    'prototype that is an object':
      'const p = { f() { return this.x } }, o = Object.create(p); o.x = 3; return () => [o.f(), Object.getPrototypeOf(o) === p, Object.keys(o)]',
    'key __proto__':
      'const o = JSON.parse(\'{"__proto__": 5, "a": 1}\'); return () => [Object.hasOwn(o, "__proto__"), o.a, Object.getPrototypeOf(o) === Object.prototype, Object.keys(o)]',
    'keys constructor, toString, hasOwnProperty':
      'const o = { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 }; return () => Object.entries(o)',
    'empty key': 'const o = { "": 1 }; return () => o[""]',
    'getter that throws':
      'const o = { get x() { throw new Error("no") } }; return () => { try { o.x } catch (e) { return e.message } }',
    'getter that counts':
      'let n = 0; const o = { get x() { return 5 }, y: 1 }; return () => [o.x, Object.getOwnPropertyDescriptor(o, "x").set]',
    'getter and setter':
      'const o = { _v: 1, get v() { return this._v }, set v(x) { this._v = x } }; return () => { o.v = 4; return o.v }',
    'non-enumerable property':
      'const o = Object.defineProperty({}, "x", { value: 4 }); return () => [o.x, Object.keys(o), Object.getOwnPropertyDescriptor(o, "x")]',
    'read-only property':
      'const o = Object.defineProperty({}, "x", { value: 4, enumerable: true }); return () => Object.getOwnPropertyDescriptor(o, "x")',
    'symbol keys':
      'const o = { [Symbol.for("a")]: 1, [Symbol.iterator]: 2 }; return () => [o[Symbol.for("a")], o[Symbol.iterator]]',
    'frozen object':
      'const o = Object.freeze({ a: { b: 1 } }); return () => [Object.isFrozen(o), Object.isFrozen(o.a), o.a.b]',
    'sealed object': 'const o = Object.seal({ a: 1 }); return () => [Object.isSealed(o), Object.isFrozen(o)]',
    'object that can’t be extended':
      'const o = Object.preventExtensions({ a: 1 }); return () => [Object.isExtensible(o), Object.isSealed(o)]',
    'frozen cycle': 'const o = {}; o.o = o; Object.freeze(o); return () => o.o === o && Object.isFrozen(o)',
    'toString and toJSON overridden':
      'const o = { toString() { throw 1 }, toJSON() { throw 2 }, valueOf() { throw 3 }, a: 4 }; return () => o.a',
    'then property': 'const o = { then: 5 }; return () => [o.then]',
    array: 'const a = [1, "b", [2, [3]]]; return () => a',
    'sparse array': 'const a = [1, , 3]; a.length = 5; return () => [a.length, 1 in a, 2 in a, a]',
    'array with properties':
      'const a = [1, 2]; a.extra = "x"; return () => [a.extra, a.length, Object.keys(a)]',
    'array with a negative index': 'const a = [1]; a[-1] = 5; return () => [a[-1], a.length]',
    'array with an accessor':
      'const a = [1, 2]; Object.defineProperty(a, 0, { get: () => 9 }); return () => [a[0], a[1]]',
    'frozen array':
      'const a = Object.freeze([1, [2]]); return () => [Object.isFrozen(a), Object.isFrozen(a[1]), a]',
    'array that contains itself': 'const a = [1]; a.push(a); return () => a[1][1] === a',
    'array with another prototype':
      'const a = Object.setPrototypeOf([1, 2], null); return () => [Array.isArray(a), a[1], Object.getPrototypeOf(a)]',
    'array of undefined and holes': 'const a = [undefined, , null]; return () => [0 in a, 1 in a, 2 in a]',
    'huge sparse array': 'const a = []; a[4000000000] = 1; return () => [a.length, a[4000000000]]',
    'array of a million numbers':
      'const a = Array.from({ length: 1e6 }, (_, i) => i); return () => [a.length, a[999999]]',
    'list 10,000 deep':
      'let l = null; for (let i = 0; i < 10000; i++) l = { l, i }; const head = l; return () => { let n = 0; for (let x = head; x; x = x.l) n++; return n }',
    'array 10,000 deep':
      'let l = []; for (let i = 0; i < 10000; i++) l = [l]; const head = l; return () => { let n = 0; for (let x = head; x.length; x = x[0]) n++; return n }',
    'functions 2,000 deep':
      'let f = () => 0; for (let i = 0; i < 2000; i++) { const g = f; f = () => g() + 1 } const h = f; return () => h()',
    'maps 10,000 deep':
      'let m = new Map(); for (let i = 0; i < 10000; i++) m = new Map([[m, m]]); const head = m; return () => { let n = 0; for (let x = head; x.size; [[x]] = x) n++; return n }',
    'wide object':
      'const o = Object.fromEntries(Array.from({ length: 20000 }, (_, i) => ["k" + i, i])); return () => [Object.keys(o).length, o.k19999]',
    Map: 'const k = {}; const m = new Map([[k, 1], [NaN, 2], ["k", new Map([[1, 2]])]]); return () => [m.get(k), m.get(NaN), m.get("k").get(1), m.size]',
    'Map that contains itself': 'const m = new Map(); m.set(m, m); return () => m.get(m) === m',
    'Map with overridden methods':
      'const m = new Map([[1, 2]]); m.get = () => 9; m.forEach = m.entries = m[Symbol.iterator] = () => { throw 1 }; return () => [m.get(1), Map.prototype.get.call(m, 1)]',
    Set: 'const k = {}; const s = new Set([k, 1, "1", NaN]); return () => [s.has(k), s.has(1), s.has("1"), s.has(NaN), s.size]',
    'order in Map and Set':
      'const m = new Map([[3, 1], [1, 2], [2, 3]]), s = new Set([3, 1, 2]); return () => [[...m.keys()], [...s]]',
    Date: 'const d = new Date(12345); return () => [d.getTime(), d instanceof Date]',
    'invalid Date': 'const d = new Date(NaN); return () => Number.isNaN(d.getTime())',
    'Date with a property': 'const d = new Date(5); d.note = "x"; return () => [d.note, d.getTime()]',
    RegExp: 'const r = /a(?<n>b)/giu; return () => [r.source, r.flags, "xAB".replace(r, "$<n>")]',
    'RegExp in mid-search': 'const r = /a/g; r.exec("aaa"); return () => [r.lastIndex, r.exec("aaa").index]',
    'RegExp with exotic source': 'const r = new RegExp("/\\n[/]"); return () => [r.source, r.test("/\\n/")]',
    Error: 'const e = new Error("no"); return () => [e.message, e.name, e instanceof Error, typeof e.stack]',
    'Error with cause and properties':
      'const e = new TypeError("no", { cause: { why: [1] } }); e.code = "E"; return () => [e.message, e.cause.why, e.code, e instanceof TypeError, Object.keys(e)]',
    'Error that causes itself': 'const e = new Error("x"); e.cause = e; return () => e.cause === e',
    AggregateError:
      'const e = new AggregateError([new RangeError("a"), 2], "all"); return () => [e.errors[0].message, e.errors[0] instanceof RangeError, e.errors[1], e.message, e instanceof AggregateError]',
    'Error of Node':
      'let e; try { require("fs").readFileSync("/nowhere") } catch (x) { e = x } const f = e; return () => [f.code, f.message, f instanceof Error, f.syscall]',
    'Error of Node with a class inside Node':
      'let e; try { Buffer.alloc("x") } catch (x) { e = x } const f = e; return () => [f.code, f.message, f instanceof TypeError, f.name]',
    'Error whose name changed':
      'const e = new Error("x"); e.name = "Other"; return () => [e.name, String(e)]',
    'Error without a message': 'const e = new Error(); return () => [e.message, Object.hasOwn(e, "message")]',
    DOMException:
      'const e = new DOMException("m", "AbortError"); return () => [e.name, e.message, e.code, e instanceof DOMException, e instanceof Error]',
    'typed arrays':
      'const v = [new Int8Array([1]), new Uint8Array([2]), new Uint8ClampedArray([3]), new Int16Array([4]), new Uint16Array([5]), new Int32Array([6]), new Uint32Array([7]), new Float32Array([8]), new Float64Array([9]), new BigInt64Array([10n]), new BigUint64Array([11n])]; return () => v.map((x) => [x.constructor.name, x[0], x.length])',
    'two views of one buffer':
      'const b = new ArrayBuffer(16), x = new Uint8Array(b, 4, 8), y = new Uint32Array(b); return () => { x[0] = 255; return [y[1], x.byteOffset, x.length, x.buffer === y.buffer] }',
    DataView:
      'const d = new DataView(new ArrayBuffer(8), 2, 4); d.setInt16(0, 258); return () => [d.getInt16(0), d.byteOffset, d.byteLength]',
    ArrayBuffer:
      'const b = new Uint8Array([1, 2, 3]).buffer; return () => [b.byteLength, new Uint8Array(b)[2], b instanceof ArrayBuffer]',
    'empty buffers':
      'const b = new ArrayBuffer(0), v = new Float64Array(0); return () => [b.byteLength, v.length]',
    Buffer: 'const b = Buffer.from("héllo"); return () => [b.toString(), Buffer.isBuffer(b), b.length]',
    'large Buffer':
      'const b = Buffer.alloc(100000, 7); return () => [b[99999], Buffer.isBuffer(b), b.length]',
    'Buffer in a buffer':
      'const whole = Buffer.alloc(100000), part = whole.subarray(10, 20); whole[10] = 9; return () => [part[0], part.length, part.byteOffset]',
    'small Buffers over the same memory':
      'const a = Buffer.from("hello"), b = a.subarray(1, 4); return () => { a[1] = 65; return [String(b), b.length, a.buffer === b.buffer] }',
    'large arrays with properties':
      'const v = new Float64Array(5000), a = Array(5000).fill(1); v.unit = "m"; a.note = "n"; a[Symbol.for("s")] = 2; return () => [v.unit, a.note, a[Symbol.for("s")], v.length, a.length]',
    'typed array with a property':
      'const v = new Float64Array([1]); v.unit = "m"; return () => [v.unit, v[0]]',
    'array of 100 MB':
      'const v = new Float64Array(12.5e6); v[12499999] = 4; return () => [v.length, v[12499999]]',
    'arguments object':
      'const a = (function () { return arguments })(1, "b"); return () => [a.length, [...a], Object.prototype.toString.call(a)]',
    'boxed primitives':
      'const v = [Object(1), Object("ab"), Object(true), Object(5n), Object(Symbol.iterator)]; return () => v.map((x) => [typeof x, x.valueOf() === Object(x).valueOf(), String(x.constructor.name)])',
    'boxed string with a property': 'const s = Object("ab"); s.x = 1; return () => [s.length, s[1], s.x]',
    URL: 'const u = new URL("https://a.b/c?d=1#e"); return () => [u.href, u.searchParams.get("d"), u instanceof URL]',
    'coders of text':
      'const e = new TextEncoder(), d = new TextDecoder("utf-16le", { ignoreBOM: true }); ' +
      'return () => [[...e.encode("é한")], d.decode(new Uint8Array([255, 254, 97, 0])), d.encoding, d.ignoreBOM]',
    'formatters of numbers':
      'const all = [["de"], ["ko-KR", { style: "currency", currency: "KRW", currencyDisplay: "name" }], ["en", { notation: "compact" }], ' +
      '["en", { style: "unit", unit: "liter", unitDisplay: "long" }], ["hi-u-nu-deva", { maximumSignificantDigits: 3 }], ' +
      '["en", { style: "percent", minimumFractionDigits: 1, signDisplay: "always" }], ["en", { useGrouping: false }]]' +
      '.map(([locale, options]) => new Intl.NumberFormat(locale, options)); ' +
      'return () => all.map((f) => [0, -1234567.891, 0.25].map((n) => f.format(n)))',
    'formatters of dates':
      'const all = [["de"], ["en-US", { dateStyle: "full", timeStyle: "short", timeZone: "Asia/Seoul" }], ["ko", { hour: "numeric" }], ' +
      '["en", { hour: "2-digit", minute: "2-digit", hourCycle: "h24", timeZone: "UTC" }], ["en", { hour: "numeric", hour12: false }], ' +
      '["en-u-ca-buddhist", { era: "long", month: "short", fractionalSecondDigits: 2 }]]' +
      '.map(([locale, options]) => new Intl.DateTimeFormat(locale, options)); ' +
      'return () => all.map((f) => [f.format(0), f.formatToParts(1e12)])',
    'what else Intl has':
      'const de = new Intl.Collator("de-u-co-phonebk", { numeric: true }), sv = new Intl.Collator("sv", { sensitivity: "base" }), ' +
      'p = new Intl.PluralRules("en", { type: "ordinal" }), r = new Intl.RelativeTimeFormat("ko", { numeric: "auto" }), ' +
      'l = new Intl.ListFormat("en", { type: "disjunction" }), s = new Intl.Segmenter("th", { granularity: "word" }), ' +
      'd = new Intl.DisplayNames("ko", { type: "region" }), o = new Intl.Locale("zh-TW", { calendar: "roc" }); ' +
      'return () => [["a10", "a9", "ä", "ae", "af"].sort(de.compare), sv.compare("v", "W"), p.select(22), r.format(-1, "day"), ' +
      'l.format(["a", "b", "c"]), [...s.segment("สวัสดีโลก")].length, d.of("KR"), `${o}`, o.calendar, d instanceof Intl.DisplayNames]',
    URLSearchParams: 'const p = new URLSearchParams("a=1&b=2"); return () => [...p]',
    'Math, JSON, Reflect as values':
      'const v = [Math, JSON, Reflect, globalThis]; return () => [v[0] === Math, v[1] === JSON, v[2] === Reflect, v[3] === globalThis]',
    'standard functions as values':
      'const v = [Math.max, Array.prototype.map, parseInt, Object, Array.from, console.log, Promise.resolve, setTimeout]; return () => [v[0](1, 2), v[1] === Array.prototype.map, v[2]("7"), v[3] === Object, v[7] === setTimeout]',
    'standard classes and prototypes as values':
      'const v = [Map, Map.prototype, Error.prototype, Uint8Array, Object.getPrototypeOf(Uint8Array), (function* () {}).constructor]; return () => [v[0] === Map, v[1] === Map.prototype, v[2] === Error.prototype, v[3] === Uint8Array, v[4] === Object.getPrototypeOf(Uint8Array), v[5] === (function* () {}).constructor]',
    'standard getters as values':
      'const g = Object.getOwnPropertyDescriptor(Map.prototype, "size").get; return () => g.call(new Map([[1, 2]]))',
    'an object that looks like a module':
      'const o = { default: { a: 1 }, a: 1 }; return () => [o.default.a, Object.keys(o)]',
    'an array that looks like a message': 'const o = ["tslab-parallel graph", [], [0], {}]; return () => o',
    'changed between calls': 'const o = { n: 1 }; const f = () => o.n; o.n = 2; return f',
  },

  'what stays here': {
    'a bound function': {
      code: 'const f = ((a, b) => a + b).bind(null, 1); return () => f(2)',
      refused: /`f` \(fn → f\), a bound function.*arrow function/,
    },
    'what util.promisify made': {
      code: 'const wait = require("util").promisify((ms, done) => setTimeout(done, ms)); return () => wait(1)',
      refused: /fn → wait/,
    },
    'a Proxy': { code: 'const p = new Proxy({}, {}); return () => p.x', refused: /`p` .*a Proxy/ },
    'a Proxy whose traps throw': {
      code: 'const p = new Proxy({}, new Proxy({}, { get() { throw new Error("trap") } })); return () => p.x',
      refused: /a Proxy/,
    },
    'a revoked Proxy': {
      code: 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return () => proxy',
      refused: /a Proxy/,
    },
    'a Proxy of a function': {
      code: 'const p = new Proxy(() => 1, {}); return () => p()',
      refused: /a Proxy/,
    },
    'a Proxy as a prototype': {
      code: 'const o = Object.create(new Proxy({}, {})); return () => o',
      refused: /a Proxy/,
    },
    'a Promise': {
      code: 'const p = Promise.resolve(1); return async () => await p',
      refused: /`p` .*a Promise.*Await it first/,
    },
    'a WeakMap': { code: 'const w = new WeakMap(); return () => w', refused: /a WeakMap/ },
    'a WeakSet': { code: 'const w = new WeakSet(); return () => w', refused: /a WeakSet/ },
    'a WeakRef': { code: 'const w = new WeakRef({}); return () => w', refused: /a WeakRef/ },
    'a FinalizationRegistry': {
      code: 'const w = new FinalizationRegistry(() => {}); return () => w',
      refused: /a FinalizationRegistry/,
    },
    'a running generator': {
      code: 'const g = (function* () { yield 1 })(); return () => g.next()',
      refused: /a running generator/,
    },
    'a running async generator': {
      code: 'const g = (async function* () { yield 1 })(); return () => g.next()',
      refused: /generator/,
    },
    'an iterator of a Map': { code: 'const i = new Map().keys(); return () => i', refused: /an iterator/ },
    'an iterator of an array': {
      code: 'const i = [1][Symbol.iterator](); return () => i.next()',
      refused: /iterator/i,
    },
    'a socket': {
      code: 'const s = new (require("net").Socket)(); return () => s',
      refused: /`s` .*a Socket/,
    },
    'a socket in a helper': {
      code: 'const socket = new (require("net").Socket)(); const send = (x) => { socket.write(x) }; return () => send(1)',
      refused: /\(fn → send → socket\), a Socket[\s\S]*line 1 of `send`: .*socket\.write/,
    },
    'a server': { code: 'const s = require("http").createServer(); return () => s', refused: /a Server/ },
    'an open file': {
      code: 'const s = require("fs").createReadStream(__filename2); return () => s'.replace(
        '__filename2',
        '"/dev/null"',
      ),
      refused: /a ReadStream/,
    },
    'a timer': { code: 'const t = setTimeout(() => {}, 1); return () => t', refused: /a Timeout/ },
    'an AbortController': {
      code: 'const c = new AbortController(); return () => c',
      refused: /an AbortController/,
    },
    'an AbortSignal': { code: 'const c = AbortSignal.abort(); return () => c', refused: /an AbortSignal/ },
    'a Worker’s port': {
      code: 'const { port1 } = new MessageChannel(); return () => port1',
      refused: /a MessagePort/,
    },
    'a hash': { code: 'const h = require("crypto").createHash("sha1"); return () => h', refused: /a Hash/ },
    'an emitter': { code: 'const e = new (require("events"))(); return () => e', refused: /an EventEmitter/ },
    'a child of an emitter': {
      code: 'class My extends require("events") {} const e = new My(); return () => e',
      refused: /an EventEmitter/,
    },
    'a Response': { code: 'const r = new Response("x"); return () => r', refused: /a Response/ },
    'a Blob': { code: 'const b = new Blob(["x"]); return () => b', refused: /a Blob/ },
    'an impostor of a formatter': {
      code: 'const f = Object.create(Intl.NumberFormat.prototype); return () => f',
      refused: /an? (Intl\.)?NumberFormat/,
    },
    'a WebAssembly module': {
      code: 'const m = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); return () => m',
      refused: /Module|WebAssembly/,
    },
    'a key object': {
      code: 'const k = require("crypto").createSecretKey(Buffer.alloc(8)); return () => k',
      refused: /a key|KeyObject/,
    },
    'direct eval': { code: 'const k = 1; return () => eval("k")', refused: /`eval`/ },
    'indirect eval': 'return () => (0, eval)("1 + 1")',
    'with, inside': {
      code: 'const o = { a: 1 }; return function () { with (o) { return a } }',
      refused: /`with`/,
    },
    'with, around': { code: 'with ({ w: 5 }) { var f = () => w } return f', refused: /`with`/ },
    'this of the function around it': {
      code: 'return (function () { return () => this })()',
      refused: /`this` of the function around it[\s\S]*const self = this/,
    },
    'new.target of the function around it': {
      code: 'function F() { return { f: () => new.target } } const { f } = new F(); return () => f()',
      refused: /new\.target|can't be read/,
    },
    'super of the method around it': {
      code: 'const o = { f() { return () => super.x } }; const f = o.f(); return () => f()',
      refused: /`super`/,
    },
    'deep in an object': {
      code: 'const o = { a: [1, { b: new Map([["k", Promise.resolve()]]) }] }; return () => o',
      refused: /o\.a\[1\]\.b\.get\("k"\).*a Promise/,
    },
    'in a getter': {
      code: 'const s = new WeakSet(); const o = { get x() { return s } }; return () => o.x',
      refused: /a WeakSet/,
    },
    'in a class’s static': {
      code: 'class A { static pool = new WeakMap() } return () => A.pool',
      refused: /A\.pool.*a WeakMap/,
    },
    'a detached buffer': {
      code: 'const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return () => b',
      refused: /transferred away|detached/,
    },
  },

  names: {
    'exports as a plain object':
      'const exports = { a: 1, f() { return 2 } }; return () => [exports.a, exports.f(), Object.keys(exports)]',
    'exports of the program':
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.a = 1; exports.unused = new WeakMap(); return () => exports.a',
    'exports["a"]':
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.a = 1; return () => exports["a"]',
    'exports[name]': {
      code: 'Object.defineProperty(exports, "__esModule", { value: true }); exports.a = 1; const k = "a"; return () => exports[k]',
      refused: /exports/,
    },
    'exports as an argument': {
      code: 'Object.defineProperty(exports, "__esModule", { value: true }); exports.a = 1; return () => Object.keys(exports)',
      refused: /exports/,
    },
    'missing export':
      'Object.defineProperty(exports, "__esModule", { value: true }); return () => exports.missing',
    'functions of exports that use each other':
      'Object.defineProperty(exports, "__esModule", { value: true }); exports.f = (n) => n ? exports.g(n - 1) : "f"; exports.g = (n) => n ? exports.f(n - 1) : "g"; return () => exports.f(5)',
    require: 'return () => require("os").EOL',
    'require in a helper': 'const eol = () => require("node:os").EOL; return () => eol()',
    'require as a plain variable': 'const require = (x) => x + 1; return () => require(1)',
    'arguments as a variable (sloppy)': 'var arguments = 5; return function f() { return typeof arguments }',
    'await as a variable': 'const await = 4; return () => await + 1',
    'yield as a variable': 'var yield = 4; return () => yield + 1',
    'let as a variable': 'var let = 4; return () => let + 1',
    'static, implements, package':
      'var static = 1, implements = 2, package = 3; return () => static + implements + package',
    'async as a variable': 'const async = (x) => x; return () => async(4)',
    'of, get, set': 'const of = 1, get = 2, set = 3; return () => of + get + set',
    'undefined as a local': 'return ((undefined) => () => [undefined])(7)',
    'eval as a variable': { code: 'const eval = (x) => 9; return () => eval("1")', refused: /eval/ },
    'constructor, __proto__, prototype':
      'const constructor = 1, __proto__ = 2, prototype = 3, hasOwnProperty = 4; return () => [constructor, __proto__, prototype, hasOwnProperty]',
    'toString as a variable': 'const toString = 5; return () => toString',
    globalThis: 'return () => typeof globalThis.setTimeout',
    'a global that was made later':
      'delete globalThis.later; const f = () => typeof later; const g = () => f(); globalThis.later = 1; return g',
    'a global that was replaced':
      'globalThis.escape = () => 7; const f = () => escape("a b"); return () => f()',
    'a global of the notebook': 'globalThis.mine = { a: 4 }; return () => mine.a',
    'names of the tools':
      'const Object = 1, Reflect = 2, Array = 3, Function = 4; return () => [Object, Reflect, Array, Function]',
    'name of a variable inside a string': 'const k = 4; return () => "k" + `${"k"}` + /k/.source',
  },

  modules: {
    'a builtin': 'const os = require("os"); return () => os.EOL',
    'a builtin with node:': 'const path = require("node:path"); return () => path.join("a", "b")',
    'a function of a builtin': 'const { join: j } = require("path"); return () => j("a", "b")',
    'a function of a builtin by another name':
      'const p = require("path"), together = p.join; return () => together("a", "b")',
    'a class of a builtin':
      'const { EventEmitter } = require("events"); return () => new EventEmitter().listenerCount("x")',
    'fs/promises':
      'const { readFile } = require("fs/promises"); return async () => (await readFile("package.json", "utf8")).length > 0',
    'a nested namespace': 'const { constants } = require("fs"); return () => constants.F_OK',
    'a package':
      'const acorn = require("acorn"); return () => acorn.parse("1", { ecmaVersion: 2020 }).body.length',
    'a function of a package':
      'const { parse } = require("acorn"); return () => parse("1", { ecmaVersion: 2020 }).type',
    'a class of a package':
      'const { Parser } = require("acorn"); class P extends Parser {} return () => [P.parse("1", { ecmaVersion: 2020 }).type, Parser === require("acorn").Parser]',
    'tslab-parallel itself': 'const t = require("tslab-parallel"); return () => typeof t.createPool',
    'a function of tslab-parallel':
      'const { createPool } = require("tslab-parallel"); return () => typeof createPool',
    'import * of a builtin':
      'const os = require("os"); const star = { ...Object.getOwnPropertyDescriptors({}) }; for (const k of Object.keys(os)) Object.defineProperty(star, k, { enumerable: true, get: () => os[k] }); Object.defineProperty(star, "default", { enumerable: true, value: os }); return () => [star.EOL, star.default === require("os"), typeof star.cpus]',
    'default import of a builtin':
      'const os_1 = { default: require("os") }; return () => (0, os_1.default.tmpdir)().length > 0',
    'import()': 'return async () => (await import("node:os")).EOL',
    'import() of a package': 'return async () => typeof (await import("acorn")).parse',
    'import() of what a variable says':
      'const name = "node:path"; return async () => (await import(name)).sep',
    'process and console': 'return () => [typeof process.pid, typeof console.log]',
    'process.env': 'const env = process.env; return () => env.PATH === process.env.PATH',
    Buffer: 'return () => Buffer.from("a").toString("hex")',
    'fetch and timers':
      'const wait = (ms) => new Promise((r) => setTimeout(r, ms)); return async () => { await wait(1); return typeof fetch }',
    'structuredClone, queueMicrotask, URL':
      'return async () => { let r = 0; await new Promise((done) => queueMicrotask(() => { r = 1; done() })); return [r, structuredClone({ a: 1 }), new URL("http://a").host] }',
  },

  strictness: {
    'strict function': '"use strict"; return function () { return this === undefined }',
    'sloppy function': 'return function () { return this === globalThis }',
    'strict by itself': 'return function () { "use strict"; return this === undefined }',
    'strict arrow with a function within':
      'return (function () { "use strict"; return () => (function () { return this === undefined })() })()',
    'sloppy arrow with a function within': 'return () => (function () { return this === globalThis })()',
    'strict arrow that writes to a frozen object':
      'return (function () { "use strict"; const o = Object.freeze({ a: 1 }); return () => { o.a = 2; return o.a } })()',
    'sloppy arrow that writes to a frozen object':
      'const o = Object.freeze({ a: 1 }); return () => { o.a = 2; return o.a }',
    'strict async function':
      'return (function () { "use strict"; const o = Object.freeze({ a: 1 }); return async function () { o.a = 2; return o.a } })()',
    'strict generator':
      'return (function () { "use strict"; const o = Object.freeze({ a: 1 }); function* g() { o.a = 2; yield o.a } return () => [...g()] })()',
    'strict method of an object':
      'return (function () { "use strict"; const o = { m() { return this } }; const { m } = o; return () => m() === undefined })()',
    'sloppy method of an object':
      'const o = { m() { return this } }; const { m } = o; return () => m() === globalThis',
    'method of a class':
      'class A { m() { return this } } const { m } = new A(); return () => m() === undefined',
    'arrow made in a class':
      'class A { static make() { const o = Object.freeze({ a: 1 }); return () => { o.a = 2; return o.a } } } return A.make()',
    'octal (sloppy)': 'return () => 010 + 1',
    'delete of a name (sloppy)': 'return () => { var x = 1; return delete x }',
    'delete of a fixed property': 'const o = Object.freeze({ a: 1 }); return () => delete o.a',
    'arguments tied to parameters (sloppy)':
      'return function (a) { arguments[0] = 5; return [a, (function (b) { b = 2; return arguments[0] })(1)] }',
    'arguments not tied (strict)':
      'return function () { "use strict"; return (function (b) { b = 2; return arguments[0] })(1) }',
    'function in a block (sloppy)':
      'return () => { if (true) { function f() { return 1 } } return typeof f }',
    'function in a block (strict)':
      'return (function () { "use strict"; return () => { if (true) { function f() { return 1 } } return typeof f } })()',
    'boxed this (sloppy)': 'function f() { return typeof this } return () => f.call(1)',
    'boxed this (strict)': '"use strict"; function f() { return typeof this } return () => f.call(1)',
    'arguments.callee (sloppy)': 'return function () { return typeof arguments.callee }',
  },

  'minified and compiled': {
    minified:
      'var n=2,r=t=>t*n,e=[1,2,3];class o{constructor(t){this.t=t}s(){return r(this.t)}}return()=>e.map(t=>new o(t).s()).reduce(((t,n)=>t+n),0)',
    'minified, comma operators': 'var t,e,n=(t=1,e=2,t+e);return()=>(0,n)+((t,e)=>(t+=e,e=t,t*e))(1,2)',
    'async by TypeScript (__awaiter)': `var __awaiter = (this && this.__awaiter) || function (thisArg, _arguments, P, generator) {
      function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
      return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next()); }); };
      function f() { return __awaiter(this, void 0, void 0, function* () { const x = yield Promise.resolve(2); return x + 1; }); }
      return () => f()`,
    'private fields by TypeScript (WeakMap)': {
      code: `var __get = function (r, s) { return s.get(r) }; var _A_x; class A { constructor() { _A_x.set(this, 1) } get x() { return __get(this, _A_x) } } _A_x = new WeakMap(); return () => new A().x`,
      refused: /a WeakMap/,
    },
    'enum by TypeScript':
      'var Color; (function (Color) { Color[Color["Red"] = 0] = "Red"; Color[Color["Green"] = 1] = "Green" })(Color || (Color = {})); return () => [Color.Red, Color[1]]',
    'namespace by TypeScript':
      'var N; (function (N) { N.k = 3; function f() { return N.k } N.f = f })(N || (N = {})); return () => N.f()',
    __importDefault:
      'var __importDefault = (this && this.__importDefault) || function (mod) { return (mod && mod.__esModule) ? mod : { "default": mod } }; const os_1 = __importDefault(require("os")); return () => os_1.default.EOL',
    'static this by TypeScript': 'var _a; class A { } _a = A; A.k = 4; A.f = () => _a.k; return () => A.f()',
    'decorators by TypeScript':
      'const log = (v, c) => function (...a) { return ["logged", v.apply(this, a)] }; class A { m(x) { return x + 1 } } A.prototype.m = log(A.prototype.m); return () => new A().m(1)',
    'old class by TypeScript (ES5)': `var __extends = (function () { var e = function (d, b) { e = Object.setPrototypeOf; return e(d, b) }; return function (d, b) { e(d, b); function __() { this.constructor = d } d.prototype = (__.prototype = b.prototype, new __()) } })();
      var A = (function () { function A(n) { this.n = n } A.prototype.f = function () { return this.n }; return A })();
      var B = (function (_super) { __extends(B, _super); function B() { return _super.call(this, 4) || this } return B })(A);
      return () => [new B().f(), new B() instanceof A, new B().constructor === B]`,
  },

  'what comes back': {
    undefined: 'return () => {}',
    'every kind of value':
      'class P { constructor(x) { this.x = x } } return () => ({ u: undefined, n: null, m: new Map([[1, new Set([2])]]), d: new Date(5), r: /x/g, b: 5n, z: [NaN, , 1], t: new Float32Array([1.5]), e: { [Symbol.for("k")]: 1 } })',
    'an instance of a class of the notebook':
      'class P { constructor(x) { this.x = x } f() { return this.x } } const check = (p) => p; return () => new P(4).f()',
    'throws a string': 'return () => { throw "no" }',
    'throws null': 'return () => { throw null }',
    'throws an object': 'return () => { throw { code: 5 } }',
    'throws an Error with a cause':
      'return () => { throw new RangeError("no", { cause: new Error("why") }) }',
    'throws an own class':
      'class E extends TypeError { constructor() { super("mine"); this.extra = [1] } } return () => { throw new E() }',
    rejects: 'return async () => { throw new SyntaxError("later") }',
    'a deep list':
      'return () => { let l = null; for (let i = 0; i < 10000; i++) l = { l }; let n = 0; for (let x = l; x; x = x.l) n++; return n }',
  },
};
