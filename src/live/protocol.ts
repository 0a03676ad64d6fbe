/** What the page, the kernel (a Web Worker in which live cells run) and its threads (more Web Workers) say to each other. */
import type { Span } from '../helper/record';

/** A knob's value. */
export type Value = number | string | boolean;

/** What a cell shows: MIME types and their content. */
export type Output =
  | {
      readonly kind: 'data';
      readonly data: Readonly<Record<string, unknown>>;
      readonly id?: string;
      readonly update: boolean;
    }
  | { readonly kind: 'stdout' | 'stderr' | 'error'; readonly text: string };

/** To the kernel. */
export type Order = {
  /** The cell whose knob was turned. */
  readonly run: string;
  /** Of each cell, by its id. */
  readonly knobs: Readonly<Record<string, Readonly<Record<string, Value>>>>;
  readonly number: number;
};

/** From the kernel. The page starts its threads: in one that was opened from disk, a worker may start no other. */
export type Report =
  | { readonly what: 'thread'; readonly thread: number; readonly port: MessagePort }
  | { readonly what: 'unthread'; readonly thread: number }
  | CellReport;

export type CellReport = { readonly number: number; readonly cell: string } & (
  | { readonly what: 'output'; readonly output: Output }
  | { readonly what: 'ended'; readonly isOk: boolean }
);

/** A function or class on its way to a thread: which one of the page's, and the values of what it uses. */
export interface Travelling {
  /** Number of its factory. */
  readonly factory: number;
  /** By name; functions are numbers of the list. */
  readonly captured: readonly (readonly [name: string, value: unknown, travelling: number | undefined])[];
}

/** To a thread: functions (the last one is the map's), or items for it. */
export type Work =
  | {
      readonly fn: readonly Travelling[];
      readonly init: readonly Travelling[] | undefined;
      readonly lane: string;
    }
  | { readonly items: readonly unknown[]; readonly first: number };

/** From a thread. Times are of the clock that all of them share. */
export type Done =
  | { readonly print: string }
  | {
      readonly values: readonly unknown[];
      readonly spans: readonly Pick<Span, 'index' | 'count' | 'startMs' | 'endMs'>[];
      /** That of the item after the last value. */
      readonly error?: { readonly error: unknown; readonly startMs: number; readonly endMs: number };
    };
