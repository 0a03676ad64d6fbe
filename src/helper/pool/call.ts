import { inspect } from 'node:util';
import type { Recording } from '../record';
import type { Run } from './run';

/** One call on a worker. Await it for what the function returns; it rejects as a {@link Run} of one item does. */
export class Call<R> extends Promise<R> {
  // What `then` and `catch` return are plain promises: they can't be cancelled.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  readonly #run: Run<R>;

  /** @internal */
  constructor(run: Run<R>) {
    super((resolve, reject) => {
      run.then(([value]) => resolve(value as R), reject);
    });
    this.#run = run;
  }

  /** What happened so far: see `timeline`. */
  get record(): Recording {
    return this.#run.record;
  }

  /** Stops it, whatever it is at. It rejects with `reason` if that is an Error, else a `CancelledError`. */
  cancel(reason?: unknown): void {
    this.#run.cancel(reason);
  }

  /** As a cell's last expression: how far it is and what it took. */
  [inspect.custom](): string {
    return this.record[inspect.custom]();
  }

  override get [Symbol.toStringTag](): string {
    return 'Call';
  }
}
