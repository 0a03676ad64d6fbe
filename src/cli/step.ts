/** A failure whose message is all the user needs to know: what is wrong and what to do. Shown without a stack. */
export class CliError extends Error {
  override name = 'CliError';
}

/** Says that `work` is running, and at the end how long it took. In a terminal the seconds are counted meanwhile. */
export async function step<T>(label: string, work: () => Promise<T>): Promise<T> {
  const before = performance.now();
  const seconds = (digits: number) => `${((performance.now() - before) / 1000).toFixed(digits)} s`;
  process.stdout.write(`${label} ... `);
  const ticking = process.stdout.isTTY
    ? setInterval(() => process.stdout.write(`\r${label} ... ${seconds(0)}`), 1000)
    : undefined;
  const end = (text: string) => {
    clearInterval(ticking);
    process.stdout.write(`${ticking ? `\r${label} ... ` : ''}${text}\n`);
  };
  try {
    const result = await work();
    end(seconds(1));
    return result;
  } catch (error) {
    end('failed');
    throw error;
  }
}
