import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

const WINDOWS = process.platform === 'win32';
const VENV_PYTHON = WINDOWS ? join('.venv', 'Scripts', 'python.exe') : join('.venv', 'bin', 'python');

/**
 * @param asked a path or a command on PATH; without it the nearest `.venv` from the working directory upwards, then
 * `python3` or `python` on PATH.
 * @returns the interpreter's path; throws an Error that says where it was looked for.
 */
export function findInterpreter(asked: string | undefined): string {
  if (asked !== undefined) {
    const isPath = /[\\/]/.test(asked);
    const found = isPath ? executable(resolve(asked)) : onPath(asked);
    if (found) return found;
    throw new Error(
      `interpreter "${asked}" is not a program ${isPath ? 'that can be started' : 'on PATH'}. Give the path of a Python, such as ".venv/bin/python".`,
    );
  }
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const found = executable(join(folder, VENV_PYTHON));
    if (found) return found;
    if (folder === dirname(folder)) break;
  }
  const found = onPath('python3') ?? onPath('python');
  if (found) return found;
  throw new Error(
    `No Python was found: there is no .venv in ${process.cwd()} or above it, and neither python3 nor python is on PATH. Install Python 3.10 or later, or name one: python(source, { interpreter: "/path/to/python" }).`,
  );
}

function onPath(command: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const found =
      executable(join(folder, command)) ?? (WINDOWS && executable(join(folder, `${command}.exe`)));
    if (found) return found;
  }
  return undefined;
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
