/** How long all items would take on each backend, from what a few of them showed. */

export interface Work {
  readonly items: number;
  /** Milliseconds of an item, alone; see `Probed`. */
  readonly itemMs: number;
  readonly heldMs: number;
  readonly cpuMs: number;
  readonly promises: boolean;
}

export interface Machine {
  readonly cores: number;
  /** Workers that somebody asked for. */
  readonly asked: number | undefined;
  /** Milliseconds until the workers of a pool are up, one a core. */
  readonly startMs: { readonly thread: number; readonly process: number };
  /** Milliseconds for an item and its result to travel to a thread and back. */
  readonly travelMs: number;
  /** Milliseconds that the async backend needs for an item that does nothing. */
  readonly asyncMs: number;
}

export interface Plan {
  readonly backend: 'serial' | 'async' | 'thread' | 'process';
  readonly workers: number;
  /** Items in flight inside one worker. */
  readonly concurrency: number;
  /** Milliseconds for all items. */
  readonly ms: number;
}

/** More threads than this are no way to wait. */
const MOST_WAITING_THREADS = 64;
const MOST_IN_FLIGHT = 64;
/** So many times as many in flight as would do if each could go on at any time: then waiting costs a tenth at most. */
const IN_FLIGHT = 10;

export function serialPlan({ items, itemMs }: Work): Plan {
  return { backend: 'serial', workers: 1, concurrency: 1, ms: items * itemMs };
}

/** All at once on one thread, which is held by one item at a time: the last one to begin is the last to end. */
export function asyncPlan(work: Work, { asked, cores, asyncMs }: Machine): Plan {
  const { items, itemMs, heldMs, cpuMs } = work;
  const workers = Math.max(1, Math.min(items, asked ?? items));
  const heldInAllMs = items * (heldMs + asyncMs);
  const rounds = Math.ceil(items / workers);
  const ms = Math.max(heldInAllMs + itemMs - heldMs, rounds * itemMs, (items * cpuMs) / cores);
  return { backend: 'async', workers, concurrency: 1, ms };
}

/** The best number of workers of that kind. */
export function workersPlan(backend: 'thread' | 'process', work: Work, machine: Machine): Plan {
  const { cores, asked } = machine;
  const most = Math.max(1, work.items);
  const counts = [Math.min(cores, most)];
  // Whoever holds its thread without computing leaves the core to others.
  if (work.cpuMs < 0.8 * work.heldMs) {
    for (let count = 2 * cores; count < 2 * Math.min(most, MOST_WAITING_THREADS); count *= 2) {
      counts.push(Math.min(count, most, MOST_WAITING_THREADS));
    }
  }
  return (asked === undefined ? counts : [Math.min(asked, most)])
    .map((workers) => withWorkers(backend, workers, work, machine))
    .reduce((best, plan) => (plan.ms < 0.95 * best.ms ? plan : best));
}

function withWorkers(backend: 'thread' | 'process', workers: number, work: Work, machine: Machine): Plan {
  const { items, itemMs, heldMs, cpuMs, promises } = work;
  const share = items / workers;
  const waitMs = itemMs - heldMs;
  const waits = promises && itemMs > 1.25 * heldMs;
  const wanted = 1 + Math.ceil((IN_FLIGHT * waitMs) / Math.max(heldMs, 0.001));
  const concurrency = waits ? Math.max(1, Math.min(MOST_IN_FLIGHT, Math.ceil(share), wanted)) : 1;
  const slots = workers * concurrency;
  // Few items don't come out even: four on three workers take as long as six. Many do.
  const rounds = items > 4 * slots ? items / slots : Math.ceil(items / slots);
  // A worker hears of new items only when none that it has can go on: those it has wait together, then compute in turn.
  const laneMs = waits ? share * heldMs + rounds * waitMs : rounds * itemMs;
  const runMs = Math.max(laneMs, (items * cpuMs) / Math.min(machine.cores, workers));
  // Starting a worker is work for the processor too.
  const startMs = machine.startMs[backend] * Math.max(1, workers / machine.cores);
  // A process gets its messages through a pipe: written, read, and copied twice.
  const travelMs = items * machine.travelMs * (backend === 'process' ? 2 : 1);
  return { backend, workers, concurrency, ms: startMs + travelMs + runMs };
}

/** The plan to follow. What is hardly slower and simpler comes first. */
export function choose(plans: readonly Plan[]): Plan {
  const fastest = Math.min(...plans.map(({ ms }) => ms));
  return plans.find(({ ms }) => ms <= 1.1 * fastest)!;
}
