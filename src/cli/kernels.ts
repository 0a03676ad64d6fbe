/** The kernels of tslab, as Jupyter finds them: with absolute paths, so that any Jupyter of this machine can start them. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CliError } from './step';

export const KERNEL_USAGE = `kernel [--user | --prefix DIR] [--name NAME] [--remove]
    Registers the TypeScript and the JavaScript kernel of this folder's tslab for any Jupyter of this machine: one's own
    JupyterLab, VS Code, JupyterHub.
    --user          for this user (the default)
    --prefix DIR    for the Python environment in DIR, such as one that JupyterHub uses
    --name NAME     under another name, beside other projects' kernels (default: tslab, and jslab for JavaScript)
    --remove        takes them away again`;

/** @throws CliError where tslab is not installed */
export function findTslab(root: string): string {
  try {
    return join(
      dirname(createRequire(join(root, 'package.json')).resolve('tslab/package.json')),
      'bin',
      'tslab',
    );
  } catch {
    throw new CliError(
      `tslab is not installed in ${root}: run npm install tslab there, then run this again.`,
    );
  }
}

/** Writes both kernels into a folder of Jupyter's; what is there and right stays as it is. Each runs with the Node that runs us. */
export function registerKernels(jupyter: string, tslab: string, name?: string): string[] {
  return kernels(name).map(({ folder, display, language, extra }) => {
    const file = join(jupyter, 'kernels', folder, 'kernel.json');
    writeJson(file, {
      argv: [process.execPath, tslab, 'kernel', ...extra, '--config-path', '{connection_file}'],
      display_name: display,
      language,
      interrupt_mode: 'signal',
    });
    return dirname(file);
  });
}

function kernels(name: string | undefined) {
  const of = (language: string) => (name ? `${language} (${name})` : language);
  return [
    { folder: name ?? 'tslab', display: of('TypeScript'), language: 'typescript', extra: [] },
    {
      folder: name ? `${name}-js` : 'jslab',
      display: of('JavaScript'),
      language: 'javascript',
      extra: ['--js'],
    },
  ];
}

/** `kernel`: registers tslab's kernels, or takes them away. */
export async function kernel(args: string[]): Promise<number> {
  const { prefix, name, remove } = parse(args);
  const jupyter = prefix ? join(resolve(prefix), 'share', 'jupyter') : userFolder();
  if (remove) {
    const folders = kernels(name).map(({ folder }) => join(jupyter, 'kernels', folder));
    const there = folders.filter((folder) => existsSync(folder));
    for (const folder of there) rmSync(folder, { recursive: true });
    console.log(
      there.length > 0 ? `Removed ${there.join(' and ')}.` : `There are none in ${join(jupyter, 'kernels')}.`,
    );
    return 0;
  }
  const folders = registerKernels(jupyter, findTslab(process.cwd()), name);
  console.log(
    `Registered ${folders.join(' and ')}.\nAny Jupyter of this machine that looks there can start them now: reload its page.`,
  );
  return 0;
}

function parse(args: string[]): { prefix?: string; name?: string; remove?: boolean } {
  const refuse = (reason: string) => new CliError(`${reason}.\n\n${KERNEL_USAGE}`);
  const options = {
    user: { type: 'boolean' },
    prefix: { type: 'string' },
    name: { type: 'string' },
    remove: { type: 'boolean' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    throw refuse((error as Error).message.split('.')[0]!);
  }
  if (values.user && values.prefix) throw refuse('Either --user or --prefix');
  // Jupyter's own rule.
  if (values.name !== undefined && !/^[a-z0-9._-]+$/i.test(values.name))
    throw refuse(`--name has letters, digits, ".", "_" and "-"; got ${values.name}`);
  return values;
}

/** Where Jupyter looks for what belongs to the user. */
function userFolder(): string {
  const { JUPYTER_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32') return join(APPDATA ?? homedir(), 'jupyter');
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'jupyter');
}

export function writeJson(file: string, content: object): void {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
