/**
 * Traces of the kernel's own errors, in the reader's terms: places in their cells as they wrote them, and nothing of what
 * tslab, Node, this package and those that it calls do in between. `NODE_DEBUG=tslab-parallel` shows everything.
 */
import { join } from 'node:path';
import { debuglog } from 'node:util';
import { lineIn } from './lines';
import { cellOf, knownScript } from './script';

/** The file name that V8 gives a cell's program, so that its frames can be told from others. */
const NAME = /^cell \[(\d+)\]$/;

const scripts = new Map<string, string>();

/** The name under which a cell is to run. */
export function nameCell(number: number, scriptId: string): void {
  scripts.set(`cell [${number}]`, scriptId);
}

/** Makes `error.stack` short, for errors made from now on. */
export function shortenTraces(): void {
  if (debuglog('tslab-parallel').enabled) return;
  const packages = ['tslab/dist', 'workerpool', 'node-fetch', 'undici', 'vega', 'vega-lite'];
  const hidden = [
    join(__dirname, '..', '..'),
    'node:',
    'evalmachine.<anonymous>',
    ...packages.map((name) => `/node_modules/${name}/`),
  ];
  const isHidden = (file: string) =>
    hidden.some((part) => file.replaceAll('\\', '/').includes(part.replaceAll('\\', '/')));
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.flatMap((frame) => {
      const file = frame.getFileName() ?? '';
      const place = placeIn(file, frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1);
      if (place === CALL) return [];
      if (place) {
        const name = frame.getFunctionName();
        const waited = frame.isAsync?.() ? 'async ' : '';
        return [name ? `\n    at ${waited}${name} (${place})` : `\n    at ${place}`];
      }
      return file === '' || isHidden(file) ? [] : [`\n    at ${frame}`];
    });
    return `${head(error)}${lines.join('')}`;
  };
}

/** tslab wraps a cell's program into a function; this is where that is called. */
const CALL = 'call';

/** `cell [5], line 3`, or undefined for what is not in a cell. */
function placeIn(file: string, line: number, column: number): string | undefined {
  if (!NAME.test(file)) return undefined;
  const id = scripts.get(file);
  const cell = id === undefined ? undefined : cellOf(id);
  const script = id === undefined ? undefined : knownScript(id);
  if (!cell || !script) return file;
  const offset = script.offset(line - 1, column - 1);
  if (offset > script.text.lastIndexOf('\n})(')) return CALL;
  const number = lineIn(cell.source, script.text, offset);
  return number === undefined ? file : `${file}, line ${number}`;
}

/** What V8 writes above the frames. */
function head(error: unknown): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}
