import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { runInThisContext } from 'node:vm';
import {
  type AnyFunction,
  CaptureError,
  capture,
  decode,
  encode,
  type Part,
  Reviver,
} from '#src/helper/closure/index';
import { Lane, TARGETS, type Target } from './lanes';

const lanes = {} as Record<Target, Lane>;
before(() => {
  for (const target of TARGETS) lanes[target] = new Lane(target);
});
after(() => {
  for (const target of TARGETS) lanes[target].end();
});

/** A worker's side, here: parts go through the serialization of messages. */
function arrive(parts: readonly Part[], reviver = new Reviver({ base: process.cwd() })): Reviver {
  for (const { id, message } of parts) reviver.add({ id, message: deserialize(serialize(message)) });
  return reviver;
}

type Call = (...args: unknown[]) => unknown;

function revive(fn: AnyFunction): Call {
  const { id, parts } = capture(fn, { target: 'process' });
  return arrive(parts).revive(id) as Call;
}

function idsOf(fn: AnyFunction): string[] {
  return capture(fn, { target: 'thread' }).parts.map(({ id }) => id);
}

function refusal(fn: AnyFunction, options: { target?: Target; name?: string } = {}): string {
  try {
    capture(fn, { target: 'thread', ...options });
  } catch (error) {
    assert.ok(error instanceof CaptureError && error instanceof TypeError, String(error));
    return error.message;
  }
  assert.fail('it was not refused');
}

describe('what is sent again', () => {
  test('nothing, where nothing changed', () => {
    const table = new Float64Array(10_000);
    const settings = { depth: 3, names: ['a', 'b'] };
    const fn = () => [table[0], settings.depth];
    const first = capture(fn, { target: 'thread' });
    const second = capture(fn, { target: 'thread' });
    assert.equal(second.id, first.id);
    assert.deepEqual(second.parts, first.parts);
  });

  test('only what changed', () => {
    const table = new Float64Array(10_000);
    const other = new Float64Array(10_000);
    const settings = { depth: 3 };
    const fn = () => [table[0], other[0], settings.depth];
    const before = idsOf(fn);
    settings.depth = 4;
    const changed = idsOf(fn);
    assert.equal(changed.filter((id) => !before.includes(id)).length, 1);
    table[9999] = 1;
    const again = idsOf(fn);
    // The memory and the graph that points to it; neither the other memory nor the code.
    assert.equal(again.filter((id) => !changed.includes(id)).length, 2);
  });

  test('a value that changed arrives changed, on a lane that has the rest', async () => {
    for (const lane of Object.values(lanes)) {
      const list = [1];
      const table = new Uint8Array(5000);
      const fn = () => [list.length, table[4999]];
      assert.deepEqual(await lane.call(fn), [1, 0]);
      const sent = lane.sent;
      assert.deepEqual(await lane.call(fn), [1, 0]);
      assert.equal(lane.sent, sent);
      list.push(2);
      table[4999] = 7;
      assert.deepEqual(await lane.call(fn), [2, 7]);
    }
  });

  test('a function’s own name, when it gets another value', () => {
    const [call, change] = runInThisContext(
      '(() => { function f() { return typeof f } const g = f; return [() => g(), () => { f = 5 }] })()',
    ) as [() => string, () => void];
    assert.equal(revive(call)(), 'function');
    change();
    assert.equal(call(), 'number');
    assert.equal(revive(call)(), 'number');
  });

  test('a capture is of its moment: what changes later does not change it', () => {
    const list = [1];
    const table = new Uint8Array(5000);
    const { id, parts } = capture(() => [list.length, table[0]], { target: 'process' });
    list.push(2);
    table[0] = 9;
    assert.deepEqual((arrive(parts).revive(id) as Call)(), [1, 0]);
  });

  test('a long text has a part of its own', () => {
    const text = 'abc'.repeat(100_000);
    let n = 0;
    const fn = () => [text.length, n];
    const before = idsOf(fn);
    n = 1;
    const again = idsOf(fn);
    assert.equal(again.filter((id) => !before.includes(id)).length, 1);
    assert.deepEqual(revive(fn)(), [300_000, 1]);
  });

  test('functions with the same text share their code', () => {
    const make = (k: number) => () => k;
    const [a, b] = [make(1), make(2)];
    const shared = idsOf(a).filter((id) => idsOf(b).includes(id));
    assert.equal(shared.length, 1);
    assert.deepEqual([revive(a)(), revive(b)()], [1, 2]);
  });
});

