import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { prepareEnvironment } from '../cli/environment';
import { CliError } from '../cli/step';
import { runSupervised } from '../cli/supervised';
import { type LivePage, livePage } from './live';

export const EXPORT_USAGE = `export [notebooks or folders...] [options]
    Runs notebooks on the tslab kernel and writes a page for each.
    Without a name: all notebooks of the folder "notebooks", or else of this one.
    --to FORM       html: pages that need nothing but themselves, with an index (the default)
                    jekyll, hexo: posts with front matter, and their pictures
    --out DIR       where to: a folder for pages (default: blog), the site's own folder for posts
    --kernel NAME   runs them on this kernel, whatever they ask for
    --no-execute    takes the outputs that are stored in the notebooks
    --interactive   charts answer to the pointer (html only; adds 0.5 MB to a page)
    --address URL   where the pages will be found: previews and search engines want to know (html only)`;

/** Not compiled: it is where the sources are. */
const EXPORT = join(__dirname, '..', '..', 'publish', 'export.py');

/** What notebooks become. */
const FORMS = ['html', 'jekyll', 'hexo'];

/** What export.py tells. */
type Event =
  | { notebook: string; cells: number }
  | { cell: number }
  | { page: string; warnings: string[] }
  | Failure;

type Failure =
  | { error: 'cell'; cell: number; source: string; message: string }
  | { error: 'dead'; cell: number; source: string }
  | { error: 'kernel'; name: string; nearest: string; known: string[] }
  | { error: 'unreadable'; notebook: string; message: string };

/**
 * `export`: runs notebooks and writes a page for each.
 * @returns the exit code: 0, or 130 after Ctrl-C
 * @throws CliError that names the notebook, the cell and its error
 */
export async function exportNotebooks(args: string[]): Promise<number> {
  const { values, positionals } = parse(args);
  const notebooks = findNotebooks(positionals);
  const environment = await prepareEnvironment(process.cwd());
  const out = resolve(values.out);
  const live: Record<string, LivePage> = {};
  for (const notebook of values.to === 'html' ? notebooks : []) {
    const page = await livePage(notebook, out);
    if (page) live[notebook] = page;
  }
  const job = {
    notebooks,
    out,
    execute: !values['no-execute'],
    kernel: values.kernel ?? '',
    to: values.to,
    // A chart may ask for more memory than there is.
    node: [process.execPath, '--max-old-space-size=1024', join(__dirname, 'charts.js')],
    vega: values.interactive
      ? ['vega/build/vega.min.js', 'vega-interpreter/build/vega-interpreter.min.js'].map((file) =>
          require.resolve(file),
        )
      : [],
    live,
    address: values.address && `${values.address.replace(/\/+$/, '')}/`,
  };

  const before = performance.now();
  const progress = new Progress();
  let log = '';
  const { code, interrupted } = await runSupervised(environment, EXPORT, [JSON.stringify(job)], {
    stdout: (stream) =>
      createInterface({ input: stream }).on('line', (line) => progress.add(JSON.parse(line) as Event)),
    stderr: (stream) =>
      stream.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-5000);
      }),
    onStop: () => progress.interrupt(),
  });
  if (interrupted) {
    console.log('The export was interrupted: pages that were not reached are as they were.');
    return 130;
  }
  if (progress.failures.length > 0)
    throw new CliError(progress.failures.map((failed) => explain(failed, log)).join('\n\n'));
  if (code !== 0) throw new CliError(`${log.trim()}\nThe export failed, see above.`);
  console.log(
    `${count(notebooks.length, values.to === 'html' ? 'page' : 'post')} in ${relative('', out) || '.'}, ${seconds(before)}`,
  );
  return 0;
}

function parse(args: string[]) {
  const refuse = (reason: string) => new CliError(`${reason}.\n\n${EXPORT_USAGE}`);
  const parsed = read();
  const { to, interactive, address } = parsed.values;
  if (!FORMS.includes(to)) throw refuse(`--to is one of ${FORMS.join(', ')}; got ${to}`);
  if (to !== 'html' && (interactive || address)) {
    throw refuse(`--${interactive ? 'interactive' : 'address'} goes with --to html, not with --to ${to}`);
  }
  if (address && !/^https?:\/\/\S+$/.test(address)) {
    throw refuse(`--address begins with https:// or http://; got ${address}`);
  }
  return parsed;

  function read() {
    try {
      return parseArgs({
        args,
        allowPositionals: true,
        options: {
          to: { type: 'string', default: 'html' },
          out: { type: 'string', default: 'blog' },
          kernel: { type: 'string' },
          'no-execute': { type: 'boolean', default: false },
          interactive: { type: 'boolean', default: false },
          address: { type: 'string', default: '' },
        },
      });
    } catch (error) {
      throw refuse((error as Error).message.split('.')[0]!);
    }
  }
}

