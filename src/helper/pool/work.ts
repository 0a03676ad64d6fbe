/** What a worker does, thread or process: takes batches, calls the notebook's function. `worker.ts` loads it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'node:util';
import { isMainThread, Worker } from 'node:worker_threads';
import { decode, encode, Reviver } from '../closure/worker';
import { ownChannel } from './channel';
import { type Done, isThenable, type Pace, runBatch } from './loop';
import { type Aside, type BatchMessage, type DoneMessage, type Hello, plain } from './protocol';
import { checkSize } from './size';

const Transfer = require('workerpool/src/transfer') as new (
  message: unknown,
  transfer: ArrayBuffer[],
) => object;

type Call = (...args: unknown[]) => unknown;

const target = isMainThread ? 'process' : 'thread';
let reviver: Reviver;
let context: { lane: string; local: unknown; signal: AbortSignal };
/** Each run has its own copy of the function and of what it captured, as it would have in the kernel. */
const runs = new Map<number, { call: Call; pace: Pace }>();
let printing = 0;
let isPrefixed = false;

/** Items from whose code something comes: a print, a timer, a promise. */
interface Origin {
  readonly run: number;
  readonly item: number;
  /** More than one where they are too short to be told apart. */
  readonly count: number;
}
const origin = new AsyncLocalStorage<Origin>();
/** Items that wait, and how each can be made to fail. */
const waiting = new Map<Origin, (error: unknown) => void>();

const send = ownChannel(() => origin.getStore() !== undefined);

function say(aside: Aside, transfer: ArrayBuffer[] = []): void {
  send(aside, transfer);
}

/** What nobody caught: a timer's, a promise's, an event handler's. It is its own item's failure, and if that has been answered nobody's. */
function late(error: unknown): void {
  const from = origin.getStore();
  const fail = from && waiting.get(from);
  if (fail) fail(error);
  else say({ aside: 'late', batch: printing, from, error: encodeError(error) });
}
process.on('uncaughtException', late);
process.on('unhandledRejection', late);

/** Calls for one item; what it leaves behind can be traced to it. */
function traced(call: () => unknown, from: Origin): unknown {
  return origin.run(from, () => {
    const value = call();
    if (!isThenable(value)) return value;
    return new Promise((resolve, reject) => {
      waiting.set(from, reject);
      value.then(resolve, reject);
    }).finally(() => waiting.delete(from));
  });
}

export async function hello(message: Hello): Promise<unknown> {
  reviver = new Reviver({ base: message.base });
  const signal = new AbortController().signal;
  context = { lane: message.lane, local: undefined, signal };
  if (!message.init) return undefined;
  try {
    for (const part of message.init.parts) reviver.add(part);
    const init = reviver.revive(message.init.id) as Call;
    context.local = await origin.run({ run: 0, item: 0, count: 0 }, init);
    return undefined;
  } catch (error) {
    return { error: encodeError(error) };
  }
}

export async function work(message: BatchMessage): Promise<unknown> {
  printing = message.batch;
  isPrefixed = message.prefix;
  context.lane = message.lane;
  for (const run of message.forgetRuns) runs.delete(run);
  if (message.forgetParts.length > 0) reviver.forget(message.forgetParts);
  for (const part of message.parts) reviver.add(part);

  let run = runs.get(message.run);
  if (!run) {
    run = { call: reviver.revive(message.fn) as Call, pace: { group: 1 } };
    runs.set(message.run, run);
  }
  const { call, pace } = run;
  const items = (
    message.items instanceof Float64Array ? message.items : decode(message.items, reviver, call)
  ) as ArrayLike<unknown>;
  const callOne: (item: unknown, offset: number) => unknown = message.spread
    ? (args) => call(...(args as unknown[]))
    : items instanceof Float64Array
      ? (item, offset) => call(plain(item as number), message.first + offset, context)
      : (item, offset) => call(item, message.first + offset, context);
  const { first } = message;
  const callTraced = (item: unknown, offset: number) =>
    traced(() => callOne(item, offset), { run: message.run, item: first + offset, count: 1 });
  const whole = { run: message.run, item: first, count: items.length };
  const done = await origin.run(whole, () =>
    runBatch(
      items,
      message.prefix ? callTraced : callOne,
      pace,
      message,
      (part) => {
        const transfer: ArrayBuffer[] = [];
        say({ aside: 'done', batch: message.batch, done: toMessage(part, transfer) }, transfer);
      },
      callTraced,
    ),
  );
  const transfer: ArrayBuffer[] = [];
  const reply = toMessage(done, transfer);
  return target === 'thread' ? new Transfer(reply, transfer) : reply;
}

function toMessage(done: Done, transfer: ArrayBuffer[]): DoneMessage {
  const failures: [number, unknown][] = [];
  for (const [offset, error] of done.failures) failures.push([offset, encodeError(error)]);
  transfer.push(done.spans.buffer as ArrayBuffer);
  return {
    offset: done.offset,
    count: done.count,
    end: done.end,
    values: encodeValues(done, failures, transfer),
    failures,
    spans: done.spans,
  };
}

const RESULT = { target, name: 'result', isBack: true } as const;

/** A result that can't travel is its own item's failure, not its neighbours'. */
function encodeValues(done: Done, failures: [number, unknown][], transfer: ArrayBuffer[]): unknown {
  if (done.values instanceof Float64Array) {
    transfer.push(done.values.buffer as ArrayBuffer);
    return done.values;
  }
  try {
    if (target === 'process') checkSize(done.values, 'The result');
    const encoded = encode(done.values, RESULT);
    transfer.push(...encoded.transfer);
    return encoded.message;
  } catch {
    for (const [at, value] of done.values.entries()) {
      try {
        if (target === 'process') checkSize(value, 'The result');
        encode(value, RESULT);
      } catch (error) {
        done.values[at] = undefined;
        failures.push([done.offset + at, encodeError(error)]);
      }
    }
    return encode(done.values, RESULT).message;
  }
}

/** An error may hold what can't travel, or be something whose getters throw: then its words travel. */
function encodeError(error: unknown): unknown {
  try {
    return encode(error, { target, name: 'error' }).message;
  } catch {
    let text: string;
    try {
      text = error instanceof Error ? `${error.name}: ${error.message}` : format('%s', error);
    } catch {
      text = 'an error that could not be read';
    }
    return encode(new Error(text), { target, name: 'error' }).message;
  }
}

// What is printed goes with the answers, so that it can't arrive after them, nor be lost with the worker.
for (const stream of ['stdout', 'stderr'] as const) {
  process[stream].write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    say({
      aside: 'print',
      batch: printing,
      stream,
      text,
      item: isPrefixed ? origin.getStore()?.item : undefined,
    });
    const callback = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined;
    if (callback) process.nextTick(callback);
    return true;
  }) as typeof process.stdout.write;
}

if (isMainThread) {
  // The stop button signals the whole process group; what it means is the kernel's to say.
  process.on('SIGINT', () => {});
  // A busy process can't notice that its kernel was killed: a thread of its own looks after that.
  const watch = `const parent = ${process.ppid};
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 200);`;
  new Worker(watch, { eval: true }).unref();
}
