/** The same on the real tslab kernel: cells in several orders, a cell run again, a helper redefined in a later cell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Kernel, room } from '../harness/kernel';

let kernel: Kernel;

/** Runs a cell that must succeed; what it printed. */
async function cell(code: string): Promise<string> {
  const result = await kernel.run(code);
  assert.ok(result.ok, result.error);
  return result.stdout.trim();
}

/** The value of an expression that calls `there(fn, ...args)`, worked out in a worker. */
async function there(expression: string): Promise<unknown> {
  // tslab takes `await (…)` for a call of a function `await`.
  return JSON.parse(await cell(`console.log(JSON.stringify(await ${expression}))`));
}

async function refusal(expression: string): Promise<string> {
  return cell(`try { ${expression}; console.log('not refused') } catch (e) { console.log(String(e)) }`);
}

before(async () => {
  kernel = await Kernel.start();
  await cell(`
import { capture, decode, encode, CaptureError } from '${room('helper/closure')}';
import { Worker } from 'node:worker_threads';
import os, { cpus, EOL as newline } from 'os';
import * as path from 'path';
import { setTimeout as sleep } from 'node:timers/promises';

const worker = new Worker(\`
  const { parentPort } = require('node:worker_threads');
  const { decode, encode, Reviver } = require('${room('helper/closure')}');
  const reviver = new Reviver({ base: process.cwd() });
  parentPort.on('message', async ({ id, parts, args }) => {
    const answer = {};
    try {
      for (const part of parts) reviver.add(part);
      const value = await reviver.revive(id)(...decode(args, reviver));
      answer.value = encode(value, { target: 'thread', name: 'result' }).message;
    } catch (error) {
      answer.error = encode(error, { target: 'thread', name: 'error' }).message;
    }
    parentPort.postMessage(answer);
  });\`, { eval: true });
worker.unref();

function there(fn: (...args: any[]) => unknown, ...args: unknown[]): Promise<any> {
  const { id, parts } = capture(fn, { target: 'thread' });
  worker.postMessage({ id, parts, args: encode(args, { target: 'thread', name: 'argument' }).message });
  return new Promise((resolve, reject) =>
    worker.once('message', ({ value, error }) => (error === undefined ? resolve(decode(value)) : reject(decode(error)))),
  );
}`);
});
after(() => kernel.close());

describe('names of cells', () => {
  test('of the same cell: plain variables', async () => {
    assert.equal(
      await cell(`
const base = 10;
interface Point { x: number; y: number }
class Vector implements Point {
  static made = 0;
  constructor(readonly x: number, readonly y: number) {}
  get norm(): number { return Math.hypot(this.x, this.y); }
}
function square(n: number): number { return n * n + base; }
const half = (n: number): number => square(n) / 2;
enum Color { Red = 3, Green }
const value = await there((n: number) => [half(n), new Vector(3, 4).norm, Color.Green, Color[3]], 4);
console.log(JSON.stringify(value));`),
      '[13,5,4,"Red"]',
    );
  });

  test('of earlier cells: properties of `exports`', async () => {
    assert.deepEqual(
      await there('there((n: number) => [half(n), new Vector(3, 4).norm, base, Color[4]], 6)'),
      [23, 5, 10, 'Green'],
    );
  });

  test('imports of earlier cells, in all their forms', async () => {
    assert.deepEqual(
      await there(
        "there(async () => { await sleep(1); return [os.EOL === newline, cpus().length > 0, path.join('a', 'b')] })",
      ),
      [true, true, 'a/b'],
    );
  });

  test('imports of the same cell, in all their forms', async () => {
    assert.equal(
      await cell(`
import url, { fileURLToPath } from 'url';
import * as util from 'util';
import { parse as parseJs } from 'acorn';
console.log(JSON.stringify(await there(() => [
  url.fileURLToPath('file:///a'), fileURLToPath('file:///b'), util.inspect({ a: 1 }), parseJs('1', { ecmaVersion: 2020 }).type,
])));`),
      '["/a","/b","{ a: 1 }","Program"]',
    );
  });

  test('a module that is a cell', async () => {
    await cell(
      '/** @module shapes */\nexport const sides = 4;\nexport function area(a: number): number { return a * sides; }',
    );
    await cell("import { area } from './shapes'; import * as shapes from './shapes';");
    assert.deepEqual(
      await there('there((n: number) => [area(n), shapes.sides, shapes.area(1)], 3)'),
      [12, 4, 4],
    );
  });

  test('packages, also such as are ES modules', async () => {
    await cell(
      "import fetch, { Headers } from 'node-fetch'; import * as d3 from 'd3-array'; import workerpool from 'workerpool';",
    );
    assert.deepEqual(
      await there(
        "there(() => [typeof fetch, new Headers([['a', 'b']]).get('a'), d3.max([1, 3, 2]), typeof workerpool.pool])",
      ),
      ['function', 'b', 3, 'function'],
    );
  });

  test('the package itself', async () => {
    await cell("import * as parallel from 'tslab-parallel';");
    assert.equal(await there('there(() => typeof parallel.createPool)'), 'function');
  });

  test('classes, async functions, generators, closures', async () => {
    await cell(`
class Shape { constructor(readonly name: string) {} area(): number { return 0 } describe() { return this.name + ' ' + this.area(); } }
class Circle extends Shape { #r: number; constructor(r: number) { super('circle'); this.#r = r; } override area() { return Math.round(Math.PI * this.#r ** 2); } }
function* count(n: number) { for (let i = 0; i < n; i++) yield i; }
async function later(x: number) { await null; return [...count(x)]; }
const adder = (a: number) => (b: number) => a + b;
const add5 = adder(5);`);
    assert.deepEqual(
      await there('there(async (x: number) => [new Circle(2).describe(), await later(3), add5(x)], 1)'),
      ['circle 13', [0, 1, 2], 6],
    );
  });

  test('instances go there and come back as instances of the notebook', async () => {
    assert.deepEqual(
      await there(
        "there((s: Shape) => [s instanceof Shape, s.describe(), new Shape('new')], new Shape('old')).then(([a, b, c]) => [a, b, c instanceof Shape, c.name])",
      ),
      [true, 'old 0', true, 'new'],
    );
  });
});

