/**
 * Objects of the user's that throw from wherever they are touched: as input, iterators, items, results, thrown values, reasons and options. Whatever
 * they do, each run settles, nothing is uncaught, and the pool goes on. `HOSTILE_RUNS`: how many (10,000 in the gate).
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { createPool, parmap } from 'tslab-parallel';
import { PATIENCE_MS } from '../harness/processes';

const runs = Number(process.env.HOSTILE_RUNS ?? 400);

class Hostile extends Error {}
const bang = (): never => {
  throw new Hostile('touched');
};

/** Throws from every property and every trap. */
const proxy = (target: object) =>
  new Proxy(
    target,
    Object.fromEntries(
      Object.getOwnPropertyNames(Reflect).map((trap) => [trap, bang]),
    ) as ProxyHandler<object>,
  );
const getters = (...names: (string | symbol)[]) =>
  Object.defineProperties(
    {},
    Object.fromEntries(names.map((name) => [name, { get: bang, enumerable: true }])),
  );
const hostileError = (name: string) => Object.defineProperty(new Error('mine'), name, { get: bang });

const thenable = (then: (yes: (value: unknown) => void, no: (error: unknown) => void) => void) =>
  Object.defineProperty({}, 'then', { value: then });

/** Made anew each time: a value may be used up. */
const values: Record<string, () => unknown> = {
  number: () => 1,
  nothing: () => undefined,
  proxy: () => proxy({}),
  'proxy of a function': () => proxy(() => 1),
  'proxy of an error': () => proxy(new Error('mine')),
  'proxy of a list': () => proxy([1, 2]),
  revoked: () => {
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    return revoked;
  },
  'a then that can’t be had': () => getters('then'),
  'a then that throws': () => thenable(bang),
  'a then that answers twice': () =>
    thenable((yes, no) => {
      yes(1);
      no(2);
    }),
  toJSON: () => ({ toJSON: bang }),
  'inspect, text': () => ({
    [inspect.custom]: bang,
    toString: bang,
    [Symbol.toPrimitive]: bang,
    valueOf: bang,
  }),
  tag: () =>
    getters(Symbol.toStringTag, 'constructor', 'name', 'message', 'stack', 'cause', 'length', 'size'),
  ...Object.fromEntries(
    ['message', 'name', 'stack', 'cause', 'constructor', 'index', 'item', 'errors'].map((name) => [
      `error with a ${name} that throws`,
      () => hostileError(name),
    ]),
  ),
  'frozen error': () => Object.freeze(new Error('mine')),
  'error without a prototype': () => Object.setPrototypeOf(new Error('mine'), null),
  symbol: () => Symbol('s'),
  bare: () => Object.create(null),
  cycle: () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    return cycle;
  },
};

const iterator = (fault: string) => {
  let at = 0;
  const it = {
    next: () => (at++ < 3 ? { done: false, value: at } : { done: true, value: undefined }) as unknown,
    return: () => ({ done: true, value: undefined }) as unknown,
  };
  const faults: Record<string, () => unknown> = {
    none: () => it,
    'next throws': () => ({ ...it, next: bang }),
    'next is nothing': () => ({ ...it, next: undefined }),
    'next gives a number': () => ({ ...it, next: () => 5 }),
    'done throws': () => ({ ...it, next: () => getters('done') }),
    'value throws': () => ({
      ...it,
      next: () => Object.defineProperty({ done: false }, 'value', { get: bang }),
    }),
    'return throws': () => ({ ...it, return: bang }),
    'return is a getter that throws': () => Object.defineProperty({ ...it }, 'return', { get: bang }),
    'return rejects': () => ({ ...it, return: () => Promise.reject(new Hostile('left')) }),
    'return never answers': () => ({ ...it, return: () => new Promise(() => {}) }),
    'no iterator': () => 5,
    'a proxy': () => proxy(it),
  };
  return faults[fault]!();
};
const faults = [
  'none',
  'next throws',
  'next is nothing',
  'next gives a number',
  'done throws',
  'value throws',
  'return throws',
  'return is a getter that throws',
  'return rejects',
  'return never answers',
  'no iterator',
  'a proxy',
];

