import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Environment, resources } from './environment';

export interface SupervisedOptions {
  cwd?: string;
  /** Where the program's standard output goes: to ours (the default), or to a function. */
  stdout?: (stream: Readable) => void;
  /** The same for its standard error. */
  stderr?: (stream: Readable) => void;
  /** Called when it is asked to stop. */
  onStop?: () => void;
}

export interface Ended {
  /** The exit code; null when a signal ended it. */
  code: number | null;
  /** Whether Ctrl-C, or the end of the terminal, was the reason. */
  interrupted: boolean;
}

/**
 * Runs a Python program. On Ctrl-C it is told to stop by the end of its input (see supervise.py), so it may
 * finish in good order, and all that it started ends with it.
 */
export function runSupervised(
  { python, env }: Environment,
  program: string,
  args: string[],
  { cwd, stdout, stderr, onStop }: SupervisedOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [join(resources, 'supervise.py'), program, ...args], {
      cwd,
      env,
      stdio: ['pipe', stdout ? 'pipe' : 'inherit', stderr ? 'pipe' : 'inherit'],
      // A session of its own: the terminal's Ctrl-C comes to us alone. (On Windows that would open a window.)
      detached: process.platform !== 'win32',
    });
    if (child.stdout) stdout?.(child.stdout);
    if (child.stderr) stderr?.(child.stderr);

    let interrupted = false;
    const stop = () => {
      if (interrupted) return; // a second Ctrl-C changes nothing: it is on its way
      interrupted = true;
      onStop?.();
      child.stdin!.end();
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, stop);
    const release = () => {
      for (const signal of signals) process.removeListener(signal, stop);
    };
    child.stdin!.on('error', () => {}); // it ended by itself a moment before
    child.on('error', (error) => {
      release();
      reject(error);
    });
    child.on('close', (code) => {
      release();
      resolve({ code, interrupted });
    });
  });
}
