/** Runs live cells, in a Web Worker of the page; its threads are Web Workers of the same text. */

import { check } from '../handbook/claims/check';
import { seededRandom, simulate } from '../handbook/simulate';
import * as charts from '../helper/charts';
import { runOn } from '../helper/pool/run-on';
import { Recording, timeit } from '../helper/record';
import { availableCores } from './cores';
import { display, emit, outputsTo } from './display';
import { inspect } from './node';
import { table } from './notebook';
import { createPool, parmap } from './pool';
import type { CellReport, Order, Output, Value } from './protocol';
import { serve } from './thread';
import { type Factory, originates } from './travel';

/** A live cell, as it was compiled when the page was made. */
export interface Cell {
  readonly id: string;
  /** Names of cells above that it uses, and the names that it gives. */
  readonly uses: readonly string[];
  readonly gives: readonly string[];
  run(scope: Record<string, unknown>, knobs: Readonly<Record<string, Value>>): Promise<unknown>;
}

/** What the page's own script gets, and what it gives. */
export interface Live {
  readonly api: Readonly<Record<string, unknown>>;
  readonly originates: typeof originates;
}
export type Page = (live: Live) => {
  readonly cells: readonly Cell[];
  readonly factories: readonly Factory[];
};

const { compare, latency, lines, show, speedup, sweep, timeline, utilization } = charts;
const api = {
  ...{ availableCores, check, compare, createPool, latency, lines, parmap, Recording, runOn, seededRandom },
  ...{ show, simulate, speedup, sweep, table, timeit, timeline, utilization },
};

/** Names that a live cell may import. export.ts reads them, too. */
export const names: readonly string[] = Object.keys(api);

export function start(page: Page): void {
  const { cells, factories } = page({ api, originates });
  if (self.name === 'thread') {
    self.onmessage = ({ data: port }: MessageEvent<MessagePort>) => serve(factories, port);
    return;
  }
  const scope: Record<string, unknown> = {};
  const ran = new Set<string>();
  const last = new Map<string, string>();

  const runCell = async (cell: Cell, order: Order, isShown: boolean) => {
    const post = (report: CellReport) => postMessage(report);
    outputsTo((output: Output) => {
      if (isShown) post({ number: order.number, cell: cell.id, what: 'output', output });
    });
    const knobs = order.knobs[cell.id] ?? {};
    let isOk = true;
    try {
      printed(await cell.run(scope, knobs));
      ran.add(cell.id);
      last.set(cell.id, JSON.stringify(knobs));
    } catch (error) {
      isOk = false;
      emit({ kind: 'error', text: said(error) });
    }
    if (isShown) post({ number: order.number, cell: cell.id, what: 'ended', isOk });
    return isOk;
  };

  self.onmessage = async ({ data: order }: MessageEvent<Order>) => {
    const from = cells.findIndex(({ id }) => id === order.run);
    const changed = new Set<string>();
    const wanted = cells.filter((cell, at) => {
      const isTouched = at === from || (at > from && cell.uses.some((name) => changed.has(name)));
      if (isTouched) for (const name of cell.gives) changed.add(name);
      return isTouched;
    });
    // What they use and nobody has made yet, or has made with other knobs.
    const needed = new Set<Cell>();
    const need = (cell: Cell) => {
      for (const name of cell.uses) {
        const giver = [...cells]
          .reverse()
          .find((other) => other.gives.includes(name) && cells.indexOf(other) < cells.indexOf(cell));
        if (!giver || needed.has(giver) || wanted.includes(giver)) continue;
        const knobs = order.knobs[giver.id] ?? {};
        if (ran.has(giver.id) && last.get(giver.id) === JSON.stringify(knobs)) continue;
        need(giver);
        needed.add(giver);
      }
    };
    for (const cell of wanted) need(cell);
    for (const cell of needed) await runCell(cell, order, false);
    for (const cell of wanted) if (!(await runCell(cell, order, true))) break;
    postMessage({ number: order.number, cell: '', what: 'ended', isOk: true } satisfies CellReport);
  };
}

function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${inspect(error)}`;
}

/** As a cell's last expression, or by `console.log`. */
function printed(...values: unknown[]): void {
  if (values.length === 1 && values[0] === undefined) return;
  const [value] = values;
  const shown =
    typeof value === 'object' && value !== null
      ? Reflect.get(value, Symbol.for('Jupyter.display'))
      : undefined;
  if (
    values.length === 1 &&
    typeof shown === 'function' &&
    !(Symbol.for('nodejs.util.inspect.custom') in (value as object))
  ) {
    display({ data: shown.call(value) as Record<string, unknown> });
    return;
  }
  const text = values.map((one) => (typeof one === 'string' ? one : inspect(one))).join(' ');
  if (text !== '' || typeof value === 'string') emit({ kind: 'stdout', text: `${text}\n` });
}

console.log = console.info = printed;
console.warn = console.error = (...values: unknown[]) =>
  emit({
    kind: 'stderr',
    text: `${values.map((one) => (typeof one === 'string' ? one : inspect(one))).join(' ')}\n`,
  });
const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
Object.assign(globalThis, {
  setImmediate: (act: () => void) => {
    waiting.push(act);
    channel.port2.postMessage(0);
  },
});
