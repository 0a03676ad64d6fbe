import { checkOptions, checkWhole, refuse } from '../arguments';
import { Recording } from '../record';
import { type ProgressBar, showProgress } from './bar';

export interface TrackOptions {
  /** Stands before the bar. Default `loop`. */
  label?: string;
  /** Items in all, where the input doesn't know: then there is a bar and a time left. */
  total?: number;
}

/**
 * A live bar for any loop, as tqdm has it: `for (const item of track(items)) …`. A loop over it that is left early
 * leaves the bar where it was.
 *
 * @returns an iterable like the one that was given, asynchronous if that was
 * @throws TypeError when it is not iterable
 */
export function track<T>(items: Iterable<T>, options?: TrackOptions): Iterable<T>;
export function track<T>(items: AsyncIterable<T>, options?: TrackOptions): AsyncIterable<T>;
export function track<T>(
  items: Iterable<T> | AsyncIterable<T>,
  options: TrackOptions = {},
): Iterable<T> | AsyncIterable<T> {
  checkOptions('track options', options, ['label', 'total']);
  const { label = 'loop', total } = options;
  if (typeof label !== 'string') refuse('label', 'a string', label);
  checkWhole('total', total, 0);
  const begin = () => new Tracked(label, total ?? sizeOf(items));
  if (isAsync(items)) {
    return {
      async *[Symbol.asyncIterator]() {
        const tracked = begin();
        try {
          for await (const item of items) {
            yield item;
            tracked.next();
          }
          tracked.end();
        } finally {
          tracked.leave();
        }
      },
    };
  }
  if (typeof items?.[Symbol.iterator] !== 'function') {
    refuse('items', 'an iterable: an array, a Set, a generator', items);
  }
  return {
    *[Symbol.iterator]() {
      const tracked = begin();
      try {
        for (const item of items) {
          yield item;
          tracked.next();
        }
        tracked.end();
      } finally {
        tracked.leave();
      }
    },
  };
}

/** A loop keeps the event loop busy, so it looks at the clock itself. */
class Tracked {
  readonly #record: Recording;
  readonly #bar: ProgressBar;

  constructor(label: string, total: number | null) {
    this.#record = new Recording({ label, total });
    this.#bar = showProgress(() => this.#record, true)!;
  }

  next(): void {
    this.#record.ok++;
    this.#bar.update();
  }

  end(): void {
    this.#record.finish('done');
  }

  leave(): void {
    this.#record.finish('cancelled');
    this.#bar.end();
  }
}

function isAsync<T>(items: Iterable<T> | AsyncIterable<T>): items is AsyncIterable<T> {
  return typeof (items as AsyncIterable<T> | undefined)?.[Symbol.asyncIterator] === 'function';
}

function sizeOf(items: unknown): number | null {
  const { length, size } = items as { length?: unknown; size?: unknown };
  if (typeof length === 'number') return length;
  return typeof size === 'number' ? size : null;
}
