/**
 * Capturing a function that uses ten helpers and a class, on the real kernel: `npm run bench -- capture`. Medians, in
 * milliseconds on the clock; a busy machine shows in the slowest.
 */
import { loadavg } from 'node:os';
import { Kernel, room } from '../harness/kernel';
import { median } from './harness';

const FUNCTIONS = 12;

/** A cell with a function, ten helpers that call each other, constants and a class. */
function group(n: number): string {
  const helpers = Array.from(
    { length: 10 },
    (_, i) => `
const scale${n}_${i}: number = ${i} + base;
function helper${n}_${i}(x: number): number {
  const both = [x + ${n}, scale${n}_${i}].map((v) => v * 2);
  return Math.sqrt(both[0]!) + both[1]!${i < 9 ? ` + helper${n}_${i + 1}(x)` : ''};
}`,
  );
  return `${helpers.join('\n')}
class Point${n} {
  constructor(readonly x: number, readonly y: number) {}
  get norm(): number { return Math.hypot(this.x, this.y); }
  add(o: Point${n}): Point${n} { return new Point${n}(this.x + o.x, this.y + o.y); }
  static zero(): Point${n} { return new Point${n}(0, 0); }
}
const f${n} = (x: number): number => helper${n}_0(x) + new Point${n}(x, 1).norm;`;
}

export async function benchCapture(): Promise<void> {
  const kernel = await Kernel.start();
  try {
    const run = async (code: string) => {
      const { ok, error, stdout } = await kernel.run(code);
      if (!ok) throw new Error(error);
      return stdout;
    };
    await run(`import { capture } from '${room('helper/closure')}';
const base = 1;
function time(f: (x: number) => number): number {
  const start = performance.now();
  capture(f, { target: 'thread' });
  return performance.now() - start;
}`);
    const first: number[] = [];
    const again: number[] = [];
    for (let n = 0; n < FUNCTIONS; n++) {
      const times = await run(
        `${group(n)}\nconsole.log(JSON.stringify([time(f${n}), ...Array.from({ length: 20 }, () => time(f${n}))]))`,
      );
      const [one, ...others] = JSON.parse(times) as number[];
      first.push(one!);
      again.push(...others);
    }
    const show = (times: number[]) =>
      `${median(times).toFixed(2)} (fastest ${Math.min(...times).toFixed(2)}, slowest ${Math.max(...times).toFixed(2)})`;
    console.log(`\nCapture of a function with ten helpers and a class; load ${loadavg()[0]!.toFixed(1)}`);
    console.log(`  the kernel's first: ${first[0]!.toFixed(2)} ms`);
    console.log(`  a function's first: ${show(first.slice(1))} ms, target 2`);
    console.log(`  again:              ${show(again)} ms, target 0.5`);
  } finally {
    await kernel.close();
  }
}
