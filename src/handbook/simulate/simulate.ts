/** A discrete-event simulation of workers and items: what a pool would do if nothing but the items took time. */
import { inspect } from 'node:util';
import { checkOptions, checkWhole, refuse } from '../../helper/arguments';
import { describe, type RunRecord, type Span } from '../../helper/record';

/** One step of an item: `work` needs the worker's hands, `wait` needs nobody's (water that boils). */
export type SimulationStep = { label?: string } & (
  | { /** Milliseconds, 0 or more. */ work: number; wait?: undefined }
  | { /** Milliseconds, 0 or more. */ wait: number; work?: undefined }
);

/** A customer, an order: steps one after another. */
export interface SimulationItem {
  /** Names the item in charts. Default: `item 1`, `item 2`, … */
  label?: string;
  /** Milliseconds from the start to its arrival. Default 0. */
  at?: number;
  steps: readonly SimulationStep[];
}

export interface SimulateOptions {
  /** Names the run in charts. Default `simulated`. */
  label?: string;
  /** Clerks, robots, threads: each has one pair of hands. Default 1. */
  workers?: number;
  /**
   * How many items a worker may have begun and not ended. With 1 it stands by while its item waits; with more it turns
   * to another one. Default 1.
   */
  concurrency?: number;
  /** The workers' names; the others are `worker 3`, `worker 4`, … */
  names?: readonly string[];
}

/** What happened in a simulation, told three ways. The charts draw each of them, and the simulation itself as `record`. */
export class Simulation {
  /** One span an item, from its first step to its last, on its worker's lane: what a pool would have recorded. */
  readonly record: RunRecord;
  /** One span a step of work, on the lane of the worker whose hands it took; labelled with the item. */
  readonly byWorker: RunRecord;
  /** One lane an item: when it stood `in line` for a worker, when it waited, when it was worked on. */
  readonly byItem: RunRecord;

  constructor({ items, workers, label }: Setting, diary: readonly Entry[], wallMs: number) {
    const startedAt = new Date().toISOString();
    const record = (spans: Span[]): RunRecord => ({
      label,
      backend: 'simulated',
      workers,
      startedAt,
      wallMs,
      status: 'done',
      total: items.length,
      ok: items.length,
      failed: 0,
      cancelled: 0,
      spans,
    });
    const span = ({ index, from, to }: Entry, lane: string, label?: string, queuedMs = 0): Span => ({
      index,
      count: 1,
      lane,
      queuedMs,
      startMs: from,
      endMs: to,
      status: 'ok',
      attempt: 1,
      ...(label === undefined ? {} : { label }),
    });
    const whole = diary.filter(({ what }) => what === 'item');
    const works = diary.filter(({ what }) => what === 'work');
    const steps = diary.filter(({ what, from, to }) => what !== 'item' && to > from);
    const nameOf = (index: number) => items[index]!.label ?? `item ${index + 1}`;
    this.record = record(
      whole.map((entry) => {
        const { label, at = 0 } = items[entry.index]!;
        return span(entry, entry.worker, label, entry.from - at);
      }),
    );
    this.byWorker = record(works.map((entry) => span(entry, entry.worker, items[entry.index]!.label)));
    this.byItem = record(steps.map((entry) => span(entry, nameOf(entry.index), entry.label ?? entry.what)));
  }

  /** In a line: how many items on how many workers, and the time it took. */
  [inspect.custom](): string {
    return describe(this.record);
  }
}

/**
 * Plays through what workers would do with the items, by a clock that jumps from event to event. `workers` and
 * `concurrency` mean what they mean in `createPool`; a worker that has several items goes to the one that is ready the
 * longest, after each step. The same call gives the same result each time.
 *
 * @param items in the order of their coming where they come at the same time
 * @throws TypeError for a step that is neither work nor wait, and for options that are none
 * @example simulate([{ steps: [{ work: 10 }, { wait: 50 }] }, { steps: [{ work: 20 }] }], { concurrency: 2 })
 */
