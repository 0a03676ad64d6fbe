/** Node takes a longer time for no time at all: the timer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** `setTimeout` for times of any length: what is longer than Node's longest, 24.8 days, is that. */
export function after(ms: number, act: () => void): NodeJS.Timeout {
  return setTimeout(act, Math.min(ms, LONGEST_MS));
}
