import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import * as workerpool from 'workerpool';
import type { Capture } from '../closure';
import { WorkerLostError } from '../errors';
import { inNotebook } from '../notebook';
import { abandon } from '../sync';
import type { Aside, BatchMessage, DoneMessage, Hello } from './protocol';

export interface HandleOptions {
  readonly kind: 'thread' | 'process';
  readonly name: string;
  readonly memoryMb: number | undefined;
  readonly init: Capture | undefined;
  /** A batch is waiting for it; with `init` that must wait anyway. */
  readonly hurry?: boolean;
}

export interface HandleEvents {
  /** It can take batches. */
  up(): void;
  /** `init` failed there; `error` as `encode` made it. */
  refused(error: unknown): void;
  /** It could not be started. */
  broken(error: unknown): void;
  aside(message: Aside): void;
  /** A process printed past its own streams. */
  printed(text: string): void;
  /** It has ended, and not because of `kill`. */
  ended(reason: Error): void;
}

/** What a batch message says, but for what depends on the worker. */
export type BatchOrder = Omit<BatchMessage, 'lane' | 'fn' | 'parts' | 'forgetParts' | 'forgetRuns'>;

/** workerpool has no public way to its worker; this is what we reach in for (version 10.0.3, pinned). */
interface Handler {
  readonly worker: Worker | ChildProcess;
  exec(method: string, params: unknown[], resolver: undefined, options: object): PromiseLike<unknown>;
}
interface PoolOfOne {
  readonly workers: Handler[];
  exec(method: string, params: unknown[]): PromiseLike<unknown>;
  terminate(force: boolean): PromiseLike<unknown>;
  /** Gives its debug port free at once. */
  _removeWorker(handler: Handler): unknown;
}

/** More code and values than this are not kept on a worker for runs to come. */
const MOST_PARTS = 256;

/**
 * One worker and what it has been sent: a workerpool of one, so that it is known who ran what, and a crash stays where
 * it is. Messages go in and out as they are; nothing of them is decoded here.
 */
export class WorkerHandle {
  #gone = false;
  #ready = false;
  readonly #pool: PoolOfOne;
  readonly #handler: Handler;
  readonly #worker: Worker | ChildProcess;
  readonly #options: HandleOptions;
  #name: string;
  #events: HandleEvents;
  readonly #parts = new Set<string>();
  readonly #endedRuns: number[] = [];
  /** The last words of the process itself, such as V8's on running out of memory. */
  #lastWords = '';

