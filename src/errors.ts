import { inspect } from 'node:util';

/** Stop was pressed (or SIGINT came) while the cell waited for this run. */
export class InterruptedError extends Error {
  override name = 'InterruptedError';
}

/** The run was cancelled by `run.cancel()`, or its pool was closed. */
export class CancelledError extends Error {
  override name = 'CancelledError';
}

/** One item took longer than `timeoutMs`. */
export class TimeoutError extends Error {
  override name = 'TimeoutError';
}

/** The worker that had this item ended: `process.exit`, out of memory, killed, crashed. */
export class WorkerLostError extends Error {
  override name = 'WorkerLostError';
}

/** The cluster can't do its work: Redis is gone, no worker comes, the secret is missing or another. */
export class ClusterError extends Error {
  override name = 'ClusterError';

  constructor(message: string) {
    super(message);
    // It is about Redis and its workers: where in this package that was noticed is no help.
    this.stack = `ClusterError: ${message}`;
  }
}

/** An item threw something that is not an Error; `cause` is what it threw. */
export class ItemError extends Error {
  override name = 'ItemError';
}

/** An error in a line, whatever it is. */
export function words(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error, { depth: 0 });
  } catch {
    return 'an error that could not be read';
  }
}

/** The error as it was thrown, with the item's index and a short preview of it. */
export function withItem(error: unknown, index: number, item: unknown): unknown {
  const preview = short(item);
  if (error instanceof Error) {
    try {
      error.stack = withoutOurs(error.stack);
      if (!Object.hasOwn(error, 'index')) Object.assign(error, { index, item: preview });
    } catch {
      // A frozen error stays as it is.
    }
    return error;
  }
  const wrapped = new ItemError(`item ${index} (${preview}) threw ${words(error)}, which is not an Error`, {
    cause: error,
  });
  wrapped.stack = `${wrapped.name}: ${wrapped.message}`;
  return Object.assign(wrapped, { index, item: preview });
}

/** The reader's frames of a trace; how this package and Node came to call them is no help. */
function withoutOurs(stack: string | undefined): string | undefined {
  const isTheirs = (line: string) =>
    !/^\s+at /.test(line) || !(line.includes(__dirname) || /node:internal|workerpool.src/.test(line));
  return stack?.split('\n').filter(isTheirs).join('\n');
}

function short(item: unknown): string {
  try {
    const text = inspect(item, {
      depth: 1,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: 5,
      maxStringLength: 60,
    });
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
  } catch {
    return typeof item;
  }
}
