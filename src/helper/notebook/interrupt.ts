import { inNotebook } from './display';

const listeners = new Set<() => void>();

/**
 * Calls `listener` when the reader presses stop (SIGINT), before tslab gives up the cell.
 * @returns a function that stops listening.
 */
export function onInterrupt(listener: () => void): () => void {
  if (inNotebook()) hearInterrupts();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let theirs: NodeJS.SignalsListener[] = [];
let hearing = false;

/** Outside a kernel SIGINT keeps its usual meaning: it ends the program. */
function hearInterrupts(): void {
  if (hearing) return;
  hearing = true;
  // While the synchronous part of a cell runs, Node's vm has taken tslab's listener away, and the signal itself; both
  // are back afterwards.
  queueMicrotask(() => {
    theirs = process.listeners('SIGINT');
    process.removeAllListeners('SIGINT');
    process.on('SIGINT', heard);
  });
}

/**
 * tslab rejects the cell's promise at once, with a long trace of its own files. It is put off by one turn of the event
 * loop, so that the cell ends with the error of what it was waiting for, if that heard the interrupt.
 */
function heard(signal: NodeJS.Signals): void {
  tellInterrupt();
  setImmediate(() => {
    for (const listener of theirs) listener(signal);
  });
}

/** Tells all who listen. Also called where stop ended the synchronous part of a cell, which no signal listener hears. */
export function tellInterrupt(): void {
  for (const listener of [...listeners]) listener();
}
