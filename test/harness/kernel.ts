/**
 * A real tslab kernel, driven as a Jupyter front end drives it (through jupyter_client, see kernel_driver.py).
 * Linux only where it counts processes: that reads /proc.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** The repository, seen from test/dist/harness/. */
export const root = resolve(__dirname, '..', '..', '..');

/** A room of the package, for cells: the package's doors don't lead there. */
export const room = (name: string): string => join(root, 'src', 'dist', name).replaceAll('\\', '/');

/** Python of the repository's `.venv`. */
export const python = join(
  root,
  '.venv',
  ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']),
);

export interface StreamOutput {
  type: 'stream';
  name: 'stdout' | 'stderr';
  text: string;
}

/** One display bundle: MIME type to content, as it is after all updates so far. */
export interface DisplayOutput {
  type: 'display';
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  /** Its display_id, if it has one. */
  id?: string;
  /** How often it was updated. */
  updates: number;
}

export type Output = StreamOutput | DisplayOutput;

export interface CellResult {
  ok: boolean;
  /** 'aborted': tslab did not run it, because a cell before it failed a moment ago. */
  status: 'ok' | 'error' | 'aborted';
  outputs: Output[];
  displays: DisplayOutput[];
  stdout: string;
  stderr: string;
  /** What a failed cell said (tslab prints errors on stderr); '' for one that succeeded. */
  error: string;
  /** From the request to the kernel's idle status. */
  ms: number;
}

interface Message {
  id?: number;
  result?: unknown;
  error?: string;
  cell?: number;
  type?: string;
  content?: Record<string, unknown>;
}

/** A cell that was sent to the kernel. Its outputs grow while it runs (and after, if something goes on printing). */
export class Cell {
  readonly outputs: Output[] = [];
  /** Settles when the kernel is idle again; rejects when the kernel died or the time was up. */
  readonly done: Promise<CellResult>;
  settle!: (result: { status: string; ms: number }) => void;
  fail!: (error: Error) => void;
  private readonly watchers = new Set<() => void>();

  constructor(readonly code: string) {
    this.done = new Promise((resolve, reject) => {
      this.settle = ({ status, ms }) => resolve(this.result(status, ms));
      this.fail = reject;
    });
    this.done.catch(() => {}); // a test may look at `printed` only
  }

  text(name: 'stdout' | 'stderr'): string {
    return this.outputs
      .map((output) => (output.type === 'stream' && output.name === name ? output.text : ''))
      .join('');
  }

  add(output: Output): void {
    const last = this.outputs.at(-1);
    if (output.type === 'stream' && last?.type === 'stream' && last.name === output.name)
      last.text += output.text;
    else this.outputs.push(output);
    for (const watcher of this.watchers) watcher();
  }

  /** Waits until the cell has printed `text`; rejects if it ended without, or takes too long. */
  async printed(text: string, { timeoutMs = 30_000 } = {}): Promise<void> {
    const seen = () => this.text('stdout').includes(text) || this.text('stderr').includes(text);
    let watcher = () => {};
    const found = new Promise<void>((resolve) => {
      watcher = () => seen() && resolve();
      this.watchers.add(watcher);
      watcher();
    });
    const ended = this.done.then((result) => {
      if (!seen())
        throw new Error(`The cell ended without printing "${text}":\n${result.stdout}${result.stderr}`);
    });
    const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
      throw new Error(
        `The cell did not print "${text}" in ${timeoutMs} ms:\n${this.text('stdout')}${this.text('stderr')}`,
      );
    });
    await Promise.race([found, ended, late]).finally(() => this.watchers.delete(watcher));
  }

  private result(status: string, ms: number): CellResult {
    const stderr = this.text('stderr');
    return {
      ok: status === 'ok',
      status: status === 'ok' || status === 'error' ? status : 'aborted',
      outputs: this.outputs,
      displays: this.outputs.filter((output) => output.type === 'display'),
      stdout: this.text('stdout'),
      stderr,
      error: status === 'ok' ? '' : stderr || `(status ${status}, nothing on stderr)`,
      ms,
    };
  }
}

export interface KernelOptions {
  /** Where the kernel runs, so where its imports resolve from; default: `notebooks/`. */
  cwd?: string;
  /** The Node that runs it; default: this one. */
  node?: string;
  /** tslab's start script; default: the one that resolves from `cwd`. */
  tslab?: string;
  env?: Record<string, string>;
}