describe('copies', () => {
  test('each revival has its own', () => {
    const list: number[] = [];
    const { id, parts } = capture((x: number) => list.push(x), { target: 'process' });
    const reviver = arrive(parts);
    const first = reviver.revive(id) as Call;
    assert.deepEqual([first(1), first(2)], [1, 2]);
    assert.equal((reviver.revive(id) as Call)(3), 1);
    assert.deepEqual(list, []);
  });

  test('a class is the same in all revivals, as long as it holds nothing that can change', () => {
    const scale = 2;
    class Point {
      constructor(readonly x: number) {}
      scaled() {
        return this.x * scale;
      }
    }
    const reviver = new Reviver({ base: process.cwd() });
    const run = (fn: AnyFunction) => {
      const { id, parts } = capture(fn, { target: 'process' });
      return arrive(parts, reviver).revive(id) as Call;
    };
    const local = run(() => new Point(3))();
    assert.deepEqual(run((point: Point) => [point instanceof Point, point.scaled()])(local), [true, 6]);
  });

  test('a class that holds what can change is made anew for each run', () => {
    class Counter {
      static count = 0;
      next() {
        return ++Counter.count;
      }
    }
    const { id, parts } = capture(() => new Counter().next(), { target: 'process' });
    const reviver = arrive(parts);
    assert.deepEqual(
      [1, 2].map(() => (reviver.revive(id) as Call)()),
      [1, 1],
    );
  });

  test('a function that gets a property over there starts without it in the next run', () => {
    function helper(): number {
      const self = helper as unknown as { calls?: number };
      self.calls = (self.calls ?? 0) + 1;
      return self.calls;
    }
    const { id, parts } = capture(() => helper(), { target: 'process' });
    const reviver = arrive(parts);
    assert.deepEqual(
      [1, 2].map(() => (reviver.revive(id) as Call)()),
      [1, 1],
    );
  });

  test('a module that is not there is named', () => {
    const { parse } = require('acorn') as typeof import('acorn');
    const { id, parts } = capture(() => parse('1', { ecmaVersion: 2020 }), { target: 'process' });
    assert.throws(
      () => arrive(parts, new Reviver({ base: '/' })).revive(id),
      /The function imports "acorn", which can't be loaded here, in \/: Cannot find module 'acorn'/,
    );
  });

  for (const target of TARGETS) {
    test(`${target}: an argument is of the class its function knows, also where that class can change`, async () => {
      class Counter {
        static count = 0;
        constructor() {
          Counter.count++;
        }
      }
      const look = (one: unknown) => [
        one instanceof Counter,
        Counter.count,
        new Counter() instanceof Counter,
      ];
      const results = [lanes[target].call(look, new Counter()), lanes[target].call(look, new Counter())];
      assert.deepEqual(await Promise.all(results), [
        [true, 1, true],
        [true, 2, true],
      ]);
    });
  }

  test('forgotten parts are gone', () => {
    const { id, parts } = capture(() => 1, { target: 'process' });
    const reviver = arrive(parts);
    reviver.forget(parts.map((part) => part.id));
    assert.throws(() => reviver.revive(id), /was not sent, or was forgotten/);
  });
});

