/** Live cells: a page's reader turns the knobs, and the page answers. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { artefacts, launch } from '../harness/browser';
import { root } from '../harness/kernel';
import { ExportedPage, runExport, violations } from '../harness/page';
import { chromium } from '../harness/requirements';

const requirement = chromium();

suite('live cells', { skip: requirement.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-live-'));
  const file = join(folder, 'live.html');
  let browser: Browser;
  before(async () => {
    await runExport(join(root, 'test', 'fixtures', 'live.ipynb'), '--out', folder);
    browser = await launch(requirement.path);
    mkdirSync(artefacts, { recursive: true });
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  async function visit(
    look: (page: Page) => Promise<void>,
    options: Parameters<typeof ExportedPage.open>[2] = {},
  ): Promise<void> {
    const exported = await ExportedPage.open(browser, file, options);
    try {
      await look(exported.page);
      assert.deepEqual(exported.watch.foreign, []);
      assert.deepEqual(exported.watch.errors, []);
    } finally {
      await exported.close();
    }
  }

  const status = (page: Page, cell: string) => page.locator(`form[data-cell=${cell}] [role=status]`);
  const shown = (page: Page, cell: string) => page.locator(`.live-outputs[data-cell=${cell}]`);
  const knob = (page: Page, cell: string, name: string) => page.locator(`#knob-${cell}-${name}`);
  /** Waits for the sentence that comes after the present one. */
  async function says(page: Page, cell: string, words: RegExp, act: () => Promise<unknown>): Promise<string> {
    await status(page, cell).evaluate((element) => {
      element.textContent = '';
    });
    await act();
    await status(page, cell).filter({ hasText: words }).waitFor({ timeout: 30_000 });
    return status(page, cell).innerText();
  }

  test('until a knob is touched the page asks for nothing; then it answers, from disk, with the network cut off', () =>
    visit(async (page) => {
      assert.equal(await page.locator('script[src]').count(), 0);
      const before = await shown(page, 'day').locator('img').getAttribute('alt');
      assert.match(before!, /100 items on 2 workers/);
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'clerks').fill('4'));
      assert.match((await shown(page, 'day').locator('img').getAttribute('alt'))!, /100 items on 4 workers/);
      assert.equal(await page.locator('script[src]').count(), 2);
      // Only what uses it is made anew.
      assert.match(await shown(page, 'primes').innerText(), /2262 .*/);
      await knob(page, 'day', 'clerks').blur();
      assert.match(page.url(), /#clerks=4$/);
      await page.screenshot({ path: join(artefacts, 'live.png'), fullPage: true });
    }));

  test('simulate gives the record that it gives on the kernel, to the last digit', async () => {
    const spans = (page: Page) => shown(page, 'record').innerText();
    await visit(async (page) => {
      const kernel = await spans(page);
      assert.ok(JSON.parse(kernel).length === 100);
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'clerks').fill('16'));
      assert.notEqual(await spans(page), kernel);
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'clerks').fill('2'));
      assert.equal((await spans(page)).trim(), kernel.trim());
    });
  });

  test('functions, classes and constants go to real threads, and give what the loop gives', () =>
    visit(async (page) => {
      const kernel = (await shown(page, 'primes').innerText()).split('\n')[0];
      for (const kind of ['serial', 'async', 'thread']) {
        await says(page, 'primes', /Answered/, () => knob(page, 'primes', 'workers').fill('4'));
        await says(page, 'primes', /Answered/, () =>
          kind === 'thread'
            ? knob(page, 'primes', 'workers').fill('2')
            : knob(page, 'primes', 'kind').selectOption(kind),
        );
        assert.equal((await shown(page, 'primes').innerText()).split('\n')[0], kernel, kind);
      }
      assert.match(await shown(page, 'same').innerText(), /held: both find the same/);
      assert.match(await shown(page, 'same').locator('table').innerText(), /true/);
      await says(page, 'primes', /Answered/, () => knob(page, 'primes', 'far').check());
      assert.notEqual((await shown(page, 'primes').innerText()).split('\n')[0], kernel);
    }));

  test('the address keeps the knobs; the back button takes them back; what is no value is ignored', () =>
    visit(async (page) => {
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'clerks').fill('4'));
      await knob(page, 'day', 'clerks').blur();
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'customers').fill('5'));
      await knob(page, 'day', 'customers').blur();
      assert.match(page.url(), /#clerks=4&customers=5$/);
      await says(page, 'day', /Answered/, () => page.goBack());
      assert.equal(await knob(page, 'day', 'customers').inputValue(), '100');
      await page.goto(
        `${page.url().split('#')[0]}#clerks=16&kind=<img/src=x>&far=perhaps&customers=1e999&nobody=1`,
      );
      await page.reload();
      await status(page, 'day')
        .filter({ hasText: /Answered/ })
        .waitFor();
      assert.equal(await knob(page, 'day', 'clerks').inputValue(), '16');
      assert.equal(await knob(page, 'day', 'customers').inputValue(), '100');
      assert.equal(await knob(page, 'primes', 'kind').inputValue(), 'thread');
      assert.equal(await page.locator('img[src="x"]').count(), 0);
    }));

  test('"As it was" brings the page back; nonsense changes nothing', () =>
    visit(async (page) => {
      const before = await page.locator('main').innerHTML();
      const text = async () => (await shown(page, 'day').innerHTML()).length;
      const length = await text();
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'clerks').fill('4'));
      await knob(page, 'day', 'clerks').fill('');
      await page.locator('form[data-cell=day] button.reset').click();
      assert.equal(await knob(page, 'day', 'clerks').inputValue(), '2');
      assert.equal(await text(), length);
      assert.ok(!page.url().includes('='));
      assert.ok(before.length > 1000);
      await says(page, 'day', /Answered/, () => knob(page, 'day', 'clerks').fill('-3'));
      assert.match(await shown(page, 'day').innerText(), /workers must be a whole number, 1 or more; got -3/);
    }));

  test('an endless cell ends by the button, and by itself; the next answer comes all the same', () =>
    visit(async (page) => {
      await knob(page, 'patience', 'ms').fill('60000');
      await page.locator('form[data-cell=patience] button.stop').click();
      await status(page, 'patience').filter({ hasText: 'Stopped.' }).waitFor();
      await says(page, 'patience', /Ended after 10 s/, () => knob(page, 'patience', 'ms').fill('60001'));
      await says(page, 'patience', /Answered/, () => knob(page, 'patience', 'ms').fill('20'));
    }));

  test('by keyboard alone, and on a phone: axe finds nothing before and after', () =>
    visit(
      async (page) => {
        assert.deepEqual(await violations(page), []);
        await page.locator('form[data-cell=day] input[type=range]').first().focus();
        await says(page, 'day', /Answered/, () => page.keyboard.press('ArrowRight'));
        assert.equal(await knob(page, 'day', 'clerks').inputValue(), '4');
        await page.keyboard.press('Tab');
        assert.deepEqual(await violations(page), []);
        assert.ok(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= 390);
        await page.screenshot({ path: join(artefacts, 'live-phone.png'), fullPage: true });
      },
      { viewport: { width: 390, height: 800 }, colorScheme: 'dark' },
    ));

  test('without scripts it is the static page, complete', () =>
    visit(
      async (page) => {
        assert.equal(await page.locator('form.knobs:visible').count(), 0);
        assert.match(
          (await shown(page, 'day').locator('img').getAttribute('alt'))!,
          /100 items on 2 workers/,
        );
      },
      { javaScriptEnabled: false },
    ));

  test('what answers is small', (t) => {
    const assets = readdirSync(join(folder, 'assets')).map((name) =>
      readFileSync(join(folder, 'assets', name)),
    );
    const bytes = assets.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
    t.diagnostic(
      `${(bytes / 1000).toFixed(0)} kB compressed; the page has ${statSync(file).size} bytes, ${availableParallelism()} cores`,
    );
    assert.ok(bytes <= 360_000, `${bytes} bytes`);
  });
});

