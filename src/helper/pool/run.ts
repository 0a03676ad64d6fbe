import { inspect } from 'node:util';
import type { Recording } from '../record';

/** What a run does when it is asked: given by the job that carries it out. */
export interface RunHandle<R> {
  readonly record: Recording;
  completed(): AsyncGenerator<{ index: number; value: R }, void, undefined>;
  cancel(reason?: unknown): void;
  /** Somebody waits for all the results. */
  awaited(): void;
}

/**
 * A parallel map that is going on, or has ended. Await it for the results in input order.
 *
 * Rejects with what an item threw (`onError: 'throw'`), several at once as an `AggregateError`; with an
 * `InterruptedError`, a `CancelledError` or the signal's reason when it was stopped.
 */
export class Run<R> extends Promise<R[]> {
  // What `then` and `catch` return are plain promises: they have no record.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  readonly #handle: RunHandle<R>;
  #awaited = false;

  /** @internal */
  constructor(
    handle: RunHandle<R>,
    executor: (resolve: (value: R[]) => void, reject: (reason: unknown) => void) => void,
  ) {
    super(executor);
    this.#handle = handle;
    // A run that fails before anybody awaits it must not take the kernel down; `job.ts` says so if nobody ever does.
    super.then(undefined, () => {});
  }

  /** What happened so far: see `timeline`, `compare`. */
  get record(): Recording {
    return this.#handle.record;
  }

  /** True once somebody has asked for the results. */
  get isAwaited(): boolean {
    return this.#awaited;
  }

  /**
   * Results as they finish, from the first one on. Throws when the run fails. The run waits for its reader where the input's
   * end is not known or nothing is kept (see `bufferMb`), and ends with it: leaving the loop early cancels a run that nobody
   * else reads or awaits.
   */
  completed(): AsyncGenerator<{ index: number; value: R }, void, undefined> {
    this.#awaited = true;
    return this.#handle.completed();
  }

  /** Stops queued and running items. The run rejects with `reason` if that is an Error, else a `CancelledError`. */
  cancel(reason?: unknown): void {
    this.#handle.cancel(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise that notes who waits for it.
  override then<A = R[], B = never>(
    onFulfilled?: ((value: R[]) => A | PromiseLike<A>) | null,
    // biome-ignore lint/suspicious/noExplicitAny: as a promise's, so that a callback may name the error it expects.
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#awaited = true;
    this.#handle.awaited();
    return super.then(onFulfilled, onRejected);
  }

  /** As a cell's last expression: how far it is and what it took. */
  [inspect.custom](): string {
    const text = this.record[inspect.custom]();
    if (this.#awaited || this.record.status !== 'running') return text;
    return `${text}\nNobody waits for it yet: write \`await run\` to get its results.`;
  }

  override get [Symbol.toStringTag](): string {
    return 'Run';
  }
}
