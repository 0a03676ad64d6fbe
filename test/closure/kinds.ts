/** Every kind of value a function can use, with a check that is worked out here and there. */
export interface Kind {
  readonly kind: string;
  /** JavaScript that makes the value; `require` is there. */
  readonly value: string;
  /** An expression of the value `v`: plain data that would differ if anything was lost. Default: `v` itself. */
  readonly check?: string;
  /** What a reader should know. */
  readonly note?: string;
}

export const KINDS: Record<string, readonly Kind[]> = {
  Primitives: [
    { kind: 'string', value: '"a\\u0000\\ud800 é"' },
    {
      kind: 'number',
      value: '[1.5, -0, NaN, Infinity][1]',
      check: 'Object.is(v, -0)',
      note: 'also -0, NaN, Infinity',
    },
    { kind: 'bigint', value: '2n ** 100n' },
    { kind: 'boolean', value: 'true' },
    { kind: 'null', value: 'null' },
    { kind: 'undefined', value: 'undefined' },
    { kind: 'Symbol.for(…)', value: 'Symbol.for("k")', check: 'v === Symbol.for("k")' },
    { kind: 'Symbol.iterator and the like', value: 'Symbol.iterator', check: 'v === Symbol.iterator' },
    {
      kind: 'Symbol()',
      value: 'Symbol("mine")',
      check: '[typeof v, v.description]',
      note: 'one symbol stays one symbol, in all that goes there and comes back',
    },
  ],
  'Objects and collections': [
    {
      kind: 'plain object',
      value: '({ a: 1, b: { c: [2] } })',
      note: 'with cycles and shared references, 10,000 deep and more',
    },
    { kind: 'array', value: '[1, , "b"]', check: '[v.length, 1 in v, v]', note: 'holes stay holes' },
    {
      kind: 'object without prototype',
      value: 'Object.assign(Object.create(null), { a: 1 })',
      check: '[Object.getPrototypeOf(v), v.a]',
    },
    {
      kind: 'object with another prototype',
      value: 'Object.create({ f() { return this.x } }, { x: { value: 3 } })',
      check: 'v.f()',
    },
    {
      kind: 'getters and setters',
      value: '({ get x() { return 4 } })',
      check: '[v.x, typeof Object.getOwnPropertyDescriptor(v, "x").get]',
      note: 'they travel; they are not called',
    },
    {
      kind: 'frozen, sealed, read-only',
      value: 'Object.freeze({ a: 1 })',
      check: '[Object.isFrozen(v), v.a]',
    },
    { kind: 'keys that are symbols', value: '({ [Symbol.for("k")]: 1 })', check: 'v[Symbol.for("k")]' },
    { kind: 'Map', value: 'new Map([[{ k: 1 }, 2], [NaN, 3]])', check: '[...v]' },
    { kind: 'Set', value: 'new Set([1, "1", NaN])', check: '[...v]' },
    { kind: 'Date', value: 'new Date(12345)', check: '[v.getTime(), v instanceof Date]' },
    { kind: 'RegExp', value: '/a(?<n>b)/gi', check: '[v.source, v.flags, v.lastIndex]' },
    {
      kind: 'URL, URLSearchParams',
      value: 'new URL("https://a.b/c?d=1")',
      check: '[v.href, v instanceof URL]',
    },
    {
      kind: 'TextEncoder, TextDecoder',
      value: '[new TextEncoder(), new TextDecoder("euc-kr", { fatal: true })]',
      check: '[v[0].encode("한").length, v[1].decode(new Uint8Array([0xb0, 0xa1])), v[1].fatal]',
      note: 'a decoder begins anew, also in mid-stream',
    },
    {
      kind: 'Intl.NumberFormat and the like',
      value:
        '[new Intl.NumberFormat("ko-KR", { style: "currency", currency: "KRW" }), new Intl.Locale("ko-Hang")]',
      check: '[v[0].format(1234.5), v[0] instanceof Intl.NumberFormat, v[1].script]',
    },
    { kind: 'new Number(1) and the like', value: 'Object("ab")', check: '[typeof v, v + ""]' },
    { kind: 'arguments', value: '(function () { return arguments })(1, 2)', check: '[v.length, v[1]]' },
    { kind: 'process.env', value: 'process.env', check: 'v.PATH', note: 'as plain strings' },
  ],
  Errors: [
    {
      kind: 'Error, TypeError, …',
      value: 'Object.assign(new TypeError("no", { cause: { why: 1 } }), { code: "E" })',
      check: '[v.message, v.cause, v.code, v instanceof TypeError, typeof v.stack]',
      note: 'with cause, stack and own properties',
    },
    {
      kind: 'AggregateError',
      value: 'new AggregateError([new RangeError("a")], "all")',
      check: '[v.errors[0] instanceof RangeError, v.message]',
    },
    {
      kind: 'an error class of the notebook',
      value: 'new (class NotFound extends Error { code = 404 })("no")',
      check: '[v.message, v.code, v.constructor.name, v instanceof Error]',
    },
    {
      kind: 'DOMException',
      value: 'new DOMException("m", "AbortError")',
      check: '[v.name, v.message, v instanceof DOMException]',
    },
  ],
  Memory: [
    {
      kind: 'Float64Array and all typed arrays',
      value: 'new Float64Array([1.5, NaN])',
      check: '[v[0], v.length, v.constructor.name]',
      note: 'unchanged ones are not sent again; large ones are best put into a SharedArrayBuffer, as every worker keeps a copy',
    },
    {
      kind: 'several views of one buffer',
      value: '(() => { const b = new ArrayBuffer(8); return [new Uint8Array(b), new Uint16Array(b)] })()',
      check: '(v[0][0] = 7, v[1][0])',
      note: 'they stay views of one buffer',
    },
    {
      kind: 'ArrayBuffer, DataView',
      value: 'new DataView(new Uint8Array([1, 2]).buffer)',
      check: 'v.getUint16(0)',
    },
    {
      kind: 'Buffer',
      value: 'Buffer.from("héllo")',
      check: '[v.toString(), Buffer.isBuffer(v)]',
      note: 'only its own bytes, not the neighbours in Node’s pool',
    },
    {
      kind: 'SharedArrayBuffer',
      value: 'new SharedArrayBuffer(8)',
      check: 'v.byteLength',
      note: 'threads see each other’s writes: use Atomics',
    },
    {
      kind: 'a view of a SharedArrayBuffer',
      value: 'new Int32Array(new SharedArrayBuffer(8))',
      check: 'v.length',
    },
  ],
  Functions: [
    {
      kind: 'function, arrow function',
      value: '(() => { const k = 2; return (x) => x * k })()',
      check: 'v(4)',
      note: 'with the variables it uses, as they are at that moment',
    },
    {
      kind: 'async function, generator, async generator',
      value: 'function* () { yield 1; yield 2 }',
      check: '[...v()]',
    },
    {
      kind: 'functions that use each other',
      value:
        '(() => { const even = (n) => n === 0 || odd(n - 1), odd = (n) => n !== 0 && even(n - 1); return even })()',
      check: 'v(10)',
    },
    {
      kind: 'method',
      value: '({ k: 3, m(x) { return x + 1 } }).m',
      check: 'v(1)',
      note: 'alone, without its object: pass `(x) => object.method(x)` if it uses `this`',
    },
    {
      kind: 'function with own properties',
      value: 'Object.assign(function f() { return f.k }, { k: 4 })',
      check: 'v()',
    },
    {
      kind: 'class',
      value:
        '(() => { class A { static n = 1; #x = 2; get x() { return this.#x } } class B extends A {} return B })()',
      check: '[new v().x, v.n]',
      note: 'with its parents and its static properties as they are; private ones too',
    },
    {
      kind: 'instance of a class',
      value: '(() => { class P { constructor(x) { this.x = x } f() { return this.x } } return new P(4) })()',
      check: '[v.f(), v.constructor.name]',
      note: 'what comes back is an instance of the notebook’s own class',
    },
    {
      kind: 'instance of a class that extends Map, Array, Error, …',
      value: 'new (class M extends Map { first() { return [...this.keys()][0] } })([["a", 1]])',
      check: 'v.first()',
    },
    {
      kind: 'Math, JSON, Array.prototype.map, console, …',
      value: 'Array.prototype.map',
      check: 'v === Array.prototype.map',
      note: 'found again by name',
    },
    {
      kind: 'module',
      value: 'require("os")',
      check: 'v === require("os")',
      note: 'imported again, resolved from the notebook’s folder',
    },
    { kind: 'function or class of a module', value: 'require("path").join', check: 'v("a", "b")' },
    { kind: 'require', value: 'require', check: 'v("os").EOL' },
    {
      kind: 'instance of a class with private fields (#)',
      value: 'new (class A { #x = 1; f() { return this.#x } })()',
    },
    { kind: 'bound function', value: '((a, b) => a + b).bind(null, 1)' },
    {
      kind: 'arrow function that uses `this` of the function around it',
      value: '(function () { return () => this })()',
    },
    { kind: 'function that uses eval or with', value: '() => eval("1")' },
    {
      kind: 'function that assigns to a captured variable',
      value: '(() => { let n = 0; return () => n++ })()',
    },
  ],
  'What holds on to this process': [
    { kind: 'socket, server, stream, child process, Worker', value: 'new (require("net").Socket)()' },
    { kind: 'open file', value: 'require("fs").createReadStream("/dev/null")' },
    { kind: 'timer', value: '(() => { const t = setTimeout(() => {}); clearTimeout(t); return t })()' },
    { kind: 'EventEmitter', value: 'new (require("events"))()' },
    { kind: 'AbortSignal, AbortController', value: 'new AbortController().signal' },
    { kind: 'Response, Request, Headers, Blob', value: 'new Response("x")' },
    { kind: 'a pool of this package', value: 'require("tslab-parallel").createPool("serial")' },
    { kind: 'Promise', value: 'Promise.resolve(1)' },
    { kind: 'running generator, iterator', value: '(function* () { yield 1 })()' },
    { kind: 'Proxy', value: 'new Proxy({}, {})' },
    { kind: 'WeakMap, WeakSet, WeakRef', value: 'new WeakMap()' },
  ],
};