describe('who is who', () => {
  class Point {
    constructor(
      readonly x: number,
      readonly y: number,
    ) {}
    get norm() {
      return Math.hypot(this.x, this.y);
    }
  }
  class NotFound extends Error {
    constructor(readonly id: number) {
      super(`no ${id}`);
    }
  }

  for (const target of TARGETS) {
    test(`${target}: arguments are instances of the class the function knows, results of the notebook's own`, async () => {
      const result = await lanes[target].call(
        (a: Point, b: unknown) => [a instanceof Point, a === b, a.norm, new Point(a.x + 1, 1)],
        ...(() => {
          const p = new Point(3, 4);
          return [p, p];
        })(),
      );
      const [isPoint, isSame, norm, made] = result as [boolean, boolean, number, Point];
      assert.deepEqual([isPoint, isSame, norm], [true, true, 5]);
      assert.ok(made instanceof Point);
      assert.equal(made.norm, Math.hypot(4, 1));
    });

    test(`${target}: functions, classes and symbols that come back are the originals`, async () => {
      const key = Symbol('key');
      const helper = () => 1;
      const back = (await lanes[target].call(() => [helper, Point, key, { [key]: 5 }])) as [
        unknown,
        unknown,
        symbol,
        Record<symbol, number>,
      ];
      assert.equal(back[0], helper);
      assert.equal(back[1], Point);
      assert.equal(back[2], key);
      assert.equal(back[3][key], 5);
    });

    test(`${target}: a function that was made there can be called here`, async () => {
      const add = (await lanes[target].call((a: number) => (b: number) => a + b, 2)) as (b: number) => number;
      assert.equal(add(3), 5);
    });

    test(`${target}: an error is of its class, with its trace`, async () => {
      const find = (id: number) => {
        throw new NotFound(id);
      };
      await assert.rejects(
        lanes[target].call((id: number) => find(id), 7),
        (error) => {
          assert.ok(error instanceof NotFound);
          assert.equal(error.id, 7);
          assert.equal(error.message, 'no 7');
          assert.match(error.stack!, /at find \(/);
          return true;
        },
      );
    });

    test(`${target}: an error that holds what can't go arrives with a text in its place`, async () => {
      const fail = () => {
        throw Object.assign(new RangeError('broken'), {
          code: 5,
          later: Promise.resolve(1),
          weak: new WeakMap(),
        });
      };
      await assert.rejects(lanes[target].call(fail), (error) => {
        assert.ok(error instanceof RangeError);
        const { code, later, weak } = error as RangeError & Record<string, unknown>;
        assert.equal(code, 5);
        assert.match(String(later), /Promise/);
        assert.match(String(weak), /WeakMap/);
        return true;
      });
    });
  }

  test('threads share a SharedArrayBuffer', async () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const add = (n: number) => {
      for (let i = 0; i < n; i++) Atomics.add(counter, 0, 1);
    };
    await Promise.all([lanes.thread.call(add, 1000), lanes.thread.call(add, 500)]);
    assert.equal(counter[0], 1500);
    assert.match(refusal(add, { target: 'process' }), /a SharedArrayBuffer.*threads only/);
  });
});

describe('messages', () => {
  const pass = (value: unknown, target: Target) => encode(value, { target, name: 'item 3' }).message;

  test('plain values go as they are', () => {
    const plain = [1, 'a', null, undefined, 5n, true, { a: [{ b: 1 }] }, new Float64Array(3)];
    for (const value of [...plain, plain]) assert.equal(pass(value, 'thread'), value);
  });

  test('what structured clone would change does not', () => {
    class A {}
    const values = [
      new A(),
      { a: new A() },
      Object.assign(new Map(), { own: 1 }),
      new (class extends Map {})(),
      Object.assign(new Date(), { own: 1 }),
      Object.assign(/a/g, { lastIndex: 1 }),
      new Map([['f', () => 1]]),
      [() => 1],
      Object.freeze({}),
      Object.create(null),
      new Array(2),
    ];
    values.push(
      {
        get x() {
          return 1;
        },
      },
      Buffer.from('a'),
      Symbol.iterator as never,
      new Error('no'),
    );
    for (const value of values) assert.notEqual(pass(value, 'thread'), value);
  });

  test('memory is handed over when asked', () => {
    const table = new Float64Array(1000).fill(2);
    const nested = { table, also: new Map([['t', table]]) };
    for (const value of [table, nested]) {
      const { message, transfer } = encode(value, { target: 'thread', name: 'result', transfer: true });
      assert.deepEqual(transfer, [table.buffer]);
      assert.deepEqual(decode(structuredClone(message)), value);
    }
    assert.deepEqual(encode(nested, { target: 'thread', name: 'result' }).transfer, []);
  });

  test('what looks like a message is none', () => {
    const value = ['tslab-parallel graph', [], 5, {}];
    assert.deepEqual(decode(structuredClone(pass(value, 'thread'))), value);
  });

  test('a message of a cyclic net of objects is not worked out for ever', () => {
    const nodes = Array.from({ length: 100 }, () => ({ next: [] as unknown[] }));
    for (const node of nodes) node.next.push(...nodes);
    const back = decode(structuredClone(pass(nodes[0], 'thread'))) as (typeof nodes)[0];
    assert.equal((back.next[3] as (typeof nodes)[0]).next[0], back);
  });

  test('refusals name the argument', () => {
    assert.throws(() => pass({ list: [1, Promise.resolve()] }, 'thread'), {
      name: 'CaptureError',
      message:
        "`item 3.list[1]` can't go to a thread: it is a Promise, which can't leave this process. " +
        'Await it first, and pass what it gives.',
    });
  });
});

