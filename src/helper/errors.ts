import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { redacted } from './redact';

/**
 * An error of this package, printed as the sentence that it is. Node would put brackets around one whose trace has no frames of
 * the reader's, and would quote what another package had to say (`cause`): addresses and headers as they were.
 */
export abstract class OwnError extends Error {
  /** @internal */
  [inspect.custom](_depth: number, options: object): string {
    const { name: _, ...fields } = this;
    const text = this.stack || `${this.name}: ${this.message}`;
    return Object.keys(fields).length === 0 ? text : `${text} ${inspect(fields, options)}`;
  }
}

/** Stop was pressed (or SIGINT came) while the cell waited for this run. */
export class InterruptedError extends OwnError {
  override name = 'InterruptedError';
}

/** The run was cancelled by `run.cancel()`, or its pool was closed. */
export class CancelledError extends OwnError {
  override name = 'CancelledError';
}

/** One item took longer than `timeoutMs`. */
export class TimeoutError extends OwnError {
  override name = 'TimeoutError';
}

/** The worker that had this item ended: `process.exit`, out of memory, killed, crashed. */
export class WorkerLostError extends OwnError {
  override name = 'WorkerLostError';
}

/** The cluster can't do its work: Redis is gone, no worker comes, the secret is missing or another. */
export class ClusterError extends OwnError {
  override name = 'ClusterError';

  constructor(message: string) {
    super(message);
    // It is about Redis and its workers: where in this package that was noticed is no help.
    this.stack = `ClusterError: ${message}`;
  }
}

/** An item threw something that is not an Error; `cause` is what it threw. */
export class ItemError extends OwnError {
  override name = 'ItemError';
}

/** An error in a line, whatever it is. */
export function words(error: unknown): string {
  try {
    return redacted(isError(error) ? `${error.name}: ${error.message}` : inspect(error, { depth: 0 }));
  } catch {
    return 'an error that could not be read';
  }
}

/** The error as it was thrown, with the item's index and the item: itself if it is a number or the like, else a preview. */
export function withItem(error: unknown, index: number, item: unknown): unknown {
  const preview = previewOf(item);
  if (isError(error)) {
    try {
      error.stack = withoutOurs(error.stack);
      if (!Object.hasOwn(error, 'index')) Object.assign(error, { index, item: preview });
    } catch {
      // A frozen error stays as it is.
    }
    return error;
  }
  const wrapped = new ItemError(
    `item ${index} (${short(item)}) threw ${words(error)}, which is not an Error`,
    {
      cause: error,
    },
  );
  wrapped.stack = `${wrapped.name}: ${wrapped.message}`;
  return Object.assign(wrapped, { index, item: preview });
}

/** The reader's frames of a trace; how this package and Node came to call them is no help. */
function withoutOurs(stack: string | undefined): string | undefined {
  const isTheirs = (line: string) =>
    !/^\s+at /.test(line) ||
    !(line.includes(dirname(__dirname)) || /node:internal|workerpool.src/.test(line));
  return stack?.split('\n').filter(isTheirs).join('\n');
}

/** A proxy may throw even when it is asked what it is. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/** Small values are themselves; what is printed and stored holds no secret and no whole object. */
function previewOf(item: unknown): unknown {
  if (typeof item === 'string') return clipped(redacted(item.slice(0, 1000)));
  return typeof item === 'object' || typeof item === 'function' || typeof item === 'symbol'
    ? item === null
      ? null
      : short(item)
    : item;
}

function clipped(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function short(item: unknown): string {
  try {
    const text = redacted(
      inspect(item, {
        depth: 1,
        breakLength: Number.POSITIVE_INFINITY,
        maxArrayLength: 5,
        maxStringLength: 1000,
      }),
    );
    return clipped(text);
  } catch {
    return typeof item;
  }
}