describe('cells in any order', () => {
  test('a helper that a later cell redefines', async () => {
    await cell('function rate(n: number) { return n * 2; }');
    await cell('const total = (n: number) => rate(n) + 1;');
    assert.equal(await there('there((n: number) => total(n), 5)'), 11);
    await cell('function rate(n: number) { return n * 100; }');
    assert.equal(await there('there((n: number) => total(n), 5)'), 501);
  });

  test('a cell that is run again', async () => {
    const code = 'const started = process.hrtime.bigint(); const since = () => started;';
    await cell(code);
    const first = await cell('console.log(String(await there(() => since())))');
    await cell(code);
    const second = await cell('console.log(String(await there(() => since())))');
    assert.ok(BigInt(second) > BigInt(first));
    assert.equal(second, await cell('console.log(String(started))'));
  });

  test('a function of a cell’s first run beside one of its second', async () => {
    const code = 'let runs: number; runs = Date.now() % 1e9 + Math.random(); const seen = () => runs;';
    await cell(code);
    await cell('const before = seen;');
    await cell(code);
    assert.equal(
      await there(
        'there(() => [before() === seen(), before(), seen()]).then(([same, a, b]) => [same, a === before(), b === seen()])',
      ).then(String),
      'false,true,true',
    );
  });

  test('a variable that changes between runs', async () => {
    await cell(
      'let depth = 1; const table = new Float64Array(2000); const look = () => [depth, table[1999], limits.max]; const limits = { max: 1 };',
    );
    assert.deepEqual(await there('there(() => look())'), [1, 0, 1]);
    await cell('depth = 2; table[1999] = 5; limits.max = 9;');
    // In its own cell the function sees the cell's own variable.
    assert.deepEqual(
      await there('there(() => [...look(), depth])'),
      JSON.parse(await cell('console.log(JSON.stringify([...look(), depth]))')),
    );
  });

  test('a function used before its cell is complete', async () => {
    assert.match(
      await cell(`
const early = () => lateOne + 1;
try { capture(early, { target: 'thread' }); console.log('not refused') } catch (e) { console.log(String(e)) }
const lateOne = 1;`),
      /uses `lateOne`, which has no value yet/,
    );
  });
});

describe('refusals show the reader’s own line', () => {
  test('of an assignment in the same cell', async () => {
    const message = await cell(`
// a comment and a type, which the compiler drops

interface Unused { a: number }
let count: number = 0;

const increment = (by: number): void => {

  count += by;
};
try { await there((n: number) => increment(n), 1) } catch (e) { console.log(String(e)) }`);
    assert.match(message, /`increment` \(fn → increment\) assigns to `count`, a variable of the notebook/);
    assert.match(message, /line 9 of cell \[\d+\]: count \+= by;/);
  });

  test('of an assignment to a variable of an earlier cell', async () => {
    const message = await refusal('await there((n: number) => {\n  count = n;\n}, 1)');
    assert.match(message, /it assigns to `count`/);
    assert.match(message, /line 2 of cell \[\d+\]: count = n;/);
  });

  test('of a connection, with the way to it', async () => {
    await cell(`
import { Socket } from 'net';
const connection = new Socket();
const helper = (text: string) => {
  const upper: string = text.toUpperCase();
  return connection.write(upper);
};`);
    const message = await refusal("await there((text: string) => helper(text), 'x')");
    assert.match(message, /`connection` \(fn → helper → connection\), a Socket/);
    assert.match(message, /line 6 of cell \[\d+\]: return connection\.write\(upper\);/);
  });

  test('of an error thrown there', async () => {
    const trace = await cell(`
const failing = async (n: number): Promise<number> => {

  if (n > 0) throw new RangeError('too many: ' + n);
  return n;
};
await there((n: number) => failing(n), 3).catch((e: Error) => console.log(e.stack));`);
    assert.match(trace, /^RangeError: too many: 3\n\s+at failing \(cell \[\d+\], line 4\)/);
  });
});