describe('refusals', () => {
  test('say what, the way to it, the line, and what to do instead', () => {
    const { Socket } = require('node:net') as typeof import('node:net');
    const socket = new Socket();
    const send = (text: string) => {
      socket.write(text);
    };
    const divisors = (n: number) => send(String(n));
    assert.equal(
      refusal(divisors),
      "`divisors` can't run on a thread: it uses `socket` (divisors → send → socket), a Socket, which can't leave this " +
        'process. Open it in the worker with `init`, or pass what it says instead.\n' +
        '  line 2 of `send`: socket.write(text);',
    );
  });

  test('of assignments name the variable', () => {
    let count = 0;
    const add = () => {
      count += 1;
    };
    assert.equal(
      refusal(() => add(), { name: 'fn', target: 'process' }),
      "`fn` can't run on a process: `add` (fn → add) assigns to `count`, a variable of the notebook. The worker would " +
        "only change its own copy. Return the value instead, keep a worker's own state in `init`, or count with " +
        'Atomics on a SharedArrayBuffer.\n  line 2 of `add`: count += 1;',
    );
    assert.equal(count, 0);
  });

  test('of a constant that has no value yet', () => {
    const fn = () => late + 1;
    assert.match(
      refusal(fn),
      /uses `late`, which has no value yet\. Start the run below the line that declares `late`/,
    );
    const late = 4;
    assert.equal(revive(fn)(), 5);
  });

  test('come before anything of the reader runs', () => {
    const calls: string[] = [];
    const call = <T>(name: string, gives: T): T => {
      calls.push(name);
      return gives;
    };
    const value = {
      get a() {
        calls.push('getter');
        return 1;
      },
      toString: () => call('toString', ''),
      toJSON: () => call('toJSON', {}),
      [Symbol.toPrimitive]: () => call('toPrimitive', 1),
      get [Symbol.toStringTag]() {
        calls.push('tag');
        return 'x';
      },
    };
    const trap = new Proxy({}, { get: () => call('trap', 1), ownKeys: () => call('trap', []) });
    class Watched {
      static [Symbol.hasInstance]() {
        calls.push('hasInstance');
        return false;
      }
      get constructor2() {
        calls.push('constructor');
        return Watched;
      }
    }
    const watched = new Watched();
    // Its own functions assign to nothing; `calls` is a list of theirs.
    refusal(() => [value, watched, trap]);
    assert.throws(() => encode([value, trap], { target: 'thread', name: 'x' }), CaptureError);
    assert.deepEqual(calls, []);
  });

  test('what is no function', () => {
    assert.throws(() => capture('x' as never, { target: 'thread' }), {
      message: /Expected a function to run on a thread, got string/,
    });
    assert.match(
      refusal(Math.max.bind(null) as AnyFunction, { name: 'fn' }),
      /`fn` can't run on a thread: it is a bound function/,
    );
    assert.match(refusal(new Proxy(() => 1, {}), { name: 'fn' }), /it is a Proxy/);
  });

  test('without an inspector there is a sentence', () => {
    const program = `
      const Module = require('node:module');
      const load = Module._load;
      Module._load = (id, ...rest) => {
        if (id === 'node:inspector') throw Object.assign(new Error('Inspector is not available'), { code: 'ERR_INSPECTOR_NOT_AVAILABLE' });
        return load(id, ...rest);
      };
      const { capture } = require('#src/helper/closure/index');
      const k = 1;
      try { capture(() => k, { target: 'thread' }) } catch (error) { console.log(error.name, error.message) }`;
    const output = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.match(
      output,
      /^CaptureError Can't see which variables a function uses: this Node gives no access to its inspector/,
    );
  });

  test('a global that was there before the package is the reader’s all the same', () => {
    const program = `
      globalThis.mine = { a: 4 };
      const { capture, Reviver } = require('#src/helper/closure/index');
      const { id, parts } = capture(() => mine.a, { target: 'thread' });
      delete globalThis.mine;
      const reviver = new Reviver({ base: process.cwd() });
      for (const part of parts) reviver.add(part);
      console.log(reviver.revive(id)());`;
    assert.equal(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }).trim(), '4');
  });

  test('a process that is debugged captures like any other', () => {
    const program = `
      const { capture } = require('#src/helper/closure/index');
      const k = 1;
      console.log(capture(() => k, { target: 'thread' }).parts.length);`;
    const output = execFileSync(process.execPath, ['--inspect=0', '-e', program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.equal(output.trim(), '2');
  });
});
