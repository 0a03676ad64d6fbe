/** Interleaved rounds and medians: on a noisy machine only what ran side by side can be compared. */
export interface Contender {
  readonly name: string;
  /** One round; returns its milliseconds. */
  run(): Promise<number> | number;
  /** Not every round, for what is slow. */
  readonly rounds?: number;
}

export interface Target {
  readonly text: string;
  /** The figure that is compared, from the medians by name. */
  figure(ms: (name: string) => number): number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Row {
  readonly name: string;
  readonly contenders: readonly Contender[];
  readonly targets: readonly Target[];
  readonly rounds: number;
}

export interface Measured {
  readonly row: string;
  readonly medians: Record<string, number>;
  readonly targets: readonly { text: string; figure: number; target: string; held: boolean }[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export async function measure(row: Row): Promise<Measured> {
  const times = new Map<string, number[]>(row.contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < row.rounds; round++) {
    for (const { name, run, rounds = row.rounds } of row.contenders) {
      if (round < rounds) times.get(name)!.push(await run());
    }
  }
  const medians = Object.fromEntries([...times].map(([name, values]) => [name, median(values)]));
  const targets = row.targets.map(({ text, figure, atLeast, atMost }) => {
    const value = figure((name) => {
      const ms = medians[name];
      if (ms === undefined) throw new Error(`${row.name} has no contender "${name}"`);
      return ms;
    });
    const held = atLeast === undefined ? value <= atMost! : value >= atLeast;
    return { text, figure: value, target: atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`, held };
  });
  return { row: row.name, medians, targets };
}

export function print({ row, medians, targets }: Measured): void {
  console.log(`\n${row}`);
  for (const [name, ms] of Object.entries(medians))
    console.log(`  ${name.padEnd(44)} ${ms.toPrecision(4).padStart(10)} ms`);
  for (const { text, figure, target, held } of targets) {
    console.log(`  ${held ? 'held  ' : 'missed'} ${text}: ${figure.toPrecision(3)} (target ${target})`);
  }
}

/** Milliseconds that it takes. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
