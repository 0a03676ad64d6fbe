import type { Capture } from '../helper/closure';
import { encode } from '../helper/closure';
import type { BatchOrder } from '../helper/pool/handle';
import { WorkerHandle } from '../helper/pool/handle';
import type { Aside, DoneMessage } from '../helper/pool/protocol';
import { now } from '../helper/record';
import { after } from '../helper/timer';
import { type PoolSpec, pack, type Reply } from './messages';

type End = Reply['end'];

/** A batch on its way through one of the machine's workers. */
export interface Task {
  readonly run: string;
  readonly pool: PoolSpec;
  readonly fn: Capture;
  readonly order: BatchOrder;
  readonly timeoutMs: number | undefined;
  readonly solo: boolean;
  began(lane: string, startMs: number): void;
  aside(aside: Aside): void;
  ended(end: End): void;
}

interface Place {
  readonly number: number;
  readonly pool: PoolSpec;
  readonly worker: WorkerHandle;
  readonly tasks: Map<number, { task: Task; timer?: NodeJS.Timeout }>;
  lastTask: Task | undefined;
  idleSince: number;
  /** Runs that the worker has a function for, by their number there. */
  readonly runs: Map<string, number>;
}

/** A worker that can't start is tried so many times in a row. */
const MOST_STARTS = 3;

/**
 * A machine's own workers: processes, so that what an item does to its worker stays there, and computing never keeps
 * the machine from telling Redis that it is alive. A worker serves one pool at a time: pools share nothing.
 */
export class Crew {
  readonly #places = new Map<number, Place>();
  readonly #waiting: Task[] = [];
  /** Who waits for all workers of a pool. */
  readonly #readies: { pool: PoolSpec; done: (error?: unknown) => void }[] = [];
  readonly #leaving: NodeJS.Timeout;
  #failedStarts = 0;
  #last = 0;
  #closed = false;

  /** @param prefix of the lanes' names: `host/process` */
  constructor(
    readonly size: number,
    readonly prefix: string,
  ) {
    this.#leaving = setInterval(() => this.#dismissIdle(), 500);
  }

  take(task: Task): void {
    this.#waiting.push(task);
    this.#assign();
  }

