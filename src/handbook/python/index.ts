/** The same program in Python, run here and now, for comparison. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { inspect } from 'node:util';
import { checkMilliseconds, checkOptions, refuse } from '../../helper/arguments';
import { InterruptedError, OwnError, TimeoutError } from '../../helper/errors';
import { display, inNotebook, onInterrupt } from '../../helper/notebook';
import { printable } from '../../helper/printable';
import type { RunRecord, Span } from '../../helper/record';
import { after } from '../../helper/timer';
import { sawPython } from '../claims';
import { findInterpreter } from './interpreter';
import { parse, stringify } from './json';

/** A file, not compiled: it stands in the sources' folder. */
const RUNNER = join(__dirname, '..', '..', '..', 'handbook', 'python', 'runner.py');
/** Also what multiprocessing's spawned workers run to find the program's functions. */
const MAIN = 'from _tslab_parallel import run\n\nrun(globals())\n';

export interface PythonOptions {
  /**
   * What the program finds in its variable `data`: numbers, text, lists, plain objects; a `bigint` becomes an int and
   * a typed array a list. Default: `data` is None.
   */
  input?: unknown;
  /**
   * Which Python: a path or a command on PATH. Default: the nearest `.venv` from the working directory upwards, then
   * `python3` or `python` on PATH.
   */
  interpreter?: string;
  /** Names the record in charts. Default `Python`. */
  label?: string;
  /** `true`: what the program prints is only kept in `output` and not shown in the cell. Default false. */
  quiet?: boolean;
  /** Ends the program; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds for the program, its interpreter's start included; then it is ended. Default: no limit. */
  timeoutMs?: number;
}

/** What a Python program did. It can be drawn like any other record. */
export interface PythonRun extends RunRecord {
  /** What the program printed, standard output and standard error, in the order it came; of very much the first and the last 4 MB. */
  readonly output: string;
  /** The value of the program's last expression; null where it ends with a statement. */
  readonly value: unknown;
  /** Milliseconds from the call to the program's first line, or to `start_clock()`: what `wallMs` leaves out. */
  readonly startupMs: number;
  /** Python's version, such as `3.12.4`. */
  readonly version: string;
}

/** The Python program raised an exception, or ended before its last line. */
export class PythonError extends OwnError {
  override name = 'PythonError';
  /** Python's own traceback, of the program's lines only; empty if the program was ended from outside. */
  readonly traceback: string;
  /** What the program had printed. */
  readonly output: string;

  constructor(message: string, traceback: string, output: string) {
    super(message);
    // Not enumerable, or Node would print both once more below the error.
    this.traceback = traceback;
    this.output = output;
    Object.defineProperties(this, { name: hidden, traceback: hidden, output: hidden });
    this.stack = `PythonError: ${message}${traceback ? `\n${traceback.trimEnd()}` : ''}`;
  }
}

const hidden = { enumerable: false };

/** What the runner writes when the program is over. Times are seconds of the system's monotonic clock. */
interface Result {
  version: string;
  /** Whether it has a GIL that is in force. */
  gil: boolean;
  executable: string;
  startedAt: number;
  start: number;
  end: number;
  spans: Row[];
  value?: unknown;
  notJson?: string;
  error?: { type: string; message: string; traceback: string; missing?: string };
}

interface Row {
  kind: 'span' | 'tick';
  label: string | null;
  lane: string;
  start: number;
  end: number;
  error: string | null;
  id?: string;
}

/**
 * Runs `main(**knobs)` of a file, looked for in the folder `python` beside the notebook and beside the notebook itself, and
 * shows its source, folded, above what it prints. `main` may be `async`; what it returns is the `value`.
 *
 * `from spans import span` in the file (see `notebooks/python/spans.py`) draws blocks here and does nothing when the file runs alone.
 *
 * @example await python('print_sum.py', { workers: 3 })
 * @param knobs keyword arguments of `main`: numbers, text, lists, plain objects
 */