export function simulate(items: Iterable<SimulationItem>, options: SimulateOptions = {}): Simulation {
  const setting = check(items, options);
  const workers = setting.names.map((name) => new Worker(name));
  const line: Item[] = []; // items that no worker has begun
  const events: Event[] = []; // what will happen, soonest first
  const diary: Entry[] = [];
  let now = 0;

  const later = (ms: number, happens: () => void) => {
    const at = now + ms;
    const place = events.findIndex((event) => event.at > at);
    events.splice(place < 0 ? events.length : place, 0, { at, happens });
  };
  const write = (item: Item, what: Entry['what'], from: number, to: number, label?: string) => {
    diary.push({ index: item.index, worker: item.worker!.name, what, from, to, label });
  };

  // An item has come or ended: whoever has the fewest, and room, begins the next in line.
  const begin = () => {
    const worker = workers.reduce((a, b) => (b.items < a.items ? b : a));
    if (line.length === 0 || worker.items >= setting.concurrency) return;
    const item = line.shift()!;
    item.worker = worker;
    item.beganAt = now;
    worker.items++;
    write(item, 'in line', item.at, now);
    later(0, () => next(item));
  };

  // The item's next step: it waits by itself, or is ready for its worker's hands.
  const next = (item: Item) => {
    const worker = item.worker!;
    const step = item.steps[item.stepsBegun++];
    if (!step) {
      write(item, 'item', item.beganAt, now);
      worker.items--;
      begin();
    } else if (step.wait !== undefined) {
      write(item, 'wait', now, now + step.wait, step.label);
      later(step.wait, () => next(item));
    } else {
      worker.ready.push({ item, step, since: now });
      work(worker);
    }
  };

  // Free hands take up what is ready the longest.
  const work = (worker: Worker) => {
    if (worker.busy || worker.ready.length === 0) return;
    const { item, step, since } = worker.ready.shift()!;
    write(item, 'in line', since, now);
    write(item, 'work', now, now + step.work, step.label);
    worker.busy = true;
    later(step.work, () => {
      worker.busy = false;
      next(item);
      work(worker);
    });
  };

  for (const item of setting.items.map((item, index) => new Item(item, index))) {
    later(item.at, () => {
      line.push(item);
      begin();
    });
  }
  for (let event = events.shift(); event; event = events.shift()) {
    now = event.at;
    event.happens();
  }
  return new Simulation(setting, diary, now);
}

interface Entry {
  readonly index: number;
  readonly worker: string;
  /** `item`: from its first step to its last. */
  readonly what: 'in line' | 'wait' | 'work' | 'item';
  readonly from: number;
  readonly to: number;
  readonly label?: string;
}

interface Event {
  at: number;
  happens: () => void;
}

class Worker {
  /** Begun and not ended. */
  items = 0;
  busy = false;
  readonly ready: { item: Item; step: { work: number; label?: string }; since: number }[] = [];
  constructor(readonly name: string) {}
}

class Item {
  readonly at: number;
  readonly steps: readonly SimulationStep[];
  stepsBegun = 0;
  beganAt = 0;
  worker: Worker | undefined;
  constructor(
    { at = 0, steps }: SimulationItem,
    readonly index: number,
  ) {
    this.at = at;
    this.steps = steps;
  }
}

interface Setting {
  items: readonly SimulationItem[];
  label: string;
  workers: number;
  concurrency: number;
  /** One for each worker. */
  names: readonly string[];
}

function check(items: Iterable<SimulationItem>, options: SimulateOptions): Setting {
  checkOptions('simulate options', options, ['label', 'workers', 'concurrency', 'names']);
  const { label = 'simulated', workers = 1, concurrency = 1, names = [] } = options;
  if (typeof items?.[Symbol.iterator] !== 'function') refuse('items', 'an iterable of items', items);
  if (typeof label !== 'string') refuse('label', 'a string', label);
  checkWhole('workers', workers, 1);
  checkWhole('concurrency', concurrency, 1);
  if (!Array.isArray(names)) refuse('names', 'an array of strings', names);
  const list = [...items];
  for (const [index, item] of list.entries()) {
    if (!Array.isArray(item?.steps)) refuse(`items[${index}].steps`, 'an array of steps', item?.steps);
    checkDuration(`items[${index}].at`, item.at ?? 0);
    for (const [at, step] of item.steps.entries()) {
      const name = `items[${index}].steps[${at}]`;
      if ((step?.work === undefined) === (step?.wait === undefined)) {
        refuse(name, 'one of { work: ms } and { wait: ms }', step);
      }
      checkDuration(`${name}.${step.work === undefined ? 'wait' : 'work'}`, step.work ?? step.wait);
    }
  }
  return {
    items: list,
    label,
    workers,
    concurrency,
    names: Array.from({ length: workers }, (_, at) => names[at] ?? `worker ${at + 1}`),
  };
}

function checkDuration(name: string, value: unknown): void {
  if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    refuse(name, 'a number of milliseconds, 0 or more', value);
  }
}