const inputs: Record<string, (fault: string) => unknown> = {
  list: () => [1, 2, 3],
  'list of hostile': () => Object.values(values).map((make) => make()),
  'list with a getter': () => Object.defineProperty([1, 2, 3], 1, { get: bang }),
  'proxied list': () => proxy([1, 2, 3]),
  'list that throws at its slice': () => Object.assign([1, 2, 3], { slice: bang }),
  iterable: (fault) => ({ [Symbol.iterator]: () => iterator(fault) }),
  'async iterable': (fault) => ({ [Symbol.asyncIterator]: () => iterator(fault) }),
  'iterable that throws': () => ({ [Symbol.iterator]: bang }),
  'iterable by a getter': () => getters(Symbol.iterator, Symbol.asyncIterator),
};

const isKnown = (value: string) => value in values;
const scenario = fc.record({
  backend: fc.constantFrom('serial', 'async', 'parmap'),
  input: fc.constantFrom(...Object.keys(inputs)),
  fault: fc.constantFrom(...faults),
  returns: fc.constantFrom(...Object.keys(values).filter(isKnown)),
  how: fc.constantFrom('returns', 'throws', 'resolves', 'rejects'),
  onError: fc.constantFrom('throw', 'collect'),
  retries: fc.constantFrom(0, 1),
  keep: fc.boolean(),
  act: fc.constantFrom('await', 'read', 'leave', 'cancel', 'abort'),
  reason: fc.constantFrom(...Object.keys(values)),
});

async function settles(backend: string, one: Omit<Parameters<typeof play>[1], never>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it never settled')), PATIENCE_MS);
  });
  await Promise.race([play(backend, one), late]).finally(() => clearTimeout(timer));
}

async function play(
  backend: string,
  one: {
    input: string;
    fault: string;
    returns: string;
    how: string;
    onError: string;
    retries: number;
    keep: boolean;
    act: string;
    reason: string;
  },
): Promise<void> {
  const items = inputs[one.input]!(one.fault) as Iterable<unknown>;
  const controller = new AbortController();
  const fn = () => {
    const value = values[one.returns]!();
    if (one.how === 'throws') throw value;
    if (one.how === 'rejects') return Promise.reject(value);
    return one.how === 'resolves' ? Promise.resolve(1).then(() => value) : value;
  };
  const options = {
    onError: one.onError as 'throw',
    retries: one.retries,
    keep: one.keep,
    signal: controller.signal,
    progress: false,
  };
  let run: ReturnType<typeof parmap<unknown, unknown>>;
  try {
    run =
      backend === 'parmap'
        ? parmap(items, fn, options)
        : createPool(backend as 'serial').map(items, fn, options);
  } catch {
    return; // refused, by whatever the object threw
  }
  if (one.act === 'cancel') run.cancel(values[one.reason]!());
  if (one.act === 'abort') controller.abort(values[one.reason]!());
  if (one.act === 'read' || one.act === 'leave') {
    try {
      for await (const _ of run.completed()) if (one.act === 'leave') break;
    } catch {
      // the run's own failure
    }
  }
  await run.then(
    () => {},
    () => {},
  );
  inspect(run);
  JSON.stringify(run.record);
}

