/** The project's own Python environment: `.venv`, with JupyterLab and nbconvert at pinned versions and the tslab kernel. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findTslab, registerKernels, writeJson } from './kernels';
import { findPython } from './python';
import { CliError, step } from './step';

/** The package's files that are not compiled: the Python programs and what they need. */
export const resources = join(__dirname, '..', '..', 'cli');

export interface Environment {
  /** Its Python. */
  readonly python: string;
  /** What a Jupyter program runs in: its own settings, so that the user's own Jupyter stays as it is. */
  readonly env: NodeJS.ProcessEnv;
}

export interface EnvironmentOptions {
  /** The pinned Python packages; default: the package's own. */
  requirements?: string;
}

const isWindows = process.platform === 'win32';

/**
 * Makes or completes `.venv` in `root` and registers the tslab kernel there, and only there. What is done is skipped.
 * @throws CliError if something is missing on this machine.
 */
export async function prepareEnvironment(
  root: string,
  options: EnvironmentOptions = {},
): Promise<Environment> {
  const venv = join(root, '.venv');
  const bin = join(venv, isWindows ? 'Scripts' : 'bin');
  const python = join(bin, isWindows ? 'python.exe' : 'python');
  // Before the long part: a missing tslab should not be found out after it.
  const tslab = findTslab(root);
  await installPackages(venv, python, options.requirements ?? join(resources, 'requirements.txt'));
  registerKernels(join(venv, 'share', 'jupyter'), tslab);
  silenceNews(venv);
  mkdirSync(join(venv, 'jupyter'), { recursive: true });
  return { python, env: jupyterEnvironment(venv, bin) };
}

/** What was installed from which list; written first and completed last, so that an unfinished set-up is recognised. */
interface Stamp {
  /** The list's hash, or null while it is being installed. */
  requirements: string | null;
}

async function installPackages(venv: string, python: string, requirements: string): Promise<void> {
  const stampFile = join(venv, 'tslab-parallel.json');
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const stamp = readStamp(stampFile);
  if (stamp?.requirements === hash && existsSync(python)) return;

  const isOurs = stamp !== undefined;
  if (existsSync(venv) && !isOurs) refuseToChange(venv, requirements);
  const write = (content: Stamp) => writeFileSync(stampFile, `${JSON.stringify(content)}\n`);

  if (!existsSync(python) || !(await hasPip(python))) {
    const base = await findPython();
    await step('Making the Python environment .venv', async () => {
      if (isOurs) rmSync(venv, { recursive: true, force: true });
      mkdirSync(venv, { recursive: true });
      write({ requirements: null });
      const { code, output } = await run(base, ['-m', 'venv', venv]);
      if (code !== 0) {
        throw new CliError(
          `${output}\nPython could not make the environment .venv, see above: when that is settled, run this again.`,
        );
      }
    });
  }
  write({ requirements: null });
  await step('Installing JupyterLab and the Python libraries', async () => {
    const args = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--retries', '2'];
    const { code, output } = await run(python, [...args, '-r', requirements]);
    if (code === 0) return;
    const offline =
      /NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|Read timed out/.test(output);
    throw new CliError(
      offline
        ? 'pip could not reach its package index: check the network connection (and the proxy, if there is one), then run this again.'
        : `${output.split('\n').slice(-20).join('\n')}\nThe Python libraries could not be installed, see above: when that is settled, run this again.`,
    );
  });
  write({ requirements: hash });
}

function readStamp(file: string): Stamp | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stamp;
  } catch {
    return { requirements: null };
  }
}

/** False after an interrupted `python -m venv`, and when the Python it was made with is gone. */
async function hasPip(python: string): Promise<boolean> {
  return (await run(python, ['-m', 'pip', '--version'])).code === 0;
}

/** A `.venv` that we did not make gets what is missing, but we don't replace what its owner put there. */
function refuseToChange(venv: string, requirements: string): void {
  const pinned = new Map<string, Set<string>>();
  for (const [, name = '', version = ''] of readFileSync(requirements, 'utf8').matchAll(
    /^([\w.-]+)==([^\s;]+)/gm,
  )) {
    pinned.set(normalize(name), (pinned.get(normalize(name)) ?? new Set()).add(version));
  }
  for (const [name, version] of installed(venv)) {
    const wanted = pinned.get(normalize(name));
    if (wanted && !wanted.has(version)) {
      throw new CliError(
        `The folder .venv was not made by tslab-parallel and has ${name} ${version} where ${[...wanted].join(' or ')} is needed: rename or delete .venv, then run this again.`,
      );
    }
  }
}

/** Names and versions of the Python packages in a virtual environment, from the folders that pip leaves. */
function installed(venv: string): [string, string][] {
  const lib = join(venv, isWindows ? 'Lib' : 'lib');
  if (!existsSync(lib)) return [];
  const folders = isWindows ? [lib] : readdirSync(lib).map((name) => join(lib, name));
  return folders
    .map((folder) => join(folder, 'site-packages'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder))
    .flatMap((name) => {
      const [, distribution, version] = /^(.+?)-([^-]+)\.dist-info$/.exec(name) ?? [];
      return distribution && version ? [[distribution, version] as [string, string]] : [];
    });
}

/** Python's rule for comparing package names (PEP 503). */
function normalize(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** JupyterLab asks whether it may fetch news and looks for updates of itself: here nothing goes out. */
function silenceNews(venv: string): void {
  writeJson(join(venv, 'share', 'jupyter', 'lab', 'settings', 'overrides.json'), {
    '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false },
  });
}

function jupyterEnvironment(venv: string, bin: string): NodeJS.ProcessEnv {
  const env = { ...process.env };
  // Folders that the user set for their own Jupyter would come first.
  for (const name of Object.keys(env))
    if (/^(JUPYTER.*_(DIR|PATH)|IPYTHONDIR|PYTHONHOME)$/.test(name)) delete env[name];
  const own = join(venv, 'jupyter');
  return {
    ...env,
    VIRTUAL_ENV: venv,
    PATH: [bin, process.env.PATH].join(delimiter),
    JUPYTER_PREFER_ENV_PATH: '1',
    JUPYTER_CONFIG_DIR: join(own, 'config'),
    JUPYTER_DATA_DIR: join(own, 'data'),
    JUPYTER_RUNTIME_DIR: join(own, 'runtime'),
    IPYTHONDIR: join(own, 'ipython'),
  };
}

interface Finished {
  code: number | null;
  output: string;
}

function run(command: string, args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output: output.trim() }));
  });
}