export function python(
  file: `${string}.py`,
  knobs?: Readonly<Record<string, unknown>>,
  options?: Omit<PythonOptions, 'input'>,
): Promise<PythonRun>;
/**
 * Runs a Python program and returns what it did, printed and gave back.
 *
 * What the program prints appears in the cell line by line, and its last expression is the `value`, as in a cell of a
 * Python notebook (`await` at the top level works too). A whole number beyond 2^53 comes back as a `bigint`. Write the
 * program as `` String.raw`…` `` if it has backslashes.
 *
 * The program can use, without an import:
 * - `data`: the option `input`
 * - `with span(label, lane=None):` draws what runs inside as one block. The lane is the thread's or process's name,
 *   within asyncio `task 1`, `task 2`, … `@span(label)` before a function draws each of its calls.
 * - `tick(label=None)`: "this thread is running now". A thread's ticks become one block for as long as no other thread
 *   ticks: called in the loops of several threads, it draws who held the GIL.
 *
 * - `start_clock()`: the program's time begins here; what came before it, such as imports, is not counted
 *
 * The first two work in multiprocessing's workers too. Without any `span` the record has one block, the whole program.
 * `wallMs` is the program's own time, from before its first line (or `start_clock()`) to after its last.
 *
 * @throws PythonError with Python's traceback; InterruptedError when the cell is interrupted, which ends the program and
 * all processes it started; TimeoutError; TypeError for a bad argument, or where the last expression is not JSON.
 */
