import type { Outcome } from '../helper/pool/batch';

/**
 * What is new of an outcome, for a batch whose items are settled up to `from` and which has been left the items before
 * `to`: a batch that ran twice says everything twice, each time in other pieces.
 * @returns undefined when items before it are still missing
 */
export function clipped(outcome: Outcome, from: number, to: number): Outcome | undefined {
  const { offset, count, values, failures, spans } = outcome;
  if (offset > from) return undefined;
  const until = Math.max(from, Math.min(offset + count, to));
  const end = Math.max(Math.min(outcome.end, to), until);
  if (offset === from && offset + count === until) return { ...outcome, end };
  const kept = new Map([...failures].filter(([at]) => at >= from && at < until));
  const pieces: number[] = [];
  let at = offset;
  for (let i = 0; i < spans.length; i += 3) {
    const next = at + spans[i]!;
    const size = Math.min(next, until) - Math.max(at, from);
    if (size > 0) pieces.push(size, spans[i + 1]!, spans[i + 2]!);
    at = next;
  }
  return {
    offset: from,
    count: until - from,
    end,
    // Arrays and typed arrays alike.
    values: (values as unknown[]).slice(from - offset, until - offset),
    failures: kept,
    spans: Float64Array.from(pieces),
  };
}

/** The same spans on another clock. */
export function translated(spans: Float64Array, here: (ms: number) => number): Float64Array {
  const result = Float64Array.from(spans);
  for (let i = 0; i < result.length; i += 3) {
    result[i + 1] = here(result[i + 1]!);
    result[i + 2] = here(result[i + 2]!);
  }
  return result;
}