  /** All workers up for this pool. */
  ready(pool: PoolSpec): Promise<unknown> {
    return new Promise((resolve) => {
      this.#readies.push({ pool, done: resolve });
      for (let place = this.#roomFor(pool); place; place = this.#roomFor(pool)) this.#open(place, pool);
      this.#tellIfReady();
    });
  }

  /** Ends the work on a run at once. */
  stop(run: string): void {
    const mine = (task: Task) => task.run === run;
    for (const task of this.#waiting.filter(mine)) {
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      task.ended({ how: 'gone' });
    }
    for (const place of [...this.#places.values()]) {
      const number = place.runs.get(run);
      if (number !== undefined) place.worker.forget(number);
      place.runs.delete(run);
      const tasks = [...place.tasks.values()];
      if (!tasks.some(({ task }) => mine(task))) continue;
      this.#end(place, ({ task }) =>
        task.ended(mine(task) ? { how: 'gone' } : { how: 'lost', late: false, message: '', alone: false }),
      );
    }
    this.#assign();
  }

  /** The pool is closed, or its kernel is gone. */
  leave(pool: string): void {
    for (const place of [...this.#places.values()]) {
      if (place.pool.id === pool && place.tasks.size === 0) this.#end(place, () => {});
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#leaving);
    for (const place of [...this.#places.values()]) this.#end(place, () => {});
  }

  #assign(): void {
    for (const task of [...this.#waiting]) {
      const place = this.#placeFor(task);
      if (!place) continue;
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      this.#give(place, task);
    }
  }

  /** The least busy worker of the task's pool that is up; one is started where there is none with nothing to do. */
  #placeFor(task: Task): Place | undefined {
    let best: Place | undefined;
    let starting = 0;
    for (const place of this.#places.values()) {
      if (place.pool.id !== task.pool.id) continue;
      if (!place.worker.isReady) {
        starting++;
        continue;
      }
      const { size } = place.tasks;
      if (size >= task.pool.concurrency || (task.solo && size > 0)) continue;
      if ([...place.tasks.values()].some((one) => one.task.solo)) continue;
      if (!best || size < best.tasks.size) best = place;
    }
    if (best?.tasks.size === 0) return best;
    const wanted = this.#waiting.filter(({ pool }) => pool.id === task.pool.id).length;
    if (starting < wanted) {
      const number = this.#roomFor(task.pool);
      if (number) this.#open(number, task.pool);
    }
    // Where a worker comes up in a moment, nobody is to be crowded.
    return starting > 0 ? undefined : best;
  }

  /** The number of a free place, made free of a worker that another pool doesn't need now. */
  #roomFor(pool: PoolSpec): number | undefined {
    for (let number = 1; number <= this.size; number++) if (!this.#places.has(number)) return number;
    for (const place of this.#places.values()) {
      if (place.pool.id === pool.id || place.tasks.size > 0 || !place.worker.isReady) continue;
      this.#end(place, () => {});
      return place.number;
    }
    return undefined;
  }

  #open(number: number, pool: PoolSpec): void {
    const name = `${this.prefix}/${number}`;
    const worker = new WorkerHandle(
      { kind: 'process', name, memoryMb: pool.memoryMb, init: pool.init },
      {
        up: () => {
          this.#failedStarts = 0;
          place.idleSince = now();
          this.#tellIfReady();
          this.#assign();
        },
        refused: (error) => this.#giveUp(place, error),
        broken: (error) => this.#giveUp(place, encodeError(error)),
        aside: (aside) => place.tasks.get(aside.batch)?.task.aside(aside),
        printed: (text) =>
          place.lastTask?.aside({ aside: 'print', batch: 0, stream: 'stdout', text, item: undefined }),
        ended: (reason) => {
          this.#places.delete(number);
          if (!worker.isReady && ++this.#failedStarts >= MOST_STARTS) {
            this.#giveUp(place, encodeError(reason));
            return;
          }
          const alone = place.tasks.size === 1;
          for (const { task, timer } of place.tasks.values()) {
            clearTimeout(timer);
            task.ended({ how: 'lost', late: false, message: reason.message, alone });
          }
          this.#assign();
        },
      },
    );
    const place: Place = {
      number,
      pool,
      worker,
      tasks: new Map(),
      lastTask: undefined,
      idleSince: now(),
      runs: new Map(),
    };
    this.#places.set(number, place);
  }

  #give(place: Place, task: Task): void {
    const { worker } = place;
    // The same batch may be here twice, when Redis had thought it lost.
    const batch = ++this.#last;
    const entry: { task: Task; timer?: NodeJS.Timeout } = { task };
    place.tasks.set(batch, entry);
    place.lastTask = task;
    place.runs.set(task.run, task.order.run);
    const { timeoutMs } = task;
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      entry.timer = after(timeoutMs, () => {
        const message = `It took longer than ${timeoutMs} ms (timeoutMs) on "${worker.name}".`;
        this.#end(place, (one) =>
          one.task.ended(
            one === entry
              ? { how: 'lost', late: true, message, alone: true }
              : { how: 'lost', late: false, message: '', alone: false },
          ),
        );
        this.#assign();
      });
    }
    task.began(worker.name, now());
    const through = (end: End) => {
      if (!place.tasks.delete(batch)) return;
      clearTimeout(entry.timer);
      place.idleSince = now();
      task.ended(end);
      this.#assign();
    };
    worker.work({ ...task.order, batch }, task.fn).then(
      (done: DoneMessage) => through({ how: 'done', done: pack(done) }),
      (error: unknown) => {
        if (worker.isGone || WorkerHandle.isEnd(error)) return;
        through({ how: 'broken', error: encodeError(error) });
      },
    );
  }

  /** Ends the worker and, each in its own way, what it had. */
  #end(place: Place, each: (entry: { task: Task; timer?: NodeJS.Timeout }) => void): void {
    this.#places.delete(place.number);
    place.worker.kill();
    for (const entry of place.tasks.values()) {
      clearTimeout(entry.timer);
      each(entry);
    }
    place.tasks.clear();
  }

  /** Another try would end alike: whoever waits for such a worker is told why. */
  #giveUp(place: Place, error: unknown): void {
    this.#failedStarts = 0;
    this.#end(place, () => {});
    for (const task of this.#waiting.filter(({ pool }) => pool.id === place.pool.id)) {
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      task.ended({ how: 'broken', error });
    }
    for (const one of this.#readies.filter(({ pool }) => pool.id === place.pool.id)) {
      this.#readies.splice(this.#readies.indexOf(one), 1);
      one.done(error);
    }
    this.#assign();
  }

  #tellIfReady(): void {
    for (const one of [...this.#readies]) {
      const mine = [...this.#places.values()].filter(({ pool }) => pool.id === one.pool.id);
      // Places that work for another pool are not there to be had.
      if (mine.length === 0 || !mine.every(({ worker }) => worker.isReady)) continue;
      this.#readies.splice(this.#readies.indexOf(one), 1);
      one.done();
    }
  }

  #dismissIdle(): void {
    if (this.#closed) return;
    for (const place of [...this.#places.values()]) {
      const { worker, tasks, pool, idleSince } = place;
      if (worker.isReady && tasks.size === 0 && now() - idleSince >= pool.idleMs) this.#end(place, () => {});
    }
  }
}

/** An error may hold what can't travel: then its words do. */
export function encodeError(error: unknown): unknown {
  try {
    return encode(error, { target: 'cluster', name: 'error' }).message;
  } catch {
    return encode(new Error(String(error)), { target: 'cluster', name: 'error' }).message;
  }
}