/** Full paths of the notebooks that are meant by these names of notebooks and folders. */
function findNotebooks(names: string[]): string[] {
  if (names.length === 0) names = [existsSync('notebooks') ? 'notebooks' : '.'];
  const found = names.flatMap((name) => {
    if (!existsSync(name)) throw new CliError(`There is no notebook or folder ${name} here: check its name.`);
    if (!statSync(name).isDirectory()) return [name];
    const inside = readdirSync(name).filter((file) => file.endsWith('.ipynb'));
    if (inside.length === 0)
      throw new CliError(`There is no notebook (.ipynb) in ${resolve(name)}: name one.`);
    return inside.sort().map((file) => join(name, file));
  });
  const notebooks = [...new Set(found.map((name) => resolve(name)))];
  const pages = new Map<string, string>();
  for (const notebook of notebooks) {
    if (!notebook.endsWith('.ipynb'))
      throw new CliError(`${notebook} is not a notebook (.ipynb): name another.`);
    const same = pages.get(basename(notebook));
    if (same)
      throw new CliError(
        `${same} and ${notebook} would become the same page: rename one, or export them apart.`,
      );
    pages.set(basename(notebook), notebook);
  }
  return notebooks;
}

/** A notebook that gets no page. */
interface Failed {
  readonly notebook: string;
  readonly cells: number;
  readonly failure: Failure;
}

/** One line for each notebook; in a terminal it counts the cells while they run. */
class Progress {
  notebook = '';
  cells = 0;
  readonly failures: Failed[] = [];
  #cell = 0;
  #notebookBefore = 0;
  #cellBefore = 0;
  #ticking: NodeJS.Timeout | undefined;

  add(event: Event): void {
    if ('error' in event) {
      this.#endCell();
      if (event.error === 'unreadable') this.notebook = event.notebook;
      this.failures.push({ notebook: this.notebook, cells: this.cells, failure: event });
      if (process.stdout.isTTY) process.stdout.write('\n');
    } else if ('notebook' in event) {
      this.notebook = event.notebook;
      this.cells = event.cells;
      this.#cell = 0;
      this.#notebookBefore = performance.now();
      this.#tick();
    } else if ('cell' in event) {
      this.#endCell();
      this.#cell = event.cell;
      this.#cellBefore = performance.now();
      this.#tick();
    } else {
      this.#endCell();
      const cells = this.cells > 0 ? `${count(this.cells, 'cell')}, ` : '';
      const from = `${process.stdout.isTTY ? '\r\x1b[K' : ''}${relative('', this.notebook)} `;
      console.log(`${from}-> ${relative('', event.page)} (${cells}${seconds(this.#notebookBefore)})`);
      for (const warning of event.warnings) console.error(`  Warning: ${warning}`);
    }
  }

  interrupt(): void {
    this.#endCell();
    if (process.stdout.isTTY) process.stdout.write('\n');
  }

  #tick(): void {
    if (!process.stdout.isTTY) return;
    const show = () => {
      const where =
        this.#cell > 0 ? `cell ${this.#cell} of ${this.cells}, ${seconds(this.#cellBefore)}` : 'starting';
      process.stdout.write(`\r\x1b[K${relative('', this.notebook)}: ${where}`);
    };
    show();
    this.#ticking = setInterval(show, 500);
  }

  #endCell(): void {
    clearInterval(this.#ticking);
    this.#cell = 0;
  }
}

function explain({ notebook, cells, failure }: Failed, log: string): string {
  const name = relative('', notebook);
  switch (failure.error) {
    case 'cell':
      return `${name}: cell ${failure.cell} of ${cells} failed, so no page was written for it.\n\n${indent(failure.source)}\n\n${readable(failure.message)}`;
    case 'dead':
      return `${name}: the kernel died in cell ${failure.cell} of ${cells}, so no page was written for it.\n\n${indent(failure.source)}\n\n${log.trim()}`;
    case 'kernel':
      return `${name} asks for the kernel "${failure.name}", which is not here; there are ${failure.known.map((one) => `"${one}"`).join(', ')}, and the nearest is "${failure.nearest}". Choose it in JupyterLab and save the notebook, or run it with --kernel ${failure.nearest}.`;
    case 'unreadable':
      return `${name} is not a notebook that can be read (${failure.message.split('\n')[0]}): open it in JupyterLab and save it again.`;
  }
}

/** An error without the lines of its trace that are about tslab and Node, and without terminal colours. */
function readable(message: string): string {
  return stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => !/^\s+at .*(evalmachine|node:|[\\/]tslab[\\/]dist)|^evalmachine/.test(line))
    .join('\n')
    .trim();
}

function indent(source: string): string {
  return source.replace(/^/gm, '    ');
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function seconds(before: number): string {
  return `${((performance.now() - before) / 1000).toFixed(1)} s`;
}
