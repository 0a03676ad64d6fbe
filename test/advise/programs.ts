/** Programs from all waiting to all computing, and what is to be said of each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Advice } from 'tslab-parallel';

export interface Program {
  readonly name: string;
  readonly items: readonly number[];
  readonly fn: (n: number) => unknown;
  readonly kind: Advice['kind'];
  readonly backend: Advice['backend'];
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** About so many milliseconds of arithmetic. */
function compute(ms: number): number {
  let sum = 0;
  for (let i = 0; i < ms * 400_000; i++) sum += Math.sqrt(i % 1000);
  return sum;
}

/** Holds the thread, as a synchronous call of the operating system does, and computes nothing. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

export const programs: readonly Program[] = [
  {
    name: 'all waiting',
    items: numbers(50),
    fn: async () => {
      await sleep(40);
    },
    kind: 'waiting',
    backend: 'async',
  },
  {
    name: 'waiting, a little computing',
    items: numbers(50),
    fn: async () => {
      await sleep(40);
      return compute(1);
    },
    kind: 'waiting',
    backend: 'async',
  },
  {
    name: 'waiting in a synchronous call',
    items: numbers(60),
    fn: () => block(50),
    kind: 'waiting',
    backend: 'thread',
  },
  {
    name: 'waiting as long as computing',
    items: numbers(120),
    fn: async () => {
      await sleep(30);
      return compute(30);
    },
    kind: 'mixed',
    backend: 'thread',
  },
  {
    name: 'short waits, many',
    items: numbers(200),
    fn: async () => {
      await sleep(15);
    },
    kind: 'waiting',
    backend: 'async',
  },
  {
    name: 'computing, a little waiting',
    items: numbers(16),
    fn: async () => {
      await sleep(2);
      return compute(120);
    },
    kind: 'computing',
    backend: 'thread',
  },
  {
    name: 'all computing',
    items: numbers(60),
    fn: () => compute(40),
    kind: 'computing',
    backend: 'thread',
  },
  {
    name: 'computing in a promise',
    items: numbers(60),
    fn: async () => compute(40),
    kind: 'computing',
    backend: 'thread',
  },
  {
    name: 'too short to share',
    items: numbers(10_000),
    fn: (n) => n * n,
    kind: 'short',
    backend: 'serial',
  },
];
