/** Errors that come when an item has been answered. */
import { words } from '../errors';
import type { Job } from './job';

/** Of the last runs: where they print, for what their items leave behind. */
const writers = new Map<number, { label: string; write: Job['write'] }>();
const MOST_WRITERS = 200;

/** Keeps where a run prints. */
export function writersOf(run: number, label: string, write: Job['write']): void {
  writers.set(run, { label, write });
  if (writers.size > MOST_WRITERS) writers.delete(writers.keys().next().value!);
}

/** Says what an item did when it had been answered: nobody else's item failed of it. */
export function tellLate(
  from: { run: number; item: number; count: number } | undefined,
  error: unknown,
): void {
  const writer = from && writers.get(from.run);
  const items =
    from &&
    (from.count === 1
      ? `Item ${from.item}`
      : `One of the items ${from.item} to ${from.item + from.count - 1}`);
  const whose = writer ? `${items} of "${writer.label}"` : 'An item of an earlier run';
  const line = `${whose} left something behind that failed later: ${words(error)}\n`;
  if (writer) writer.write.stderr(line);
  else process.stderr.write(line);
}