suite('objects that throw from wherever they are touched', () => {
  const uncaught: unknown[] = [];
  const caught = (error: unknown) => uncaught.push(error);

  test(`${runs} runs in the kernel settle`, async () => {
    process.on('uncaughtException', caught).on('unhandledRejection', caught);
    try {
      await fc.assert(
        fc.asyncProperty(scenario, ({ backend, ...one }) => settles(backend, one)),
        { numRuns: runs, endOnFailure: true },
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(uncaught, []);
    } finally {
      process.off('uncaughtException', caught).off('unhandledRejection', caught);
    }
  });

  for (const backend of ['thread', 'process'] as const) {
    test(`what is hostile about the input is so for ${backend}, too`, async () => {
      process.on('uncaughtException', caught).on('unhandledRejection', caught);
      const pool = createPool(backend, { workers: 2 });
      try {
        for (const input of Object.keys(inputs)) {
          for (const fault of /iterable$/.test(input) ? faults : ['none']) {
            for (const act of ['await', 'leave', 'cancel']) {
              let run: ReturnType<typeof pool.map<unknown, unknown>>;
              try {
                run = pool.map(inputs[input]!(fault) as Iterable<unknown>, (item) => typeof item, {
                  onError: 'collect',
                });
              } catch {
                continue;
              }
              if (act === 'cancel') run.cancel();
              if (act === 'leave') {
                try {
                  for await (const _ of run.completed()) break;
                } catch {
                  // the run's own failure
                }
              }
              const late = new Promise((_, reject) => {
                setTimeout(
                  () => reject(new Error(`${input}, ${fault}, ${act} never settled`)),
                  PATIENCE_MS,
                ).unref();
              });
              await Promise.race([run.catch(() => {}), late]);
            }
          }
        }
        assert.deepEqual(await pool.map([1, 2], (n) => n + 1), [2, 3], 'the pool goes on');
        assert.deepEqual(uncaught, []);
      } finally {
        process.off('uncaughtException', caught).off('unhandledRejection', caught);
        await pool.close();
      }
    });
  }
});

for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
  test(`a list that changes while a run reads it is an error, not a hang: ${backend}`, async () => {
    const wait = async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return n;
    };
    const pool = createPool(backend, { workers: 2 });
    const list = Array.from({ length: 100 }, (_, n) => n);
    const run = pool.map(list, wait, { chunkSize: 2 });
    list.length = 3;
    await assert.rejects(
      pool.map(list, wait).then(() => run),
      /The list of items had 100 items when the run began and has 3 now/,
    );
    const numbers = Float64Array.from({ length: 1000 }, (_, n) => n);
    const detached = pool.map(numbers, wait, { chunkSize: 2 });
    structuredClone(numbers, { transfer: [numbers.buffer] });
    await assert.rejects(detached, /had 1000 items when the run began and has 0 now/);
  });
}

test('parmap: a list that its own function shortens, in whatever stretch', async () => {
  for (const length of [100, 100_000]) {
    for (const when of [0, 5, length - 1]) {
      const list = Array.from({ length }, (_, n) => n);
      const run = parmap(list, (n) => {
        if (n === when) list.length = 3;
        return n;
      });
      // On a thread it is the thread's own list that gets shorter, and ours gives all its items.
      const [outcome] = await Promise.allSettled([run]);
      if (outcome.status === 'rejected') {
        assert.match(
          String(outcome.reason),
          new RegExp(`had ${length} items when the run began and has 3 now`),
        );
      } else {
        assert.equal(run.record.backend, 'thread', 'in the kernel it is an error');
        assert.ok(outcome.value.length === length && outcome.value.every((value, n) => value === n));
      }
    }
  }
});

test('parmap: a list that is shortened between two stretches', async () => {
  const list: unknown[] = Array.from({ length: 1_000_000 }, (_, n) => ({ n }));
  const seen = new WeakSet<object>(); // can't travel, so all of it stays in the kernel
  let strays = 0;
  const run = parmap(list, (item) => {
    if (item === undefined) strays++;
    else seen.add(item as object);
  });
  const settled = run.then(
    () => 'all were done before',
    (error: Error) => error.message,
  );
  await new Promise((resolve) => setImmediate(resolve));
  list.length = 3;
  assert.match(await settled, /had 1000000 items when the run began and has 3 now/);
  assert.equal(strays, 0, 'no item is made up');
});

test('times longer than Node’s timers can be are no time-outs at once', async () => {
  const wait = () => new Promise((resolve) => setTimeout(() => resolve(1), 20));
  for (const backend of ['serial', 'async', 'thread'] as const) {
    const pool = createPool(backend, { workers: 1, idleMs: 2 ** 40 });
    assert.deepEqual(await pool.map([1, 2], wait, { timeoutMs: 2 ** 33 }), [1, 1]);
    await pool.close();
  }
});
