import type { Part } from '../closure';

/** What a worker is told when it starts. */
export interface Hello {
  readonly lane: string;
  /** Folder from which imports are resolved. */
  readonly base: string;
  /** A batch is waiting for it: it answers first and loads then, while that is on its way. */
  readonly hurry: boolean;
  readonly init?: { readonly id: string; readonly parts: readonly Part[] };
}

/** Items for a worker, and the function to call, unless the worker has it already. */
export interface BatchMessage {
  readonly run: number;
  readonly batch: number;
  /** Who it is for the run: workers go from pool to pool. */
  readonly lane: string;
  readonly fn: string;
  readonly parts: readonly Part[];
  /** Parts and runs that will not be needed again. */
  readonly forgetParts: readonly string[];
  readonly forgetRuns: readonly number[];
  /** Index of the first item in the run's input; the others follow. */
  readonly first: number;
  /** A Float64Array, or what `closure.encode` made of an array of items. */
  readonly items: unknown;
  /** `submit`: each item is the list of arguments. */
  readonly spread: boolean;
  /** After so many milliseconds the worker answers with what it has, and leaves the rest. */
  readonly budgetMs: number;
  /** What is done is handed over after so long, and what waits behind a long item is given back. */
  readonly handOverMs: number;
  /** Prints say which item they come from. */
  readonly prefix: boolean;
}

/** What came of (part of) a batch: `loop.Done` in a shape that travels. */
export interface DoneMessage {
  readonly offset: number;
  readonly count: number;
  readonly end: number;
  readonly values: unknown;
  readonly failures: readonly (readonly [offset: number, error: unknown])[];
  readonly spans: Float64Array;
}

/** What a worker says besides its answers; it keeps its order with them, as stdout would not. */
export type Aside =
  | {
      readonly aside: 'late';
      readonly batch: number;
      /** Whose it was, where that is known. */
      readonly from: { readonly run: number; readonly item: number; readonly count: number } | undefined;
      /** As `encode` made it. */
      readonly error: unknown;
    }
  | { readonly aside: 'done'; readonly batch: number; readonly done: DoneMessage }
  | {
      readonly aside: 'print';
      readonly batch: number;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
      /** Only when asked (`prefix`). */
      readonly item: number | undefined;
    };

/**
 * A number out of a Float64Array, as V8 has it elsewhere: whole numbers as integers. Left as doubles they make a
 * function that was compiled for integers several times slower (measured: `n % i` in a loop, 4 times).
 */
export function plain(double: number): number {
  const integer = double | 0;
  return integer === double && (integer !== 0 || Object.is(double, 0)) ? integer : double;
}