suite('what a live cell may not use is refused at export, by cell and name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-live-'));
  after(() => rmSync(folder, { recursive: true }));
  const IMPORTS = `import { createPool, fanOut, runOn } from 'tslab-parallel';
import { claim, python } from 'tslab-parallel/handbook';
import * as os from 'os';
const apart = 1;`;
  for (const [source, words] of [
    [`await python('1')`, /code cell 2 \("live"\) is tagged live and uses "python"/],
    [`claim('x', { typescript: 1 }, { atMost: 2 })`, /uses "claim"/],
    [`await fanOut([])`, /uses "fanOut"/],
    ['os.cpus().length', /uses "os" of "os"/],
    ['process.pid', /uses "process", which is Node's/],
    [`require('fs')`, /uses "require"/],
    ['document.title', /uses "document"/],
    [`createPool('process')`, /runs on "process", which needs Node/],
    [`await runOn({ a: { backend: 'cluster' } }, [1], (n) => n)`, /runs on "cluster"/],
    ['apart + 1', /uses "apart" of code cell 1 \("first"\), which is not: tag that one live/],
    ['const = 3', /is no TypeScript that can be compiled/],
  ] as const) {
    test(source, async () => {
      const cell = (id: string, text: string, tags: string[]) => ({
        cell_type: 'code',
        id,
        metadata: { tags },
        execution_count: null,
        outputs: [],
        source: text,
      });
      const notebook = join(folder, 'mine.ipynb');
      const cells = [cell('first', IMPORTS, []), cell('live', source, ['live'])];
      writeFileSync(notebook, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
      await assert.rejects(runExport(notebook, '--no-execute', '--out', join(folder, 'out')), words);
    });
  }
});
