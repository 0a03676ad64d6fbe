/** Shows places in code as lines of the cell that the reader wrote, not of the program that was made of it. */
import { diff } from './lazy';
import { cellOf, knownScript, type Location } from './script';
import { fileOf } from './variables';

/** A line in a message: `cell [5], line 3: socket.write(x)`. */
export interface Line {
  /** `line 3 of cell [5]`, or `line 1 of \`send\`` where the cell isn't known. */
  readonly where: string;
  readonly code: string;
}

interface Word {
  readonly text: string;
  readonly at: number;
}

/** Names and numbers: what a compiler leaves as it is. */
function words(text: string): Word[] {
  return Array.from(text.matchAll(/[\p{ID_Start}$_][\p{ID_Continue}$]*|\d+/gu), (match) => ({
    text: match[0],
    at: match.index!,
  }));
}

/** Where in the source the program's code at `offset` comes from: both are the same words, but for a few. */
function sourceOffset(program: string, offset: number, source: string): number | undefined {
  const theirs = words(source);
  const ours = words(program);
  const wanted = ours.findIndex(({ text, at }) => at + text.length > offset);
  if (wanted < 0) return undefined;
  let nearest: number | undefined;
  let [i, j] = [0, 0];
  for (const { count, added, removed } of diff().diffArrays(
    theirs.map(({ text }) => text),
    ours.map(({ text }) => text),
  )) {
    if (added) j += count;
    else if (removed) i += count;
    else {
      if (wanted < j + count) return theirs[wanted < j ? i : i + wanted - j]?.at;
      i += count;
      j += count;
      nearest = theirs[i - 1]?.at;
    }
  }
  return nearest;
}

/** The line of the source, from 1, of what stands at this offset of the program; undefined where that can't be told. */
export function lineIn(source: string, program: string, offset: number): number | undefined {
  const at = sourceOffset(program, offset, source);
  return at === undefined ? undefined : lineAt(source, at).number;
}

/**
 * The reader's line of a place in a function.
 * @param location where the function begins, if that is known
 * @param position of the place in the function's text
 */
export function lineOf(name: string, text: string, position: number, location: Location | undefined): Line {
  const script = location && knownScript(location.scriptId);
  const cell = location && cellOf(location.scriptId);
  const start = script?.start(location!, text);
  if (script && cell && start !== undefined) {
    const offset = sourceOffset(script.text, start + position, cell.source);
    if (offset !== undefined) {
      const line = lineAt(cell.source, offset);
      return { where: `line ${line.number} of cell [${cell.number}]`, code: line.code };
    }
  }
  const line = lineAt(text, position);
  return { where: `line ${line.number} of \`${name}\``, code: readable(line.code) };
}

function lineAt(text: string, offset: number): { number: number; code: string } {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return {
    number: text.slice(0, offset).split('\n').length,
    code: text.slice(start, end < 0 ? undefined : end).trim(),
  };
}

/** The compiled line with the names that the reader gave: `(0, os_1.cpus)` is `cpus`, `exports.x` is `x`. */
function readable(code: string): string {
  return code.replace(/\bexports\.(?=[\p{ID_Start}$_])/gu, '').replace(/\(0, (?:[\w$]+\.)?([\w$]+)\)/g, '$1');
}

interface File {
  readonly name: string;
  readonly text: string;
  readonly location: Location;
}

const files = new Map<string, File>();
const LIMIT = 5000;
let last = 0;

/** The file name under which a function's code will appear in traces. */
export function fileFor(name: string, text: string, location: Location): string {
  const file = `notebook/${name.replace(/[^\p{ID_Continue}$]/gu, '_') || 'function'}.${++last}`;
  if (files.size >= LIMIT) files.delete(files.keys().next().value!);
  files.set(file, { name: name || 'function', text, location });
  return file;
}

/** A trace whose places are the reader's lines. */
export function readableTrace(stack: string): string {
  return stack.replace(/notebook\/[\p{ID_Continue}$]+\.\d+:(\d+):\d+/gu, (place, number: string) => {
    const file = files.get(place.slice(0, place.indexOf(':')));
    if (!file) return place;
    const path = cellOf(file.location.scriptId) ? undefined : fileOf(file.location);
    // What comes before the function in its file counts, too.
    if (path !== undefined) return `${path}:${file.location.line + Number(number)}`;
    const lines = file.text.split('\n');
    const position = lines.slice(0, Number(number) - 1).join('\n').length + (number === '1' ? 0 : 1);
    const indent = /^\s*/.exec(lines[Number(number) - 1] ?? '')![0].length;
    const { where } = lineOf(file.name, file.text, position + indent, file.location);
    return where.replace(/^line (\d+) of (.*)$/, '$2, line $1');
  });
}