export class Kernel {
  /** The kernel's process id; another one after `restart`. */
  pid = 0;
  /** What the kernel's process printed outside any cell. */
  log = '';
  private readonly driver: ChildProcess;
  private readonly runtimeDir = mkdtempSync(join(tmpdir(), 'tslab-parallel-kernel-'));
  private readonly calls = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void }
  >();
  private readonly cells = new Map<number, Cell>();
  private readonly running = new Set<Cell>();
  private readonly displays = new Map<string, DisplayOutput[]>();
  private lastId = 0;
  private failedAt = Number.NEGATIVE_INFINITY;

  /** Starts a kernel and waits until it answers. */
  static async start(options: KernelOptions = {}): Promise<Kernel> {
    const kernel = new Kernel();
    const cwd = options.cwd ?? join(root, 'notebooks');
    const tslab =
      options.tslab ??
      join(dirname(createRequire(join(cwd, '_')).resolve('tslab/package.json')), 'bin', 'tslab');
    const argv = [options.node ?? process.execPath, tslab, 'kernel', '--config-path', '{connection_file}'];
    try {
      const { pid } = await kernel.call<{ pid: number }>('start', { argv, cwd, env: options.env ?? {} });
      kernel.pid = pid;
    } catch (error) {
      await kernel.close();
      throw new Error(`The kernel did not start: ${(error as Error).message}\n${kernel.log}`);
    }
    return kernel;
  }

  private constructor() {
    this.driver = spawn(python, [join(root, 'test', 'harness', 'kernel_driver.py')], {
      env: { ...process.env, JUPYTER_RUNTIME_DIR: this.runtimeDir },
    });
    this.driver.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    this.driver.on('error', (error) => this.lost(error));
    this.driver.on('exit', () => this.lost(new Error(`The kernel's driver ended.\n${this.log}`)));
    createInterface({ input: this.driver.stdout! }).on('line', (line) => this.receive(JSON.parse(line)));
  }

  /** Runs a cell and waits until the kernel is idle; again, as a reader would, if tslab aborted it. */
  async run(code: string, options: { timeoutMs?: number } = {}): Promise<CellResult> {
    for (let attempts = 1; ; attempts++) {
      const result = await this.runOnce(code, options);
      if (result.status !== 'aborted' || attempts === 5) return result;
    }
  }

  private async runOnce(code: string, { timeoutMs = 120_000 }: { timeoutMs?: number }): Promise<CellResult> {
    const cell = await this.begin(code);
    const timer = setTimeout(() => {
      cell.fail(
        new Error(
          `The cell was still running after ${timeoutMs} ms:\n${code}\n${cell.text('stdout')}${cell.text('stderr')}`,
        ),
      );
    }, timeoutMs);
    return cell.done.finally(() => clearTimeout(timer));
  }

  /** Sends a cell without waiting for its end. */
  async begin(code: string): Promise<Cell> {
    // tslab aborts every cell that arrives within 200 ms after one that failed; a busy machine stretches them.
    const wait = this.failedAt + 250 - performance.now();
    if (wait > 0) await sleep(wait);
    const cell = new Cell(code);
    this.running.add(cell);
    const id = ++this.lastId;
    this.cells.set(id, cell);
    await this.call('run', { cell: id, code });
    return cell;
  }

  /** The stop button: SIGINT to the kernel's process group. */
  async interrupt(): Promise<void> {
    await this.call('interrupt');
  }

  /**
   * The restart button.
   * @returns `stopMs`: until the old process was gone and the new one begun; `ms`: until it answered;
   * `exitCode`: of the old one, 0 if it ended by itself, minus the signal's number if a signal ended it (jupyter_client
   * sends SIGTERM to one that is still there after 2.5 s).
   */
  async restart(): Promise<{ ms: number; stopMs: number; exitCode: number }> {
    const { pid, ...result } = await this.call<{ pid: number; ms: number; stopMs: number; exitCode: number }>(
      'restart',
    );
    this.pid = pid;
    this.abandon(new Error('The kernel was restarted while the cell was running.'));
    this.failedAt = Number.NEGATIVE_INFINITY;
    return result;
  }

  /** SIGKILL to the kernel's process alone; what it started is left to itself. */
  kill(): void {
    process.kill(this.pid, 'SIGKILL');
  }

  /** Living processes that the kernel started, directly or not, also after the kernel itself has died. */
  children(): number[] {
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(readStat);
    const found = new Set<number>([this.pid]);
    for (let before = 0; before < found.size; ) {
      before = found.size;
      // jupyter_client starts a kernel in a session of its own, so its orphans are still recognised.
      for (const { pid, parent, session } of processes)
        if (found.has(parent) || session === this.pid) found.add(pid);
    }
    found.delete(this.pid);
    return [...found];
  }

  openFds(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  threads(): number {
    return readdirSync(`/proc/${this.pid}/task`).length;
  }

  /** CPU time that the kernel itself has used so far, on all its threads, in milliseconds; resolution 10. */
  cpuMs(): number {
    return readStat(`${this.pid}`)[0]?.cpuMs ?? Number.NaN;
  }

  /** CPU time that the kernel and its children use from now on, within so many milliseconds; in milliseconds. */
  async busyMs(duringMs: number): Promise<number> {
    const used = () =>
      new Map(
        [this.pid, ...this.children()].flatMap((pid) => readStat(`${pid}`)).map((s) => [s.pid, s.cpuMs]),
      );
    const before = used();
    await sleep(duringMs);
    let sum = 0;
    for (const [pid, cpuMs] of used()) sum += cpuMs - (before.get(pid) ?? 0);
    return sum;
  }

  /** Ends the kernel and all that was started for it. */
  async close(): Promise<void> {
    if (this.driver.exitCode === null && this.driver.signalCode === null) {
      const exit = once(this.driver, 'exit');
      this.driver.stdin!.end();
      await exit;
    }
    rmSync(this.runtimeDir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      this.driver.stdin!.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  private receive({ id, result, error, cell: cellId, type, content }: Message): void {
    if (id !== undefined) {
      const call = this.calls.get(id);
      this.calls.delete(id);
      if (error !== undefined) call?.reject(new Error(error));
      else call?.resolve(result as never);
      return;
    }
    if (type === 'died') this.lost(new Error(`The kernel died.\n${this.log}`));
    if (cellId !== undefined || type === 'update_display_data') this.output(cellId, type, content as never);
  }

  private output(cellId: number | undefined, type: string | undefined, content: never): void {
    const cell = this.cells.get(cellId ?? -1);
    if (type === 'stream') {
      const { name, text } = content as { name: 'stdout' | 'stderr'; text: string };
      cell?.add({ type, name, text });
    } else if (type === 'error') {
      cell?.add({
        type: 'stream',
        name: 'stderr',
        text: (content as { traceback: string[] }).traceback.join('\n'),
      });
    } else if (type === 'display_data' || type === 'execute_result' || type === 'update_display_data') {
      const { data, metadata, transient } = content as Pick<DisplayOutput, 'data' | 'metadata'> & {
        transient?: { display_id?: string };
      };
      const id = transient?.display_id;
      const same = id === undefined ? [] : (this.displays.get(id) ?? []);
      for (const shown of same) Object.assign(shown, { data, metadata, updates: shown.updates + 1 });
      if (type === 'update_display_data') return;
      const shown: DisplayOutput = {
        type: 'display',
        data,
        metadata,
        ...(id === undefined ? {} : { id }),
        updates: 0,
      };
      if (id !== undefined) this.displays.set(id, [...same, shown]);
      cell?.add(shown);
    } else if (type === 'done' && cell) {
      const { status } = content as { status: string };
      if (status !== 'ok') this.failedAt = performance.now();
      this.running.delete(cell);
      cell.settle(content);
    }
  }

  private abandon(error: Error): void {
    for (const cell of this.running) cell.fail(error);
    this.running.clear();
  }

  private lost(error: Error): void {
    this.abandon(error);
    if (this.driver.exitCode === null && this.driver.signalCode === null) return;
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }
}

interface Stat {
  pid: number;
  parent: number;
  session: number;
  cpuMs: number;
}

/** A process's line in /proc; nothing for one that is gone or a zombie. */
function readStat(pid: string): Stat[] {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return [];
  }
  // The second field is the program's name in brackets and may contain anything.
  const [state, parent, , session, ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return [];
  // utime and stime are counted in hundredths of a second; fields 14 and 15 of the line, so 7 and 8 of these.
  return [
    {
      pid: Number(pid),
      parent: Number(parent),
      session: Number(session),
      cpuMs: 10 * (Number(rest[7]) + Number(rest[8])),
    },
  ];
}
