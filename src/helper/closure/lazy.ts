/** Loaded at first use: a worker never needs them, and the first cell of a notebook not yet. */
export const acorn = () => require('acorn') as typeof import('acorn');
export const diff = () => require('diff') as typeof import('diff');
