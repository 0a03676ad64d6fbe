import { execFile } from 'node:child_process';
import { CliError } from './step';

/** The oldest Python that JupyterLab 4.6 runs on. */
const OLDEST = [3, 10] as const;

const INSTALL =
  process.platform === 'darwin'
    ? 'brew install python, or the installer from python.org'
    : process.platform === 'win32'
      ? 'winget install Python.Python.3.13, or the installer from python.org'
      : 'sudo apt install python3 python3-venv on Debian and Ubuntu';

/** Also runs on the Python 2 that some machines still call `python`. */
const PROBE = `
import json, sys
try:
    import importlib.util
    venv = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
except ImportError:
    venv = False
print(json.dumps({"version": list(sys.version_info[:3]), "executable": sys.executable, "venv": venv}))`;

interface Python {
  version: [number, number, number];
  /** Its full path. */
  executable: string;
  /** Whether it can make virtual environments: Debian has that in a package of its own. */
  venv: boolean;
}

/** Names to try, best first. The numbered ones are for machines whose `python3` is an old one, such as macOS. */
function candidates(): string[][] {
  const numbered = [14, 13, 12, 11, 10].map((minor) => [`python3.${minor}`]);
  const common = [['python3'], ['python']];
  return process.platform === 'win32' ? [['py', '-3'], ...common] : [...common, ...numbered];
}

function probe([command, ...args]: string[]): Promise<Python | undefined> {
  return new Promise((resolve) => {
    execFile(command!, [...args, '-c', PROBE], { timeout: 20_000 }, (error, stdout) => {
      try {
        resolve(error ? undefined : (JSON.parse(stdout) as Python));
      } catch {
        resolve(undefined); // some other program of that name
      }
    });
  });
}

/**
 * The full path of a Python that can make our environment.
 * @throws CliError that names what is missing and how to get it.
 */
export async function findPython(): Promise<string> {
  const found: Python[] = [];
  for (const command of candidates()) {
    const python = await probe(command);
    if (!python) continue;
    found.push(python);
    if (isNewEnough(python) && python.venv) return python.executable;
  }
  const needed = OLDEST.join('.');
  const withoutVenv = found.find(isNewEnough);
  if (withoutVenv) {
    throw new CliError(
      `The Python at ${withoutVenv.executable} has no venv module: install it (on Debian and Ubuntu: sudo apt install python3-venv), then run this again.`,
    );
  }
  const [old] = found;
  if (old) {
    throw new CliError(
      `Python ${needed} or newer is needed and ${old.executable} is ${old.version.join('.')}: install a newer one (${INSTALL}), then run this again.`,
    );
  }
  throw new CliError(
    `Python ${needed} or newer is needed and none was found: install one (${INSTALL}), then run this again.`,
  );
}

function isNewEnough({ version: [major, minor] }: Python): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
