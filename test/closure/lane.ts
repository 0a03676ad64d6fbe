/** What runs in the other thread or process of these tests: revives a function, calls it, sends back what came of it. */
import { parentPort } from 'node:worker_threads';
import { decode, encode, type Part, Reviver } from '#src/helper/closure/index';

export interface Request {
  readonly call: number;
  readonly fn: string;
  readonly parts: readonly Part[];
  readonly args: unknown;
  readonly forget?: readonly string[];
}

export interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: unknown;
}

const target = parentPort ? 'thread' : 'process';
const reviver = new Reviver({ base: process.cwd() });

// Generated programs make promises nobody waits for.
process.on('unhandledRejection', () => {});

async function answer({ call, fn, parts, args, forget }: Request): Promise<Answer> {
  try {
    for (const part of parts) reviver.add(part);
    const revived = reviver.revive(fn) as (...args: unknown[]) => unknown;
    const value = await revived(...(decode(args, reviver, revived) as unknown[]));
    if (forget) reviver.forget(forget);
    return { call, value: encode(value, { target, name: 'result' }).message };
  } catch (error) {
    return { call, error: encode(error, { target, name: 'error' }).message };
  }
}

if (parentPort)
  parentPort.on('message', async (request: Request) => parentPort!.postMessage(await answer(request)));
else process.on('message', async (request: Request) => process.send!(await answer(request)));