export function python(source: string, options?: PythonOptions): Promise<PythonRun>;
export async function python(
  program: string,
  second: object = {},
  third: Omit<PythonOptions, 'input'> = {},
): Promise<PythonRun> {
  if (typeof program !== 'string') refuse('source', 'a Python program as a string', program);
  const isFile = /^[^\r\n]+\.py$/.test(program);
  const options: PythonOptions = isFile ? third : second;
  checkOptions('python options', options, isFile ? OPTIONS.filter((name) => name !== 'input') : OPTIONS);
  const { input, interpreter, label = 'Python', quiet = false, signal, timeoutMs } = options;
  if (interpreter !== undefined && (typeof interpreter !== 'string' || interpreter === '')) {
    refuse('interpreter', 'the path of a Python', interpreter);
  }
  if (typeof label !== 'string') refuse('label', 'a string', label);
  if (typeof quiet !== 'boolean') refuse('quiet', 'true or false', quiet);
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse('signal', 'an AbortSignal', signal);
  checkMilliseconds('timeoutMs', timeoutMs);
  const file = isFile ? findFile(program) : undefined;
  const data = file ? stringify({ file, knobs: second }, 'knobs') : stringify(input);
  const command = findInterpreter(interpreter);
  signal?.throwIfAborted();

  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-python-'));
  try {
    writeFileSync(join(folder, 'main.py'), MAIN);
    copyFileSync(RUNNER, join(folder, '_tslab_parallel.py'));
    if (file) {
      writeFileSync(join(folder, 'program.json'), data);
      if (!quiet) showSource(file);
    } else {
      writeFileSync(join(folder, 'program.py'), program);
      writeFileSync(join(folder, 'input.json'), data);
    }
    const calledAt = Date.now();
    const ended = await run(command, join(folder, 'main.py'), { quiet, signal, timeoutMs });
    const result = readResult(folder);
    if (!result) throw new PythonError(whyEnded(command, ended), '', ended.output);
    if (result.error) throw pythonError(result, ended.output);
    sawPython(result.gil ? result.version : `${result.version} without GIL`);
    if (result.notJson !== undefined) {
      const advice = file ? 'Let main() return' : 'End the program with';
      throw new TypeError(
        `python() can't return the program's value: ${result.notJson}. ${advice} numbers, text, True, False, None, or lists and dicts of those.`,
      );
    }
    return toRun(label, result, readRows(folder, result), ended.output, calledAt);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @throws Error that says where it was looked for and which programs there are */
function findFile(name: string): string {
  const places = [resolve('python', name), resolve(name)];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  const folder = resolve('python');
  const programs = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.py')) : [];
  const others = programs.length > 0 ? `; there are ${programs.join(', ')}` : '';
  throw new Error(`There is no Python program ${name} in ${folder} or ${process.cwd()}${others}.`);
}

/** Folded, and coloured by whoever renders Markdown. */
function showSource(file: string): void {
  const source = readFileSync(file, 'utf8').trimEnd();
  // A fence must be longer than any in the text.
  const longest = Math.max(2, ...[...source.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const name = relative('', file).replaceAll('\\', '/');
  display({
    data: {
      'text/markdown': `<details>\n<summary><code>${name.startsWith('..') ? basename(file) : name}</code></summary>\n\n${fence}python\n${source}\n${fence}\n\n</details>`,
      'text/plain': source,
    },
  });
}

const OPTIONS = ['input', 'interpreter', 'label', 'quiet', 'signal', 'timeoutMs'];

/** What is kept of a program's output, and what is shown of it: so many characters from its beginning, and as many from its end. */
const MOST_PRINTED = 4_000_000;

class Printed {
  #head = '';
  #tail = '';
  #left = 0;

  /** What of it is to be shown as it comes. */
  add(text: string): string {
    const room = MOST_PRINTED - this.#head.length;
    const shown = text.slice(0, room);
    this.#head += shown;
    const rest = text.slice(shown.length);
    if (rest === '') return shown;
    const isFirst = this.#left === 0 && this.#tail === '';
    this.#tail += rest;
    if (this.#tail.length > 2 * MOST_PRINTED) {
      this.#left += this.#tail.length - MOST_PRINTED;
      this.#tail = this.#tail.slice(-MOST_PRINTED);
    }
    return isFirst
      ? `${shown}\n[the program prints more than ${MOST_PRINTED} characters; see "output" for the last of them]\n`
      : shown;
  }

  toString(): string {
    const over = Math.max(0, this.#tail.length - MOST_PRINTED);
    const left = this.#left + over;
    const gap = left > 0 ? `\n[${left} characters are left out here]\n` : '';
    return `${this.#head}${gap}${this.#tail.slice(over)}`;
  }
}

interface Ended {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs main.py to its end, and ends whatever it left behind. */
function run(
  command: string,
  main: string,
  { quiet, signal, timeoutMs }: Pick<PythonOptions, 'quiet' | 'signal' | 'timeoutMs'>,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [main], {
      // A group of its own: the stop button's SIGINT, which Jupyter sends to the kernel's group, doesn't reach it, and
      // all it started can be ended at once. Its standard input tells it whether the kernel lives.
      detached: process.platform !== 'win32',
      stdio: ['pipe', 'pipe', 'pipe'],
      // Not unbuffered: then `print` writes a line in pieces, and those of several threads or processes mix.
      env: {
        ...process.env,
        PYTHONUTF8: '1',
        PYTHONUNBUFFERED: '',
        PYTHONDONTWRITEBYTECODE: '1',
        // It runs whatever its packages bring along: the cluster's secret is none of its business.
        TSLAB_PARALLEL_SECRET: undefined,
      },
      windowsHide: true,
    });
    // A kernel that is told to shut down waits for what is referenced; a script must wait for the program.
    if (inNotebook()) {
      for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
        (handle as { unref?: () => void }).unref?.();
      }
    }

    const printed = new Printed();
    for (const name of ['stdout', 'stderr'] as const) {
      const decoder = new StringDecoder('utf8');
      // tslab replaces `write` with every cell: the program's lines belong to the cell that started it.
      const write = process[name].write.bind(process[name]);
      child[name].on('data', (chunk: Buffer) => {
        const text = decoder.write(chunk);
        const shown = printed.add(text);
        if (!quiet && shown !== '') write(shown);
      });
    }
    child.stdin.on('error', () => {}); // it has ended: 'exit' tells

    const stop = (reason: unknown) => {
      killGroup(child);
      // Where the signal or the timer came in helps nobody.
      if (reason instanceof InterruptedError || reason instanceof TimeoutError) {
        reason.stack = `${reason.name}: ${reason.message}`;
      }
      settle();
      // At once: tslab waits for no exit before it gives an interrupted cell an error of its own.
      reject(reason);
    };
    const onAbort = () => stop(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const stopListening = onInterrupt(() =>
      stop(new InterruptedError('The Python program was interrupted.')),
    );
    const timer =
      timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : after(timeoutMs, () =>
            stop(new TimeoutError(`The Python program took longer than timeoutMs: ${timeoutMs}.`)),
          ).unref();
    const settle = () => {
      clearTimeout(timer);
      stopListening();
      signal?.removeEventListener('abort', onAbort);
    };

    child.on('error', (error) => {
      settle();
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.on('exit', (code, killedBy) => {
      // Children it did not wait for, such as a pool's after an exception.
      killGroup(child);
      // What was printed last is still in the pipes, unless a process that left the group keeps them open.
      const grace = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, 1000);
      child.on('close', () => {
        clearTimeout(grace);
        settle();
        resolve({ code, killedBy, output: printed.toString() });
      });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

function readResult(folder: string): Result | undefined {
  try {
    return parse(readFileSync(join(folder, 'result.json'), 'utf8')) as Result;
  } catch {
    return undefined;
  }
}

/** What the program's process and its children put on the record; a block that was reported as it grew comes once. */
function readRows(folder: string, result: Result): Row[] {
  let lines: string[] = [];
  try {
    lines = readFileSync(join(folder, 'spans.jsonl'), 'utf8').split('\n');
  } catch {
    // No child drew anything.
  }
  const read = lines.filter(Boolean).map(rowOf);
  const broken = read.filter((row) => row === undefined).length;
  if (broken > 0) {
    process.stderr.write(
      `${broken} ${broken === 1 ? 'block' : 'blocks'} of the Python program's processes can't be read and ${broken === 1 ? 'is' : 'are'} left out of the record: ${broken === 1 ? 'its line was' : 'their lines were'} cut off or overwritten.\n`,
    );
  }
  const rows = [...result.spans, ...read.filter((row) => row !== undefined)];
  return [...new Map(rows.map((row, at) => [row.id ?? at, row])).values()].sort((a, b) => a.start - b.start);
}

/** Undefined for what is no row: a process may be killed in mid-write. */
function rowOf(line: string): Row | undefined {
  try {
    const row = JSON.parse(line) as Row;
    const isRow = typeof row.lane === 'string' && Number.isFinite(row.start) && Number.isFinite(row.end);
    return isRow ? row : undefined;
  } catch {
    return undefined;
  }
}

function toRun(label: string, result: Result, rows: Row[], output: string, calledAt: number): PythonRun {
  const ms = (seconds: number) => (seconds - result.start) * 1000;
  let items = 0;
  const spans = rows.map((row): Span => {
    const span: Span = {
      index: row.kind === 'span' ? items++ : -1,
      count: 1,
      lane: row.lane,
      queuedMs: 0,
      startMs: ms(row.start),
      endMs: ms(row.end),
      status: row.error === null ? 'ok' : 'failed',
      attempt: 1,
    };
    if (row.label !== null) span.label = row.label;
    if (row.error !== null) span.error = row.error;
    return span;
  });
  // Threads that the program did not wait for go on after its last line.
  const wallMs = spans.reduce((latest, span) => Math.max(latest, span.endMs), ms(result.end));
  if (spans.length === 0) {
    spans.push({
      index: 0,
      count: 1,
      lane: 'MainThread',
      queuedMs: 0,
      startMs: 0,
      endMs: wallMs,
      status: 'ok',
      attempt: 1,
      label,
    });
  }
  const failed = spans.filter((span) => span.status === 'failed').length;
  const total = Math.max(items, 1);
  const run: PythonRun = {
    label,
    backend: 'python',
    workers: new Set(spans.map((span) => span.lane)).size,
    startedAt: new Date(result.startedAt).toISOString(),
    wallMs,
    status: 'done',
    total,
    ok: total - failed,
    failed,
    cancelled: 0,
    spans,
    output,
    value: result.value ?? null,
    startupMs: Math.max(0, result.startedAt - calledAt),
    version: result.version,
  };
  Object.defineProperty(run, inspect.custom, { value: () => describe(run), enumerable: false });
  return run;
}

/** As a cell's last expression. */
function describe(run: PythonRun): string {
  const blocks = `${run.spans.length} ${run.spans.length === 1 ? 'block' : 'blocks'} on ${run.workers} ${run.workers === 1 ? 'lane' : 'lanes'}`;
  const lines = run.output.split('\n').length - 1;
  const printed = lines > 0 ? `, ${lines} ${lines === 1 ? 'line' : 'lines'} printed` : '';
  const value = run.value === null ? '' : `\nvalue: ${inspect(run.value, { depth: 1, maxArrayLength: 10 })}`;
  return `${printable(run.label)}: ${run.wallMs.toFixed(1)} ms in Python ${run.version} (and ${run.startupMs.toFixed(0)} ms to start it), ${blocks}${printed}${value}`;
}

function pythonError(result: Result, output: string): PythonError {
  const error = result.error!;
  const message = error.missing
    ? `The Python program imports "${error.missing}", which ${result.executable} doesn't have. Install it: ${result.executable} -m pip install ${PACKAGE_OF[error.missing] ?? error.missing}`
    : error.message;
  return new PythonError(message, error.traceback, output);
}

/** Where a package is not called as its module. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  bs4: 'beautifulsoup4',
  cv2: 'opencv-python',
  PIL: 'pillow',
  sklearn: 'scikit-learn',
  yaml: 'pyyaml',
};

/** The program ended without a result: `os._exit`, a crash, killed, or no Python 3 at all. */
function whyEnded(command: string, { code, killedBy, output }: Ended): string {
  const signal =
    killedBy ?? Object.entries(constants.signals).find(([, number]) => 128 + number === code)?.[0];
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  const last = output.trimEnd().split('\n').at(-1);
  return `Python (${command}) ${how} before the program's last line${last ? `. The last it said: ${last}` : '.'}`;
}
