/** In the place of the helper's `pool/cores`: the reader's own. */
export function availableCores(): number {
  return Math.max(1, navigator.hardwareConcurrency || 1);
}
