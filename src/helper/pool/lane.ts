import { type Capture, decode } from '../closure';
import { now } from '../record';
import type { Batch } from './batch';
import { WorkerHandle } from './handle';
import { giveBack, takeWorker } from './idle';
import type { Job } from './job';
import { tellLate } from './late';
import { encodeItems, fromMessage } from './message';
import type { Aside } from './protocol';

export interface LaneOptions {
  readonly kind: 'thread' | 'process';
  readonly name: string;
  readonly memoryMb: number | undefined;
  readonly init: Capture | undefined;
  /** A batch is waiting for it. */
  readonly hurry: boolean;
  /** Which idle workers it may take: see `idle.ts`. */
  readonly workerKind: string;
}

export interface LaneEvents {
  /** It can take more. */
  free(lane: Lane): void;
  /** It is gone, with the batches it had; `reason` undefined: it was stopped on purpose. */
  lost(lane: Lane, reason: Error | undefined): void;
  /** It never came up, and another try would end alike. */
  broken(lane: Lane, reason: unknown): void;
}

/** How long the loop of a lane beside the kernel keeps results back: nobody is to wait for a long item to see others. */
const HAND_OVER_MS = 5;

/** One worker of a pool, and the batches it has. */
export class Lane {
  readonly inFlight = new Map<number, { batch: Batch; sentMs: number; timer?: NodeJS.Timeout }>();
  readonly #worker: WorkerHandle;
  readonly #options: LaneOptions;
  readonly #events: LaneEvents;
  #lastJob: Job | undefined;

  constructor(options: LaneOptions, events: LaneEvents) {
    this.#options = options;
    this.#events = events;
    this.#worker = takeWorker(options.workerKind, options, {
      up: () => {
        events.free(this);
        this.#keepAlive();
      },
      refused: (error) => events.broken(this, decode(error)),
      broken: (error) => events.broken(this, error),
      aside: (message) => this.#hear(message),
      printed: (text) => this.#lastJob?.write.stdout(text),
      ended: (reason) => events.lost(this, reason),
    });
    this.#keepAlive();
  }

  get name(): string {
    return this.#options.name;
  }

  /** Up, and with what `init` gave it. */
  get isReady(): boolean {
    return this.#worker.isReady;
  }

  get pid(): number | undefined {
    return this.#worker.pid;
  }

  /** True when it can take a batch beside what it has. */
  hasRoom(concurrency: number): boolean {
    if (!this.isReady || this.#worker.isGone || this.inFlight.size >= concurrency) return false;
    for (const { batch } of this.inFlight.values()) if (batch.solo) return false;
    return true;
  }

  send(batch: Batch, fn: Capture): void {
    const { job } = batch;
    this.#lastJob = job;
    const transfer: ArrayBuffer[] = [];
    let items: unknown;
    try {
      items = encodeItems(batch, this.#options.kind, transfer);
    } catch (error) {
      // What can't travel is refused item by item, before it starts.
      queueMicrotask(() => {
        job.refuse(batch, error, this.name);
        this.#events.free(this);
      });
      return;
    }
    const sent: { batch: Batch; sentMs: number; timer?: NodeJS.Timeout } = { batch, sentMs: now() };
    this.inFlight.set(batch.id, sent);
    this.#keepAlive();
    const order = {
      run: job.id,
      batch: batch.id,
      first: batch.first,
      items,
      spread: job.spread,
      budgetMs: job.budgetMs,
      handOverMs: HAND_OVER_MS,
      prefix: job.options.prefix ?? false,
    };
    this.#worker.work(order, fn, transfer).then(
      (done) => {
        if (!this.inFlight.delete(batch.id)) return;
        clearTimeout(sent.timer);
        this.#keepAlive();
        job.settle(batch, fromMessage(done), this.name, true);
        this.#events.free(this);
      },
      (error: unknown) => {
        // A worker that ends says so by its exit. Otherwise the function could not be made over there.
        if (this.#worker.isGone || WorkerHandle.isEnd(error) || !this.inFlight.delete(batch.id)) return;
        this.#keepAlive();
        job.fail(error);
        this.#events.free(this);
      },
    );
  }

  /** Ends the worker at once, whatever it is doing. Its batches are the caller's to settle. */
  kill(): void {
    this.#worker.kill();
  }

  /** Its work is done: the worker waits for whoever needs it next. */
  release(workers: number, idleMs: number): void {
    giveBack(this.#options.workerKind, this.#worker, workers, idleMs);
  }

  /** The worker need not remember this run. */
  forget(job: Job): void {
    this.#worker.forget(job.id);
  }

  #hear(message: Aside): void {
    const batch = this.inFlight.get(message.batch)?.batch;
    if (message.aside === 'done') {
      batch?.job.settle(batch, fromMessage(message.done), this.name, false);
      return;
    }
    if (message.aside === 'late') {
      tellLate(message.from, decode(message.error));
      return;
    }
    (batch?.job ?? this.#lastJob)?.print(message, this.name);
  }

  #keepAlive(): void {
    this.#worker.keepAlive(!this.isReady || this.inFlight.size > 0);
  }
}
