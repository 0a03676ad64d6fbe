import { isMainThread } from 'node:worker_threads';

// Node has it since 16, TypeScript's library since ES2024.
interface WaitAsync {
  waitAsync(
    cells: Int32Array,
    at: number,
    value: number,
  ): { async: false; value: string } | { async: true; value: Promise<string> };
}

/**
 * Repeats `attempt` until it gives something but undefined, and sleeps in between until the cell changes: on a thread
 * by blocking it, in the kernel by awaiting.
 */
export function until<R>(cells: Int32Array, at: number, attempt: () => R | undefined): R | Promise<R> {
  return isMainThread ? untilAwaited(cells, at, attempt) : untilBlocked(cells, at, attempt);
}

function untilBlocked<R>(cells: Int32Array, at: number, attempt: () => R | undefined): R {
  for (;;) {
    // Read before the attempt: a change after it makes the wait end at once.
    const seen = Atomics.load(cells, at);
    const result = attempt();
    if (result !== undefined) return result;
    Atomics.wait(cells, at, seen);
  }
}

async function untilAwaited<R>(cells: Int32Array, at: number, attempt: () => R | undefined): Promise<R> {
  for (;;) {
    const seen = Atomics.load(cells, at);
    const result = attempt();
    if (result !== undefined) return result;
    const waiting = (Atomics as unknown as WaitAsync).waitAsync(cells, at, seen);
    // Nothing else may keep the program alive while a thread is about to wake it.
    const alive = setInterval(() => {}, 1 << 30);
    if (waiting.async) await waiting.value;
    clearInterval(alive);
  }
}

/** Says that something changed, to all who wait for it. */
export function changed(cells: Int32Array, at: number): void {
  Atomics.add(cells, at, 1);
  Atomics.notify(cells, at);
}
