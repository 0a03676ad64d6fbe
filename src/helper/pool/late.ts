/** Failures that nobody waits for: of a run that nobody awaited, and of what an item left behind. */
import { words } from '../errors';
import { inNotebook } from '../notebook';
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

/** Nothing is lost silently: a run's failure that nobody asked for is said. */
export function mention(job: Job, error: unknown): void {
  const said = () => {
    clearTimeout(timer);
    process.off('beforeExit', said);
    if (job.run.isAwaited) return;
    if (inNotebook())
      job.write.stderr(`"${job.record.label}" failed and nobody awaited it: ${words(error)}\n`);
    // A script ends, as by any rejection that nobody handles.
    else void Promise.reject(error);
  };
  const timer = setTimeout(said, 1000);
  timer.unref();
  if (!inNotebook()) process.once('beforeExit', said);
}
