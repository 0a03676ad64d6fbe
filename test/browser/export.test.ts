/** Exported pages in a real browser: complete by themselves, readable for everybody, harmless. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { artefacts, ink, launch } from '../harness/browser';
import { hostileNotebook, html, MARK } from '../harness/hostile';
import { root } from '../harness/kernel';
import { ExportedPage, exportPage, runExport, violations } from '../harness/page';
import { chromium } from '../harness/requirements';

const requirement = chromium();
const schemes = ['light', 'dark'] as const;

suite('exported pages', { skip: requirement.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-pages-'));
  const page = (name: string) => join(folder, 'pages', `${name}.html`);
  const live = join(folder, 'live', 'everything.html');
  let browser: Browser;

  before(async () => {
    const hostile = join(folder, 'hostile.ipynb');
    writeFileSync(hostile, hostileNotebook());
    const fixtures = ['everything', 'chart'].map((name) => join(root, 'test', 'fixtures', `${name}.ipynb`));
    await runExport(...fixtures, hostile, '--no-execute', '--out', join(folder, 'pages'));
    await runExport(fixtures[0]!, hostile, '--no-execute', '--interactive', '--out', join(folder, 'live'));
    browser = await launch(requirement.path);
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a page, looks at it, and asks whether it asked anybody or complained. */
  async function visit(
    file: string,
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

  for (const name of ['everything', 'index', 'chart']) {
    for (const colorScheme of schemes) {
      test(`${name}, ${colorScheme}: axe finds nothing`, () =>
        visit(page(name), async (page) => assert.deepEqual(await violations(page), []), { colorScheme }));
    }
  }

  test('on a phone axe finds nothing, and nothing but code, charts and tables is wider than it', () =>
    visit(
      page('everything'),
      async (page) => {
        assert.deepEqual(await violations(page), []);
        assert.ok(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= 360);
      },
      { viewport: { width: 360, height: 740 } },
    ));

  test('a chart is readable in both colour schemes, with its words and its figures', async () => {
    for (const colorScheme of schemes) {
      await visit(
        page('everything'),
        async (page) => {
          const chart = page.locator('figure img').first();
          assert.match((await chart.getAttribute('alt')) ?? '', /하나씩 차례로/);
          assert.ok((await ink(chart, `export-chart-${colorScheme}.png`)).coloured > 0.01);
          // Its text: the darkest point of a light chart, the brightest of a dark one.
          const [darkest, brightest] = await luminances(chart);
          if (colorScheme === 'light') assert.ok(darkest! < 90, `text of ${darkest} on white`);
          else assert.ok(brightest! > 190, `text of ${brightest} on black`);
          const figures = page.locator('figure details').first();
          assert.equal(await figures.locator('table').isVisible(), false);
          await figures.locator('summary').click();
          assert.match(await figures.innerText(), /스레드 두 개로 나누어\s+21 ms/);
        },
        { colorScheme },
      );
    }
  });

  test('the table of contents and the headings lead to each other, in Korean too', () =>
    visit(page('everything'), async (page) => {
      const hrefs = (await page.evaluate(
        `[...document.querySelectorAll('.contents a')].map((link) => link.hash)`,
      )) as string[];
      assert.equal(hrefs.length, 7);
      assert.equal(new Set(hrefs).size, 7, 'two headings have the same text');
      const broken = await page.evaluate(
        `[...document.querySelectorAll('a[href^="#"]')].map((link) => decodeURIComponent(link.hash.slice(1))).filter((id) => !document.getElementById(id))`,
      );
      assert.deepEqual(broken, []);
      await page.locator('h3 a', { hasText: '출력' }).first().click();
      assert.equal(decodeURIComponent(new URL(page.url()).hash), '#출력');
      await page.locator('.contents a', { hasText: '느린 일과 빠른 일' }).nth(1).click();
      assert.equal(decodeURIComponent(new URL(page.url()).hash), '#느린-일과-빠른-일-2');
      const target = page.locator('h2:target');
      assert.ok((await target.boundingBox())!.y < 60);
      await page.goto(`${page.url().replace(/#.*/, '')}#느린-일과-빠른-일`);
      assert.equal(await page.locator('h2:target').count(), 1);
    }));

  test('pages lead to each other, to the index, and from notebook to notebook', () =>
    visit(page('everything'), async (page) => {
      await page.locator('a', { hasText: '다른 노트북' }).click();
      assert.match(page.url(), /\/chart\.html#chart$/);
      await page.locator('a[rel=next]').click();
      assert.match(page.url(), /\/everything\.html$/);
      await page.locator('header a').click();
      assert.match(page.url(), /\/index\.html$/);
      assert.equal(await page.locator('main li').count(), 3);
    }));

  test('code is copied with a button that the keyboard reaches', () =>
    visit(
      page('everything'),
      async (page) => {
        const button = page.locator('.copy').first();
        assert.equal(await button.textContent(), '복사');
        await button.focus();
        await page.keyboard.press('Enter');
        await page.locator('.copy', { hasText: '복사했습니다' }).waitFor();
        assert.match((await page.evaluate('navigator.clipboard.readText()')) as string, /^import \{ compare/);
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    ));

  test('with the keyboard alone one gets everywhere, first to the text', () =>
    visit(page('everything'), async (page) => {
      await page.keyboard.press('Tab');
      await becomes(page, 'document.activeElement.textContent', '본문으로');
      await page.keyboard.press('Enter');
      await becomes(page, 'location.hash', '#main');
      const unreachable = await page.evaluate(
        `[...document.querySelectorAll('pre, .scroll, .tables')].filter((box) => box.scrollWidth > box.clientWidth && box.tabIndex < 0 && !box.querySelector('[tabindex]')).length`,
      );
      assert.equal(unreachable, 0);
    }));

  test('nothing moves for readers who want no motion', () =>
    visit(
      page('everything'),
      async (page) => {
        const moving = await page.evaluate(
          `[...document.querySelectorAll('*')].filter((element) => { const style = getComputedStyle(element); return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0; }).length`,
        );
        assert.equal(moving, 0);
        assert.equal(
          await page.evaluate('getComputedStyle(document.documentElement).scrollBehavior'),
          'auto',
        );
      },
      { reducedMotion: 'reduce' },
    ));

  test('on paper folded code is open, and what one can only click is gone', () =>
    visit(page('everything'), async (page) => {
      await page.emulateMedia({ media: 'print' });
      await page.evaluate(`dispatchEvent(new Event('beforeprint'))`);
      assert.match(await page.locator('details.fold').first().innerText(), /line45/);
      for (const only of ['.copy', '.contents', 'footer']) {
        assert.equal(await page.locator(only).first().isVisible(), false, only);
      }
      await page.pdf({ path: join(artefacts, 'export-everything.pdf') });
    }));

  test('without scripts a page is all there, and shows no button that does nothing', () =>
    visit(
      page('everything'),
      async (page) => {
        assert.equal(await page.locator('.copy:visible').count(), 0);
        await page.locator('.contents summary').click();
        assert.ok(await page.locator('.contents a').first().isVisible());
      },
      { javaScriptEnabled: false },
    ));

  suite('--interactive', () => {
    test('a chart answers to the pointer, and axe finds nothing', async () => {
      for (const colorScheme of schemes) {
        await visit(
          live,
          async (page) => {
            await page.locator('figure .live svg').nth(1).waitFor();
            await page.locator('figure .live .mark-rect path').first().hover();
            await page.locator('[title*="40 ms"]').waitFor();
            assert.deepEqual(await violations(page), []);
            await ink(page.locator('figure .live').first(), `export-live-${colorScheme}.png`);
          },
          { colorScheme },
        );
      }
    });

    test('Vega is in the page once; without scripts the pictures stay', async () => {
      const source = readFileSync(live, 'utf8');
      assert.equal(source.split('expressionInterpreter=').length - 1, 1);
      await visit(
        live,
        async (page) => {
          assert.ok((await ink(page.locator('figure img').first())).coloured > 0.01);
          assert.equal(await page.locator('.live').count(), 0);
        },
        { javaScriptEnabled: false },
      );
    });
  });

  suite('what a notebook printed, fetched or says of itself', () => {
    test('would run if it were just put there', async () => {
      const file = join(folder, 'control.html');
      const frames = html('control').map(
        (source) => `<iframe srcdoc="${source.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>`,
      );
      writeFileSync(file, `<!DOCTYPE html><body>${frames.join('')}`);
      const { page, close } = await opened(file);
      const hits = await provoked(page);
      assert.ok(new Set(hits).size >= 12, `only ${hits.join(', ')}`);
      await close();
    });

    for (const where of ['pages', 'live']) {
      for (const bypassCSP of [false, true]) {
        test(`never runs and never asks in ${where}${bypassCSP ? ', even without the page’s own policy' : ''}`, async () => {
          const { page, watch, close } = await opened(join(folder, where, 'hostile.html'), bypassCSP);
          assert.deepEqual(await provoked(page), []);
          assert.deepEqual(watch.foreign, []);
          assert.deepEqual(watch.errors, []);
          assert.equal(await page.locator('main').isVisible(), true);
          assert.ok((await page.locator('pre.output').count()) >= 6);
          await close();
        });
      }
    }

    async function opened(file: string, bypassCSP = false) {
      const exported = await ExportedPage.open(browser, file, { bypassCSP });
      return { page: exported.page, watch: exported.watch, close: () => exported.close() };
    }

    /** Clicks on everything there is to click, waits a moment, and asks what ran. */
    async function provoked(page: Page): Promise<string[]> {
      for (const frame of page.frames()) {
        await frame.evaluate(
          `for (const part of document.querySelectorAll('details')) part.open = true;
           for (const part of document.querySelectorAll('a:not([href^="#"], [href^="http"], [href$=".html"]), svg a, button, summary, input, .live path')) {
             part.focus?.();
             part.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, view: window }));
           }`,
        );
      }
      await page.waitForTimeout(300);
      return (await page.evaluate(`globalThis.${MARK} ?? []`)) as string[];
    }
  });

  /** The darkest and the brightest grey of a picture. */
  async function luminances(element: Locator): Promise<number[]> {
    const png = (await element.screenshot()).toString('base64');
    const blank = await browser.newPage();
    try {
      return (await blank.evaluate(`(async () => {
        const image = new Image();
        image.src = 'data:image/png;base64,${png}';
        await image.decode();
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.width, image.height];
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        let [darkest, brightest] = [255, 0];
        for (let at = 0; at < data.length; at += 4) {
          const [r, g, b] = data.slice(at, at + 3);
          if (Math.max(r, g, b) - Math.min(r, g, b) > 30) continue;
          darkest = Math.min(darkest, (r + g + b) / 3);
          brightest = Math.max(brightest, (r + g + b) / 3);
        }
        return [darkest, brightest];
      })()`)) as number[];
    } finally {
      await blank.close();
    }
  }
});

test('a page that is exported from a run shows its chart with the network cut off', {
  skip: requirement.skip,
}, async () => {
  const file = await exportPage(join(root, 'test', 'fixtures', 'chart.ipynb'));
  const browser = await launch(requirement.path);
  try {
    const page = await ExportedPage.open(browser, file);
    const [chart, ...others] = await page.charts();
    assert.ok(chart && others.length === 0);
    assert.equal(await chart.getAttribute('alt'), 'A bar chart of 2 bars');
    assert.ok((await ink(chart, 'export-fixture.png')).coloured > 0.05);
  } finally {
    await browser.close();
    rmSync(dirname(file), { recursive: true });
  }
});

/** The browser takes a moment to do what a key asks for. */
async function becomes(page: Page, expression: string, expected: string): Promise<void> {
  for (let time = 0; time < 50 && (await page.evaluate(expression)) !== expected; time++) {
    await page.waitForTimeout(100);
  }
  assert.equal(await page.evaluate(expression), expected);
}
