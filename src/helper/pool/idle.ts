/**
 * Workers belong to the machine, not to a pool: one that has nothing to do waits here for whoever needs one of its kind next, so
 * that a cell which makes its own pool begins at once, and twenty such cells have the threads of one. After `idleMs` it leaves.
 */
import { createHash } from 'node:crypto';
import { type Capture, contentOf } from '../closure';
import { now } from '../record';
import { after } from '../timer';
import { type HandleEvents, type HandleOptions, WorkerHandle } from './handle';

interface Idle {
  readonly worker: WorkerHandle;
  readonly untilMs: number;
}

/** What workers must have in common to stand in for each other. */
class Kind {
  readonly idle: Idle[] = [];
  /** The size of the largest pool: more are not kept. */
  most = 0;
}

const kinds = new Map<string, Kind>();
let leaving: NodeJS.Timeout | undefined;

/** Names the kind: what a worker can do, where its imports come from, and what its `init` was made of. */
export function kindOf(
  kind: 'thread' | 'process',
  memoryMb: number | undefined,
  init: Capture | undefined,
): string {
  const made = init ? createHash('sha256').update(contentOf(init)).digest('hex') : '';
  return JSON.stringify([kind, memoryMb, process.cwd(), process.execArgv, made]);
}

/** One that waits, or else a new one. */
export function takeWorker(kind: string, options: HandleOptions, events: HandleEvents): WorkerHandle {
  // The one that worked last: it knows most, and the others may leave. One that is still starting is better than none.
  const idle = kinds.get(kind)?.idle ?? [];
  const found = idle.filter(({ worker }) => worker.isReady).at(-1) ?? idle.at(-1);
  if (!found) return new WorkerHandle(options, events);
  idle.splice(idle.indexOf(found), 1);
  const { worker } = found;
  worker.assign(options.name, events);
  return worker;
}

export function hasIdle(kind: string): boolean {
  return kinds.get(kind)?.idle.some(({ worker }) => worker.isReady) ?? false;
}

/**
 * Takes a worker back.
 * @param workers how many its pool may have
 */
export function giveBack(kind: string, worker: WorkerHandle, workers: number, idleMs: number): void {
  const known = kinds.get(kind) ?? new Kind();
  kinds.set(kind, known);
  known.most = Math.max(known.most, workers);
  if (known.idle.length >= known.most) {
    worker.kill();
    return;
  }
  const { idle } = known;
  worker.rest(() => {
    const at = idle.findIndex((one) => one.worker === worker);
    if (at >= 0) idle.splice(at, 1);
    worker.kill();
  });
  idle.push({ worker, untilMs: now() + idleMs });
  leaveInTime(idleMs);
}

/** One timer for all: the shortest patience of those that wait. */
function leaveInTime(idleMs: number): void {
  clearTimeout(leaving);
  leaving = after(Math.max(10, idleMs / 4), () => {
    let soonest = Number.POSITIVE_INFINITY;
    for (const [name, { idle }] of kinds) {
      for (const one of idle.filter(({ untilMs }) => untilMs <= now())) {
        idle.splice(idle.indexOf(one), 1);
        one.worker.kill();
      }
      for (const { untilMs } of idle) soonest = Math.min(soonest, untilMs - now());
      if (idle.length === 0) kinds.delete(name);
    }
    if (soonest < Number.POSITIVE_INFINITY) leaveInTime(4 * soonest);
  }).unref();
}
