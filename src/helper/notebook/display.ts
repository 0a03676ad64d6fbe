import { inspect } from 'node:util';
import { printable } from '../printable';
import { sendAtOnce } from './outgoing';

sendAtOnce();

/** One output in several formats, best first for the viewer: MIME type to content. */
export interface Bundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

type WriteDisplayData = (
  content: { data: object; metadata: object; transient: { display_id?: string } },
  update?: boolean,
) => void;

/**
 * The tslab that runs, if one does: then it was there first. Our own `require('tslab')` may be another copy, so it is
 * looked for among what is loaded, once: that takes a tenth of a millisecond.
 */
const kernels = Object.entries(require.cache)
  .filter(([file]) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file))
  .map(([, module]) => module?.exports as { lastWriteDisplayData?: WriteDisplayData } | undefined);

/** tslab's public `display` sends one MIME type an output; a bundle needs the function beneath it, new with each cell. */
function writer(): WriteDisplayData | undefined {
  for (const kernel of kernels) if (kernel?.lastWriteDisplayData) return kernel.lastWriteDisplayData;
  return undefined;
}

/** True inside a tslab kernel that has begun to run cells. */
export function inNotebook(): boolean {
  return writer() !== undefined;
}

/**
 * Shows a bundle below the running cell.
 * @param id names the output, so that a later call with `update: true` replaces it, even from another cell.
 * @returns false where there is no notebook to show it in.
 */
export function display(bundle: Bundle, id?: string, update = false): boolean {
  const write = writer();
  if (!write) return false;
  write(
    { data: bundle.data, metadata: bundle.metadata ?? {}, transient: id ? { display_id: id } : {} },
    update,
  );
  return true;
}

/**
 * The body of a `[util.inspect.custom](depth, options)` method for values that show themselves: as a cell's last
 * expression (or in `console.log`) the bundle appears, elsewhere and in nested values the text.
 */
export function inspectAs(depth: number, text: () => string, bundle: () => Bundle): string {
  return isLast(depth) && display(bundle()) ? nothing() : printable(text());
}

/** The promise of something that shows itself: as a cell's last expression, without `await`, it is not printed, too. */
export function quiet(promise: Promise<void>): Promise<void> {
  return Object.defineProperty(promise, inspect.custom, {
    value: (depth: number) => (isLast(depth) && inNotebook() ? nothing() : promise),
  });
}

/** Nested values are inspected with less depth left than the top one. */
function isLast(depth: number): boolean {
  return depth === (inspect.defaultOptions.depth ?? 2);
}

/** What `inspect` is to return so that nothing is printed, not even a line's end. */
function nothing(): string {
  // tslab prints the last expression through console.log: without this, an empty line follows each picture.
  const write = process.stdout.write;
  const once = ((...args: Parameters<typeof write>) => {
    if (process.stdout.write === once) process.stdout.write = write;
    return args[0] === '\n' ? true : write.apply(process.stdout, args);
  }) as typeof write;
  process.stdout.write = once;
  return '';
}
