/** Runs the command line as a user does, in a project of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { root } from '../harness/kernel';

/** The `tslab-parallel` program. */
export const program = join(root, 'src', 'dist', 'cli', 'index.js');

/**
 * A folder that is gone after the test.
 * @param files path to content
 */
export function folder(t: TestContext, files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'tslab-parallel-cli-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

/** A folder with the repository's npm packages and Python environment. */
export function project(t: TestContext, files: Record<string, string> = {}): string {
  const path = folder(t, { 'package.json': '{}', ...files });
  for (const name of ['node_modules', '.venv']) symlinkSync(join(root, name), join(path, name));
  return path;
}

/** A notebook of code cells for the tslab kernel. */
export function notebook(...sources: string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'tslab', display_name: 'TypeScript', language: 'typescript' } },
    cells: sources.map((source, index) => ({
      cell_type: 'code',
      id: `cell-${index}`,
      metadata: {},
      execution_count: null,
      outputs: [],
      source,
    })),
  });
}

export class Command {
  /** What it has printed so far, both streams together. */
  output = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #watch = () => {};

  constructor(t: TestContext, argv: string[], { cwd, env = {} }: { cwd: string; env?: NodeJS.ProcessEnv }) {
    this.child = spawn(process.execPath, argv, { cwd, env: { ...process.env, ...env } });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#watch();
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', resolve);
    });
    t.after(() => this.child.kill('SIGKILL'));
  }

  /** Waits until it has printed this. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      this.#watch = () => {
        const match = pattern.exec(this.output);
        if (match) resolve(match);
      };
      this.#watch();
    });
    const ended = this.ended.then(() => {
      throw new Error(`It ended without printing ${pattern}:\n${this.output}`);
    });
    return Promise.race([found, ended]);
  }
}

export async function run(
  t: TestContext,
  argv: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<{ code: number | null; output: string }> {
  const command = new Command(t, argv, options);
  const code = await command.ended;
  return { code, output: command.output };
}

/** What a process started, directly or not, with the command lines. Linux only: reads /proc. */
export function descendants(pid: number): Map<number, string> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : '';
    // The program's name, in brackets, may contain anything.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (parent && state !== 'Z') parents.set(Number(name), Number(parent));
  }
  const found = new Map<number, string>();
  const look = (ancestor: number) => {
    for (const [child, parent] of parents) {
      if (parent !== ancestor) continue;
      found.set(child, read(`/proc/${child}/cmdline`).replaceAll('\0', ' ').trim());
      look(child);
    }
  };
  look(pid);
  return found;
}

/** Those of the processes that still run, after they had a moment to end. */
export async function survivors(processes: Map<number, string>, withinMs: number): Promise<string[]> {
  const alive = () =>
    [...processes].filter(
      ([pid, line]) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() === line && line,
    );
  for (const until = performance.now() + withinMs; alive().length > 0 && performance.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return alive().map(([pid, line]) => `${pid} ${line}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
