/** Exported pages: made by the command a writer uses, opened from disk with the network cut off. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { Watch } from './browser';
import { root } from './kernel';

/**
 * `tslab-parallel export` into a folder of its own.
 * @param options of the command
 * @returns the page's path
 */
export async function exportPage(notebook: string, ...options: string[]): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'tslab-parallel-export-'));
  await runExport(notebook, '--out', out, ...options);
  return join(out, `${basename(notebook, '.ipynb')}.html`);
}

/** @returns what it printed */
export async function runExport(...args: string[]): Promise<string> {
  const cli = join(root, 'src', 'dist', 'cli', 'index.js');
  const child = spawn(process.execPath, [cli, 'export', ...args], { cwd: root });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The export ended with code ${code}:\n${log}`);
  return log;
}

export class ExportedPage {
  private constructor(
    readonly page: Page,
    readonly watch: Watch,
  ) {}

  /** Opens it where nothing but the file itself can be reached. */
  static async open(
    browser: Browser,
    path: string,
    options: BrowserContextOptions = {},
  ): Promise<ExportedPage> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, ...options });
    await context.setOffline(true);
    await context.route(/^(?!file:|data:|blob:)/, (route) => route.abort());
    const page = await context.newPage();
    const watch = new Watch(page);
    await page.goto(pathToFileURL(path).href, { waitUntil: 'load' });
    return new ExportedPage(page, watch);
  }

  /** The drawings among the outputs. */
  async charts(): Promise<Locator[]> {
    return this.page.locator('figure img[src^="data:image/svg"]').all();
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** What axe finds wrong with a page, for readers who see, hear or move less than others; each in a sentence. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as {
    violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`,
  );
}
