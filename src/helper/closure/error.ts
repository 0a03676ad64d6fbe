/**
 * Something a function uses can't go where the function is to run. Thrown before anything starts; the message names
 * it, the way to it, and what to do instead.
 */
export class CaptureError extends TypeError {
  override name = 'CaptureError';
}

/** A refusal's trace begins with the caller of `from`: how we came to it is no help. */
export function orRefuse<T>(work: () => T, from: (...args: never[]) => unknown): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CaptureError) Error.captureStackTrace(error, from);
    throw error;
  }
}
