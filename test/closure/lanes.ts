/** A real thread and a real process to send functions to. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type AnyFunction, capture, decode, encode } from '#src/helper/closure/index';
import { keepScript } from '#src/helper/closure/script';
import { nextScriptId } from '#src/helper/closure/variables';
import type { Answer, Request } from './lane';

export type Target = 'thread' | 'process';
export const TARGETS: readonly Target[] = ['thread', 'process'];

type Send = (request: Request) => void;

/** Calls functions over there; one at a time or many at once. */
export class Lane {
  readonly target: Target;
  readonly #send: Send;
  readonly #end: () => void;
  readonly #has = new Set<string>();
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void }
  >();
  #calls = 0;
  /** Parts that were sent, in all. */
  sent = 0;

  constructor(target: Target) {
    this.target = target;
    const file = join(__dirname, 'lane.js');
    const failed = (error: unknown) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    if (target === 'thread') {
      const worker = new Worker(file);
      worker.unref();
      worker.on('message', (answer: Answer) => this.#settle(answer)).on('error', failed);
      this.#send = (request) => worker.postMessage(request);
      this.#end = () => void worker.terminate();
    } else {
      const child = fork(file, { serialization: 'advanced' });
      child.on('message', (answer: Answer) => this.#settle(answer));
      child.on('exit', (code) => failed(new Error(`The process ended with ${code}`)));
      this.#send = (request) => void child.send(request);
      this.#end = () => void child.kill();
    }
  }

  /** Captures and calls; throws what `capture` throws, at once. */
  call(fn: AnyFunction, ...args: unknown[]): Promise<unknown> {
    const { id, parts } = capture(fn, { target: this.target });
    const missing = parts.filter((part) => !this.#has.has(part.id));
    for (const part of missing) this.#has.add(part.id);
    this.sent += missing.length;
    const call = ++this.#calls;
    const { message } = encode(args, { target: this.target, name: 'argument' });
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#send({ call, fn: id, parts: missing, args: message });
    });
  }

  #settle({ call, value, error }: Answer): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (error === undefined) waiting?.resolve(decode(value));
    else waiting?.reject(decode(error));
  }

  end(): void {
    this.#end();
  }
}

/**
 * Keeps a program as the notebook's cells are kept: what is captured from it takes another way then (no questions to V8
 * about what never changes).
 */
export function keepProgram(program: string): void {
  keepScript(nextScriptId(), program);
}
