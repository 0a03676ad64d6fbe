/** A real JupyterLab of the repository's `.venv`, in a headless Chromium, used as a reader uses it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { artefacts, launch, Watch } from './browser';
import { python, root } from './kernel';

/** A JupyterLab server on a free port, with settings of its own, on a copy of some notebooks. */
export class Lab {
  log = '';

  private constructor(
    private readonly server: ChildProcess,
    private readonly browser: Browser,
    private readonly url: string,
    private readonly token: string,
    private readonly folder: string,
    private readonly home: string,
  ) {}

  /**
   * Starts server and browser.
   * @param files notebooks and what they show, to copy into the server's folder: what the reader changes there stays there.
   */
  static async start(executablePath: string, files: string[]): Promise<Lab> {
    // Inside the repository, so that the notebooks' imports resolve; ignored by git.
    const folder = mkdtempSync(join(root, 'test', 'dist', 'visit-'));
    for (const file of files) copyFileSync(file, join(folder, basename(file)));
    const home = mkdtempSync(join(tmpdir(), 'tslab-parallel-lab-'));
    writeSetting(home, 'apputils-extension', 'notification', { fetchNews: 'false', checkForUpdates: false });

    const browser = await launch(executablePath);
    const token = randomBytes(16).toString('hex');
    const port = await freePort();
    const server = spawn(
      python,
      [
        ...[
          '-m',
          'jupyterlab',
          '--no-browser',
          '--allow-root',
          `--port=${port}`,
          '--ServerApp.port_retries=0',
        ],
        ...[
          '--ServerApp.ip=127.0.0.1',
          `--IdentityProvider.token=${token}`,
          `--ServerApp.root_dir=${folder}`,
        ],
        ...['--LabApp.news_url=None', '--LabApp.extension_manager=readonly'],
        '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
      ],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          JUPYTER_CONFIG_DIR: join(home, 'config'),
          JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
          JUPYTER_DATA_DIR: join(home, 'data'),
          JUPYTERLAB_SETTINGS_DIR: join(home, 'settings'),
          JUPYTERLAB_WORKSPACES_DIR: join(home, 'workspaces'),
        },
      },
    );
    const lab = new Lab(server, browser, `http://127.0.0.1:${port}`, token, folder, home);
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        lab.log += text;
      });
    }
    try {
      await lab.ready();
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  private async ready(): Promise<void> {
    for (const giveUp = performance.now() + 60_000; ; ) {
      if (this.server.exitCode !== null || performance.now() > giveUp)
        throw new Error(`JupyterLab did not start:\n${this.log}`);
      const answer = await fetch(`${this.url}/api/status?token=${this.token}`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Opens a notebook and waits for its kernel. */
  async open(notebook: string, options: { darkMode?: boolean } = {}): Promise<LabNotebook> {
    const context = await this.browser.newContext({
      viewport: { width: 1400, height: 1000 },
      colorScheme: options.darkMode ? 'dark' : 'light',
    });
    const page = await context.newPage();
    const watch = new Watch(page);
    await page.goto(
      `${this.url}/lab/tree/${encodeURIComponent(basename(notebook))}?token=${this.token}&reset`,
    );
    const connected = () => this.connected(basename(notebook));
    await connected();
    const opened = new LabNotebook(page, watch, connected);
    await opened.idle();
    return opened;
  }

  /** Waits until the page and its kernel talk: before that the page shows "idle", too. */
  private async connected(path: string): Promise<void> {
    interface Session {
      path: string;
      kernel: { connections: number; execution_state: string } | null;
    }
    for (const giveUp = performance.now() + 60_000; ; ) {
      const answer = await fetch(`${this.url}/api/sessions?token=${this.token}`);
      const session = ((await answer.json()) as Session[]).find((each) => each.path === path);
      if (session?.kernel?.connections && session.kernel.execution_state === 'idle') return;
      if (performance.now() > giveUp) throw new Error(`The kernel of ${path} did not start:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    if (this.server.exitCode === null) {
      const exit = once(this.server, 'exit');
      this.server.kill('SIGTERM'); // the server shuts its kernels down
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A notebook that is open in JupyterLab. Cells are counted from 1, as in the file. */
export class LabNotebook {
  private readonly panel: Locator;

  constructor(
    readonly page: Page,
    readonly watch: Watch,
    private readonly connected: () => Promise<void>,
  ) {
    this.panel = page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
  }

  cell(number: number): Locator {
    return this.panel.locator('.jp-Notebook .jp-Cell').nth(number - 1);
  }

  /** The pictures below a cell that Vega drew. */
  charts(number: number): Locator {
    return this.cell(number).locator(
      '.jp-OutputArea-output .vega-embed canvas, .jp-OutputArea-output .vega-embed svg.marks',
    );
  }

  /** What a screen reader says of the charts below a cell. */
  async descriptions(number: number): Promise<string> {
    const charts = await this.cell(number).locator('.vega-embed [role="graphics-document"]').all();
    return (await Promise.all(charts.map((chart) => chart.getAttribute('aria-label')))).join('\n');
  }

  /** All charts of the notebook. */
  allCharts(): Locator {
    return this.panel.locator(
      '.jp-OutputArea-output .vega-embed canvas, .jp-OutputArea-output .vega-embed svg.marks',
    );
  }

  /** Text below a cell. */
  async output(number: number): Promise<string> {
    return (await this.cell(number).locator('.jp-OutputArea-output').allInnerTexts()).join('\n');
  }

  /** What stands beside the code cells: `[3]:` for one that ran, `[ ]:` for one that didn't. */
  async prompts(): Promise<string[]> {
    const texts = await this.panel.locator('.jp-CodeCell .jp-InputPrompt').allTextContents();
    return texts.map((text) => text.trim());
  }

  /** What cells printed on stderr, where tslab puts errors; Python's progress bars, which go there too, are none. */
  async errors(): Promise<string> {
    const outputs = this.panel.locator('[data-mime-type="application/vnd.jupyter.stderr"]');
    return (await outputs.allTextContents())
      .map((text) => text.replace(/^\s*\d+%\|.*$\n?/gm, ''))
      .filter(Boolean)
      .join('\n');
  }

  /** Waits until a text appears below a cell. */
  async printed(number: number, text: string): Promise<void> {
    await this.cell(number).locator('.jp-OutputArea-output', { hasText: text }).waitFor();
  }

  async runAll(): Promise<void> {
    const first = this.panel.locator('.jp-Notebook .jp-CodeCell').first();
    await this.started(first, () => this.menu('Run', 'Run All Cells'));
  }

  /** Runs a cell and those below it. */
  async runFrom(number: number): Promise<void> {
    await this.select(number);
    await this.started(this.cell(number), () => this.menu('Run', 'Run Selected Cell and All Below'));
  }

  async run(number: number): Promise<void> {
    await this.select(number);
    await this.started(this.cell(number), () => this.page.keyboard.press('Control+Enter'));
  }

  /** The stop button. */
  async interrupt(): Promise<void> {
    await this.panel
      .locator('[data-command="notebook:interrupt-kernel"], [data-jp-item-name="interrupt"] button')
      .first()
      .click();
  }

  /** The restart button, and yes to its question. */
  async restart(): Promise<void> {
    await this.panel.locator('[data-jp-item-name="restart"] :is(button, jp-button)').first().click();
    // The page shows the old kernel's "idle" until then, and forgets what is sent to that one.
    const restarted = this.page.waitForResponse((response) => /\/restart(\?|$)/.test(response.url()));
    await this.page.getByRole('dialog').getByRole('button', { name: 'Confirm Kernel Restart' }).click();
    await restarted;
    await this.connected();
    await this.idle();
  }

  /** Replaces a piece of a cell's code, as the reader would with the keyboard. */
  async edit(number: number, change: (source: string) => string): Promise<void> {
    const editor = this.cell(number).locator('.cm-content');
    await editor.scrollIntoViewIfNeeded();
    await editor.click();
    const source = (await editor.locator('.cm-line').allTextContents()).join('\n');
    const changed = change(source);
    if (changed === source) throw new Error(`Nothing to change in cell ${number}:\n${source}`);
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(changed);
  }

  /** Waits until nothing runs and nothing is waiting to run. */
  async idle(timeout = 120_000): Promise<void> {
    await this.panel
      .locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
      .waitFor({ state: 'attached', timeout });
    await this.panel
      .locator('.jp-InputPrompt', { hasText: '[*]' })
      .first()
      .waitFor({ state: 'detached', timeout });
    const dialog = this.page.locator('.jp-Dialog');
    if (await dialog.count()) throw new Error(`JupyterLab asks: ${await dialog.first().innerText()}`);
  }

  /** Whether nothing runs, and nothing is waiting to run, just now. */
  async isIdle(): Promise<boolean> {
    return (await this.panel.locator('.jp-InputPrompt', { hasText: '[*]' }).count()) === 0;
  }

  async screenshot(file: string): Promise<void> {
    mkdirSync(artefacts, { recursive: true });
    await this.page.screenshot({ path: join(artefacts, file) });
  }

  private async select(number: number): Promise<void> {
    const prompt = this.cell(number).locator('.jp-InputPrompt');
    await prompt.scrollIntoViewIfNeeded();
    await prompt.click();
  }

  /** Does something that runs a cell, and waits until its prompt shows that it runs, or has run already. */
  private async started(cell: Locator, act: () => Promise<void>): Promise<void> {
    const prompt = cell.locator('.jp-InputPrompt');
    // Not innerText: the browser leaves out what is scrolled out of sight in a long notebook.
    const before = await prompt.textContent();
    await act();
    for (const giveUp = performance.now() + 10_000; (await prompt.textContent()) === before; ) {
      if (performance.now() > giveUp)
        throw new Error(`The cell did not start; its prompt still shows ${before}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async menu(name: string, item: string): Promise<void> {
    await this.page.getByRole('menuitem', { name, exact: true }).click();
    await this.page.getByRole('menuitem', { name: item, exact: true }).click();
  }
}

function writeSetting(home: string, extension: string, name: string, value: object): void {
  const folder = join(home, 'settings', '@jupyterlab', extension);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.jupyterlab-settings`), JSON.stringify(value));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
