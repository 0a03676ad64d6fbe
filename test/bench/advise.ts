/** Advice, followed: what was said of each program and what was measured, on a machine with nothing else to do. */
import { type Advice, advise, createPool } from 'tslab-parallel';
import { type Program, programs } from '../advise/programs';
import { median, timed } from './harness';

const ROUNDS = 3;

export async function benchAdvise(): Promise<void> {
  console.log('| program | advice | gain said | loop | followed | gain measured | measured / said |');
  console.log('|---|---|---|---|---|---|---|');
  let held = 0;
  for (const program of programs) {
    const advice = await advise(program.items, program.fn);
    const loops: number[] = [];
    const followed: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      loops.push(await timed(() => loop(program)));
      followed.push(advice.backend === 'serial' ? loops.at(-1)! : await follow(program, advice));
    }
    const [loopMs, followedMs] = [median(loops), median(followed)];
    const gain = loopMs / followedMs;
    const off = gain / advice.gain;
    if (off >= 0.75 && off <= 1.25) held++;
    const { backend, workers, concurrency } = advice;
    const words = `${advice.kind}: ${backend} ${workers}${concurrency > 1 ? ` × ${concurrency}` : ''}`;
    const figures = [advice.gain, loopMs, followedMs, gain, off].map((value) => value.toPrecision(3));
    console.log(
      `| ${program.name} | ${words} | ${figures[0]} | ${figures[1]} ms | ${figures[2]} ms | ${figures[3]} | ${figures[4]} |`,
    );
  }
  console.log(`\nWithin 25 %: ${held} of ${programs.length}.`);
}

async function loop({ items, fn }: Program): Promise<void> {
  for (const item of items) await fn(item);
}

/** A new pool, as advised. */
async function follow({ items, fn }: Program, { backend, workers, concurrency }: Advice): Promise<number> {
  const pool = createPool(backend, { workers, concurrency });
  const ms = await timed(() => pool.map(items, fn, { progress: false }));
  await pool.close();
  return ms;
}
