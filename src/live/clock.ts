/** In the place of the helper's `record/clock`: milliseconds of a clock that the page and all its workers share. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
