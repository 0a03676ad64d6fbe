/** Whether what a test started has ended. Linux only: reads /proc. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How long a test waits for what happens at once on a quiet machine. It tells ended from hanging, on any machine; how long
 * it really took is a diagnostic's or the bench's to tell.
 */
export const PATIENCE_MS = 20_000;

/** False for a zombie, too. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the condition holds. @returns false when it never did */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  ms = PATIENCE_MS,
): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(10)) {
    if (await condition()) return true;
  }
  return condition();
}
