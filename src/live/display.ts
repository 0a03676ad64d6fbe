/** In the place of the helper's `notebook/display`: what a live cell shows goes to the page. */
import { inspect } from './node';
import type { Output } from './protocol';

export interface Bundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

let send: (output: Output) => void = () => {};

/** Where outputs go. */
export function outputsTo(receiver: (output: Output) => void): void {
  send = receiver;
}

export function emit(output: Output): void {
  send(output);
}

export const inNotebook = (): boolean => true;

export function display({ data }: Bundle, id?: string, update = false): boolean {
  send({ kind: 'data', data, update, ...(id === undefined ? {} : { id }) });
  return true;
}

/** As a cell's last expression, or printed, the bundle appears; within another value the text. */
export function inspectAs(depth: number, text: () => string, bundle: () => Bundle): string {
  if (depth !== inspect.defaultOptions.depth) return text();
  display(bundle());
  return '';
}

export function quiet(promise: Promise<void>): Promise<void> {
  return Object.defineProperty(promise, inspect.custom, { value: () => '' });
}
