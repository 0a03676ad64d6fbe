import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { prepareEnvironment, resources } from './environment';
import { CliError } from './step';
import { runSupervised } from './supervised';

/**
 * `start`: JupyterLab on the project's notebooks (the folder `notebooks`, or else the project's own).
 * @param args passed on to JupyterLab
 * @returns the exit code
 */
export async function start(args: string[]): Promise<number> {
  const port = option(args, 'port');
  if (port) await refuseUsedPort(Number(port), option(args, 'ip'));
  const root = process.cwd();
  const environment = await prepareEnvironment(root);
  const notebooks = join(root, 'notebooks');
  const { code, interrupted } = await runSupervised(
    environment,
    join(resources, 'lab.py'),
    [...ownOptions(port !== undefined), ...firstPage(notebooks, args), ...args.map((arg) => fullPath(arg))],
    {
      cwd: existsSync(notebooks) ? notebooks : root,
      onStop: () => process.stdout.write('\nEnding JupyterLab and its kernels ...\n'),
    },
  );
  return interrupted ? 0 : (code ?? 1);
}

function ownOptions(hasPort: boolean): string[] {
  return [
    // The list of extensions is fetched from the network, and what is installed here is pinned.
    '--LabApp.extension_manager=readonly',
    // A kernel that is busy gets this long to end before it is made to; Jupyter's 5 s are felt at each Ctrl-C.
    '--KernelManager.shutdown_wait_time=2',
    // Containers run as root; JupyterLab would refuse.
    ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
    // A port that was asked for and is taken is an error, not a reason to open another.
    ...(hasPort ? ['--ServerApp.port_retries=0'] : []),
  ];
}

/** A folder's index.ipynb is what JupyterLab opens on, unless a notebook is named. */
function firstPage(notebooks: string, args: string[]): string[] {
  const isNamed = args.some((arg) => !arg.startsWith('-') && existsSync(arg));
  const hasIndex = existsSync(join(notebooks, 'index.ipynb'));
  return hasIndex && !isNamed ? ['--LabApp.default_url=/lab/tree/index.ipynb'] : [];
}

/** `--name value` or `--name=value`, also with JupyterLab's long names: `--ServerApp.name=value`. */
function option(args: string[], name: string): string | undefined {
  for (const [index, arg] of args.entries()) {
    const [, value] = new RegExp(`^--(?:ServerApp\\.)?${name}(?:=(.*))?$`).exec(arg) ?? [arg];
    if (value !== undefined) return value;
    if (arg === `--${name}`) return args[index + 1];
  }
  return undefined;
}

/** A notebook named on the command line is one of the project, but JupyterLab runs in the folder `notebooks`. */
function fullPath(arg: string): string {
  return !arg.startsWith('-') && existsSync(arg) ? resolve(arg) : arg;
}

async function refuseUsedPort(port: number, host = 'localhost'): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CliError(`--port needs a number from 0 to 65535: choose another, for example --port 8899.`);
  }
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve).once('listening', () => server.close(() => resolve(undefined)));
    server.listen({ port, host: host === '*' ? '0.0.0.0' : host });
  });
  if (error?.code === 'EADDRINUSE') {
    throw new CliError(
      `Port ${port} is in use by another program: end that one, or choose another port, for example --port ${port + 1}.`,
    );
  }
  if (error?.code === 'EACCES') {
    throw new CliError(
      `Port ${port} may not be used by this user: choose one above 1023, for example --port 8899.`,
    );
  }
}
