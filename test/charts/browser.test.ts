/** The SVGs as a browser draws them, with its fonts: no text is cut off or written over another, on any page. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launch } from '../harness/browser';
import { chromium } from '../harness/requirements';
import { pictures } from './pictures';

const browser = chromium();

interface Text {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Stands in a block, which cuts it off when it is moved. */
  inBlock: boolean;
}

suite('in a browser', { skip: browser.skip }, () => {
  let chromiumBrowser: Browser;
  let page: Page;
  before(async () => {
    chromiumBrowser = await launch(browser.path);
    page = await chromiumBrowser.newPage();
  });
  after(() => chromiumBrowser?.close());

  for (const [name, draw] of Object.entries(pictures)) {
    test(`${name}: every text is inside the picture and apart from the others`, async () => {
      await page.setContent(`<body style="margin:0">${await draw().toSVG()}</body>`);
      const { width, height, texts } = await page.evaluate(() => {
        // This function runs in the browser, whose types this project doesn't load.
        // biome-ignore lint/suspicious/noExplicitAny: see above
        const { document } = globalThis as any;
        const svg = document.querySelector('svg').getBoundingClientRect();
        const texts: Text[] = [];
        for (const element of document.querySelectorAll('svg text')) {
          const { left, right, top, bottom } = element.getBoundingClientRect();
          const text = element.textContent.trim();
          if (text)
            texts.push({ text, left, right, top, bottom, inBlock: element.closest('.texts_marks') !== null });
        }
        return { width: svg.width as number, height: svg.height as number, texts };
      });
      const outside = texts.filter(
        ({ left, right, top, bottom }) =>
          left < -0.5 || top < -2 || right > width + 0.5 || bottom > height + 2,
      );
      assert.deepEqual(
        outside.map(({ text, left, right }) => `${text}: ${left} to ${right} of ${width}`),
        [],
      );
      const over: string[] = [];
      texts.forEach((one, at) => {
        for (const other of texts.slice(at + 1)) {
          const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
          const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
          // The box of a line is higher than its letters.
          if (across > 1 && down > 5) over.push(`${one.text} and ${other.text}`);
        }
      });
      assert.deepEqual(over, []);
    });
  }

  test("on a page that says so the text has the page's colour, in an image one that is readable on both", async () => {
    const svg = await pictures.timelineOfFourBackends!().toSVG();
    const color = async (style: string) => {
      await page.setContent(`<body style="${style}">${svg}</body>`);
      return page.evaluate<string>("getComputedStyle(document.querySelector('svg text')).fill");
    };
    assert.equal(await color('--chart-text: rgb(1, 2, 3)'), 'rgb(1, 2, 3)');
    const neutral = await color('');
    const [channel] = /\d+/.exec(neutral)!;
    const luminance = ((Number(channel) / 255 + 0.055) / 1.055) ** 2.4;
    assert.ok(1.05 / (luminance + 0.05) >= 4.5, `${neutral} on white`);
    assert.ok((luminance + 0.05) / 0.0556 >= 4, `${neutral} on #111`);
  });
});
