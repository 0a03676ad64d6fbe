/** What else can be watched while something runs: how long the event loop was blocked, and memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { now } from '../../helper/record/clock';

/** One look: milliseconds from the start of watching, and what was seen. */
export type Sample = readonly [atMs: number, value: number];

/** What was seen so far: plain data, so that a chart can be drawn from what `JSON.parse` gives back, too. */
export interface Samples {
  readonly kind: 'loopDelay' | 'memory';
  /** ISO 8601. */
  readonly startedAt: string;
  /** Milliseconds from one look to the next. */
  readonly everyMs: number;
  /** Milliseconds watched. */
  readonly wallMs: number;
  /** Of what, and what was seen: milliseconds too late, or bytes. */
  readonly series: Readonly<Record<string, readonly Sample[]>>;
}

/** Something that looks again and again until it is stopped. It doesn't keep the process alive. */
export interface Watch extends Samples {
  /** Ends the watching; later calls change nothing. */
  stop(): Samples;
}

/** More than this in a series, and every second one is given up. */
const MOST_SAMPLES = 20_000;

class Sampler implements Watch {
  readonly startedAt = new Date().toISOString();
  readonly series: Record<string, Sample[]> = {};
  readonly #origin = now();
  readonly #timer: NodeJS.Timeout;
  #wallMs: number | undefined;

  constructor(
    readonly kind: Samples['kind'],
    readonly everyMs: number,
    look: (sampler: Sampler) => void,
  ) {
    this.#timer = setInterval(() => look(this), everyMs).unref();
  }

  get wallMs(): number {
    return this.#wallMs ?? this.now();
  }

  now(): number {
    return now() - this.#origin;
  }

  add(name: string, atMs: number, value: number): void {
    const samples = this.series[name] ?? [];
    samples.push([atMs, value]);
    this.series[name] = samples.length > MOST_SAMPLES ? halved(samples) : samples;
  }

  stop(): Samples {
    if (this.#wallMs === undefined) {
      clearInterval(this.#timer);
      this.#wallMs = this.now();
    }
    return this.toJSON();
  }

  toJSON(): Samples {
    const { kind, startedAt, everyMs, wallMs, series } = this;
    return { kind, startedAt, everyMs, wallMs, series };
  }
}

/** Of two neighbours the larger one stays: a peak must not be lost. */
function halved(samples: readonly Sample[]): Sample[] {
  return samples.filter((sample, at) => {
    const neighbour = samples[at % 2 === 0 ? at + 1 : at - 1];
    return !neighbour || sample[1] > neighbour[1] || (sample[1] === neighbour[1] && at % 2 === 0);
  });
}

/**
 * Watches how long this thread's event loop is blocked: a timer is set again and again, and how much too late it comes
 * is how long something else had the thread. `loopDelay(watch)` draws it.
 * @param options.everyMs milliseconds between two looks, 1 or more; default 5
 * @example const watch = watchLoopDelay(); await run; loopDelay(watch.stop())
 */
export function watchLoopDelay(options: { everyMs?: number } = {}): Watch {
  const everyMs = checkEvery('watchLoopDelay', options.everyMs ?? 5);
  let last = now();
  return new Sampler('loopDelay', everyMs, (sampler) => {
    const time = now();
    sampler.add('event loop', sampler.now(), Math.max(0, time - last - everyMs));
    last = time;
  });
}

/**
 * Watches memory: what the system keeps in RAM (resident set) for this process with all its threads and, on Linux, for
 * each process that it started. `memory(watch)` draws it.
 * @param options.everyMs milliseconds between two looks, 1 or more; default 50
 */
export function watchMemory(options: { everyMs?: number } = {}): Watch {
  const everyMs = checkEvery('watchMemory', options.everyMs ?? 50);
  const look = (sampler: Sampler) => {
    const atMs = sampler.now();
    sampler.add('kernel with its threads', atMs, process.memoryUsage.rss());
    for (const [pid, bytes] of childrenMemory()) sampler.add(`process ${pid}`, atMs, bytes);
  };
  const sampler = new Sampler('memory', everyMs, look);
  look(sampler);
  return sampler;
}

function checkEvery(name: string, everyMs: unknown): number {
  if (typeof everyMs === 'number' && everyMs >= 1 && everyMs <= 60_000) return everyMs;
  throw new TypeError(
    `${name}()'s everyMs is a number of milliseconds from 1 to 60,000; got ${String(everyMs)}.`,
  );
}

/** Bytes of each child process; empty where there is no /proc. */
function childrenMemory(): Map<number, number> {
  const memory = new Map<number, number>();
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      for (const pid of readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ')) {
        const bytes = pid ? residentBytes(pid) : 0;
        // A process that has ended keeps its number for a moment, and no memory.
        if (bytes > 0) memory.set(Number(pid), bytes);
      }
    }
  } catch {
    // No /proc here, or a process that ended meanwhile.
  }
  return memory;
}

function residentBytes(pid: string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
