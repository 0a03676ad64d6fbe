/** Records with figures that never change, so that a picture of them only changes when the chart does. */
import type { RunRecord, Span } from 'tslab-parallel';

type Shape = Partial<Omit<RunRecord, 'spans'>>;

/** A record of these spans; what is not said follows from them. */
export function record(shape: Shape, spans: readonly Span[]): RunRecord {
  const of = (status: Span['status']) =>
    spans
      .filter((span) => span.index >= 0 && span.status === status)
      .reduce((sum, { count }) => sum + count, 0);
  const items = spans.filter(({ index }) => index >= 0).reduce((sum, { count }) => sum + count, 0);
  return {
    label: 'run',
    backend: 'thread',
    workers: 2,
    startedAt: '2026-11-20T09:00:00.000Z',
    wallMs: Math.max(0, ...spans.map(({ endMs }) => endMs)),
    status: 'done',
    total: items,
    ok: of('ok'),
    failed: of('failed'),
    cancelled: of('cancelled'),
    ...shape,
    spans,
  };
}

export function span(
  index: number,
  lane: string,
  startMs: number,
  endMs: number,
  rest: Partial<Span> = {},
): Span {
  return { index, count: 1, lane, queuedMs: 0, startMs, endMs, status: 'ok', attempt: 1, ...rest };
}

/** Each item goes to the lane that is free first, as a pool does. */
export function shared(
  shape: Shape & { workers: number; lane: string },
  tookMs: readonly number[],
  startMs = 0,
): RunRecord {
  const { lane, ...rest } = shape;
  const free = new Array<number>(shape.workers).fill(startMs);
  const spans = tookMs.map((ms, index) => {
    const at = free.indexOf(Math.min(...free));
    const start = free[at]!;
    free[at] = start + ms;
    return span(index, shape.workers === 1 ? lane : `${lane} ${at + 1}`, start, start + ms, {
      queuedMs: start,
    });
  });
  return record(rest, spans);
}

/** The four numbers of the document's item 37 on each backend. */
export function fourBackends(): RunRecord[] {
  const took = [27.4, 15.6, 19.5, 35.5];
  return [
    shared({ label: 'serial', backend: 'serial', workers: 1, lane: 'main' }, took, 0.2),
    shared({ label: 'async', backend: 'async', workers: 4, lane: 'main', wallMs: 98.9 }, []),
    shared({ label: 'thread', backend: 'thread', workers: 2, lane: 'thread' }, took, 1.1),
    shared({ label: 'process', backend: 'process', workers: 2, lane: 'process' }, took, 3.2),
  ].map((run) =>
    run.label === 'async'
      ? record(
          { label: 'async', backend: 'async', workers: 4 },
          took.map((ms, at) => {
            const start = took.slice(0, at).reduce((sum, one) => sum + one, 0.3);
            return span(at, `async ${at + 1}`, start, start + ms, { queuedMs: start });
          }),
        )
      : run,
  );
}

/** The same sequence everywhere (a linear congruential generator, Numerical Recipes' constants). */
export function random(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
