import { type AnyFunction, type Capture, capture } from '../closure';
import { TimeoutError } from '../errors';
import { after } from '../timer';
import type { Batch, JobHost } from './batch';
import { hasIdle, kindOf } from './idle';
import type { Job } from './job';
import { Lane } from './lane';
import type { CheckedPoolOptions } from './options';

/** A worker that can't start is tried so many times in a row. */
const MOST_STARTS = 3;

/** The thread and process backends: lanes that come when there is work and leave when there is none. */
export class Workers implements JobHost {
  readonly packsNumbers = true;
  readonly #lanes = new Map<number, Lane>();
  /** Jobs with something to hand out, served in turn. */
  readonly #jobs = new Map<Job, Capture>();
  readonly #init: Capture | undefined;
  readonly #kind: string;
  /** Who waits for all lanes to be up. */
  readonly #waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = [];
  #turn = 0;
  #failedStarts = 0;

  constructor(
    readonly backend: 'thread' | 'process',
    readonly options: CheckedPoolOptions<unknown>,
  ) {
    this.#init = options.init && capture(options.init, { target: backend, name: 'init' });
    this.#kind = kindOf(backend, options.memoryMb, this.#init);
  }

  get workers(): number {
    return this.options.workers;
  }

  /** A worker is ready to begin at once. */
  get isUp(): boolean {
    return hasIdle(this.#kind) || [...this.#lanes.values()].some((lane) => lane.isReady);
  }

  /** What the job's function uses, read now: refused here if it can't travel. */
  prepare(fn: AnyFunction): Capture {
    return capture(fn, { target: this.backend });
  }

  start(job: Job, fn: Capture): void {
    this.#jobs.set(job, fn);
    this.wake();
  }

  wake(): void {
    for (const lane of this.#lanes.values()) this.#feed(lane);
    this.#hire();
    this.#release();
  }

  /** More lanes, as long as there is work that no lane has room for. */
  #hire(): void {
    while (this.#lanes.size < this.options.workers) {
      let starting = 0;
      for (const lane of this.#lanes.values()) if (!lane.isReady) starting++;
      let wanted = 0;
      for (const job of this.#jobs.keys()) wanted += job.waitingItems;
      if (wanted <= starting && this.#lanes.size > 0) return;
      if (this.#jobs.size === 0) return;
      // A time limit runs from when the worker has the item: then it must be whole before.
      this.#open([...this.#jobs.keys()].every((job) => job.options.timeoutMs === undefined));
    }
  }

  /** @param hurry a batch is waiting for it */
  #open(hurry = false): void {
    let number = 1;
    while (this.#lanes.has(number)) number++;
    const lane = new Lane(
      {
        kind: this.backend,
        name: `${this.backend} ${number}`,
        memoryMb: this.options.memoryMb,
        init: this.#init,
        hurry,
        workerKind: this.#kind,
      },
      {
        free: () => {
          this.#failedStarts = 0;
          this.#tellIfReady();
          this.wake();
        },
        lost: (_lane, reason) => {
          this.#lanes.delete(number);
          if (!lane.isReady && ++this.#failedStarts >= MOST_STARTS) this.#giveUp(reason);
          this.#settleLost(lane, reason, undefined);
          if (this.#waiting.length > 0) this.#open();
          this.wake();
        },
        broken: (_lane, reason) => {
          this.#lanes.delete(number);
          lane.kill();
          this.#giveUp(reason);
        },
      },
    );
    this.#lanes.set(number, lane);
    if (lane.isReady) this.#feed(lane);
  }

  /** All lanes up. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      while (this.#lanes.size < this.options.workers) this.#open();
      this.#tellIfReady();
    });
  }

  #tellIfReady(): void {
    const { size } = this.#lanes;
    if (size < this.options.workers || ![...this.#lanes.values()].every((lane) => lane.isReady)) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#release();
  }

  #giveUp(reason: unknown): void {
    this.#failedStarts = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    for (const job of [...this.#jobs.keys()]) job.fail(reason);
  }

  #feed(lane: Lane): void {
    while (lane.hasRoom(this.options.concurrency)) {
      const batch = this.#next(lane.inFlight.size === 0);
      if (!batch) return;
      lane.send(batch, this.#jobs.get(batch.job)!);
      this.#time(lane, batch);
    }
  }

  /** Jobs take turns, so that a short run isn't kept waiting by a long one of the same pool. */
  #next(idle: boolean): Batch | undefined {
    const jobs = [...this.#jobs.keys()];
    for (let tried = 0; tried < jobs.length; tried++) {
      const job = jobs[this.#turn++ % jobs.length]!;
      const batch = job.take(idle);
      if (batch) return batch;
    }
    return undefined;
  }

  /** `timeoutMs`: from when a worker that is up gets the item. */
  #time(lane: Lane, batch: Batch): void {
    const { timeoutMs } = batch.job.options;
    const sent = lane.inFlight.get(batch.id);
    if (!sent || timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return;
    sent.timer = after(timeoutMs, () => {
      if (!lane.inFlight.has(batch.id)) return;
      this.#remove(lane);
      const error = new TimeoutError(`It took longer than ${timeoutMs} ms (timeoutMs) on "${lane.name}".`);
      this.#settleLost(lane, error, batch);
      this.wake();
    });
  }

  #remove(lane: Lane): void {
    for (const [number, other] of this.#lanes) if (other === lane) this.#lanes.delete(number);
    lane.kill();
  }

  /** @param guilty the one batch to blame, where that is known; else it is found out */
  #settleLost(lane: Lane, reason: Error | undefined, guilty: Batch | undefined): void {
    const lost = [...lane.inFlight.values()];
    lane.inFlight.clear();
    for (const { batch, sentMs, timer } of lost) {
      clearTimeout(timer);
      const alone = guilty === batch || (guilty === undefined && lost.length === 1);
      const blameless = reason === undefined || (guilty !== undefined && guilty !== batch);
      batch.job.lost(batch, reason, lane.name, alone, sentMs, blameless);
    }
  }

  stopped(job: Job, graceMs: number): void {
    this.#jobs.delete(job);
    for (const lane of this.#lanes.values()) {
      lane.forget(job);
      for (const { batch, sentMs } of lane.inFlight.values()) {
        if (batch.job === job) job.cutOff(batch, lane.name, sentMs);
      }
    }
    const kill = () => {
      for (const lane of [...this.#lanes.values()]) {
        if (![...lane.inFlight.values()].some(({ batch }) => batch.job === job)) continue;
        this.#remove(lane);
        // Other runs' items on that lane simply run again.
        this.#settleLost(lane, undefined, undefined);
      }
      this.wake();
    };
    if (graceMs === 0) kill();
    else setTimeout(kill, graceMs);
  }

  /** What has nothing to do belongs to everybody: see `idle.ts`. */
  #release(): void {
    if (this.#jobs.size > 0 || this.#waiting.length > 0) return;
    for (const [number, lane] of this.#lanes) {
      if (lane.inFlight.size > 0) continue;
      this.#lanes.delete(number);
      lane.release(this.options.workers, this.options.idleMs);
    }
  }

  close(): void {
    this.#release();
    // At something that nobody waits for.
    for (const lane of [...this.#lanes.values()]) this.#remove(lane);
  }
}