  constructor(options: HandleOptions, events: HandleEvents) {
    this.#options = options;
    this.#name = options.name;
    this.#events = events;
    const { kind, memoryMb } = options;
    this.#pool = workerpool.pool(join(__dirname, 'worker.js'), {
      maxWorkers: 1,
      workerType: kind,
      // 0 would mean a second. A worker that has to go is killed by us; this is only workerpool's book-keeping.
      workerTerminateTimeout: 1,
      // Threads print through their messages; a process may also print natively.
      emitStdStreams: kind === 'process',
      workerThreadOpts:
        memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } },
      forkOpts: {
        // Without it Map, NaN and typed arrays are lost on the way.
        serialization: 'advanced',
        execArgv: memoryMb === undefined ? [] : [`--max-old-space-size=${memoryMb}`],
      },
    }) as unknown as PoolOfOne;
    const hello: Hello = {
      lane: options.name,
      base: process.cwd(),
      hurry: (options.hurry ?? false) && !options.init,
      init: options.init,
    };
    const greeted = this.#pool.exec('hello', [hello]) as PromiseLike<{ error: unknown } | undefined>;
    this.#handler = this.#pool.workers[0]!;
    this.#worker = this.#handler.worker;
    this.#listen();
    greeted.then(
      (answer) => {
        if (this.#gone) return;
        if (answer?.error) {
          this.#events.refused(answer.error);
          return;
        }
        this.#ready = true;
        for (const part of options.init?.parts ?? []) this.#parts.add(part.id);
        this.#events.up();
      },
      (error: unknown) => {
        if (!this.#gone && !WorkerHandle.isEnd(error)) this.#events.broken(error);
      },
    );
  }

  /** workerpool's way to say that the worker has ended. */
  static isEnd(error: unknown): boolean {
    return error instanceof workerpool.TerminateError;
  }

  get name(): string {
    return this.#name;
  }

  /** The error with which a process ended, by its own words on stderr. */
  get #thrown(): string | undefined {
    return /^(?:\w+ )?\w*(?:Error|Exception)(?: \[\w+\])?: .+$/m.exec(this.#lastWords)?.[0];
  }

  /** From now on it works for somebody else, under that name. */
  assign(name: string, events: HandleEvents): void {
    this.#name = name;
    this.#events = events;
  }

  /** It works for nobody, or is still starting for nobody. What it still says goes where its last words went. */
  rest(gone: () => void): void {
    this.#events = { ...this.#events, up: () => {}, refused: gone, broken: gone, ended: gone };
    this.keepAlive(false);
  }

  /** Up, and with what `init` gave it. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** Killed, or ended by itself. */
  get isGone(): boolean {
    return this.#gone;
  }

  get pid(): number | undefined {
    return 'pid' in this.#worker ? this.#worker.pid : undefined;
  }

  /** Sends a batch, with what the worker doesn't have yet of the function. Rejects when it could not be made there. */
  work(order: BatchOrder, fn: Capture, transfer: ArrayBuffer[] = []): PromiseLike<DoneMessage> {
    const parts = fn.parts.filter((part) => !this.#parts.has(part.id));
    const forgetParts = this.#parts.size + parts.length > MOST_PARTS ? this.#otherParts(fn) : [];
    for (const part of parts) this.#parts.add(part.id);
    for (const id of forgetParts) this.#parts.delete(id);
    const message: BatchMessage = {
      ...order,
      lane: this.#name,
      fn: fn.id,
      parts,
      forgetParts,
      forgetRuns: this.#endedRuns.splice(0),
    };
    // Past workerpool's queue, which sends a worker one task at a time: a worker may hold several waiting items.
    return this.#handler.exec('work', [message], undefined, {
      on: () => {},
      transfer,
    }) as PromiseLike<DoneMessage>;
  }

  /** Ends the worker at once, whatever it is doing. */
  kill(): void {
    if (this.#gone) return;
    this.#gone = true;
    if ('terminate' in this.#worker) void this.#worker.terminate();
    else this.#worker.kill('SIGKILL');
    // Rejects what is in flight there, by which nothing is settled any more.
    this.#pool.terminate(true).then(
      () => {},
      () => {},
    );
  }

  /** The worker need not remember this run. */
  forget(run: number): void {
    this.#endedRuns.push(run);
    if (this.#endedRuns.length > 1000) this.#endedRuns.splice(0, 500);
  }

  #listen(): void {
    const worker = this.#worker as ChildProcess;
    worker.on('message', (message: Aside) => {
      if (!this.#gone && message?.aside !== undefined) this.#events.aside(message);
    });
    if (this.#options.kind === 'process') {
      worker.stdout?.setEncoding('utf8').on('data', (text: string) => this.#events.printed(text));
      worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-4000);
      });
    }
    let cause: Error | undefined;
    const thread = 'threadId' in this.#worker ? this.#worker.threadId : undefined;
    const ended = (code: number | null, signal: string | null) => {
      // Also when it was us who ended it: nobody may wait for a lock that it held.
      if (thread !== undefined) abandon(thread);
      if (this.#gone) return;
      this.#gone = true;
      // `terminate` would wait for an exit that has been.
      this.#pool._removeWorker(this.#handler);
      this.#events.ended(this.#epitaph(code, signal, cause));
    };
    worker.on('exit', ended);
    worker.on('error', (error) => {
      cause = error;
      // A process that could not be started has no exit.
      if (this.#options.kind === 'process' && worker.pid === undefined) ended(null, null);
    });
  }

  #epitaph(code: number | null, signal: string | null, cause: Error | undefined): Error {
    const outOfMemory =
      (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY' ||
      this.#lastWords.includes('heap out of memory');
    const { memoryMb } = this.#options;
    let why = `process.exit(${code}) was called there`;
    if (outOfMemory)
      why = memoryMb ? `it needed more than ${memoryMb} MiB (memoryMb)` : 'it ran out of memory';
    else if (cause) why = `${cause.name}: ${cause.message}`;
    else if (this.#thrown) why = `it ended with ${this.#thrown}`;
    else if (signal) why = `it was ended by ${signal}`;
    return new WorkerLostError(
      `The worker "${this.name}" ended while it had this item: ${why}.`,
      cause && { cause },
    );
  }

  #otherParts(fn: Capture): string[] {
    const needed = new Set(fn.parts.map((part) => part.id));
    return [...this.#parts].filter((id) => !needed.has(id));
  }

  /**
   * A waiting program must not end under a busy worker, and an idle worker must not keep a program from ending. A
   * kernel is kept alive by its own sockets, and must be able to shut down under a busy worker.
   */
  keepAlive(isBusy: boolean): void {
    const worker = this.#worker;
    const change = isBusy && !inNotebook() ? 'ref' : 'unref';
    worker[change]();
    if ('channel' in worker) {
      worker.channel?.[change]();
      for (const stream of [worker.stdout, worker.stderr]) {
        (stream as { ref?(): void; unref?(): void } | null)?.[change]?.();
      }
    }
  }
}
