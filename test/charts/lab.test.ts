/** The same charts as JupyterLab draws them: with its own, older Vega-Lite, in its light and its dark theme. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ink } from '../harness/browser';
import { Lab, type LabNotebook } from '../harness/lab';
import { chromium } from '../harness/requirements';

const browser = chromium();
const cells = [
  "import { compare, timeline } from 'tslab-parallel';\nconst { fourBackends } = require('../charts/records');\nconst { pictures } = require('../charts/pictures');",
  'timeline(fourBackends())',
  "compare([...fourBackends(), { label: '문서의 파이썬', ms: 133 }])",
  'pictures.timelineWithLabels()',
  'pictures.speedupOfOneBackend()',
];

suite('in JupyterLab', { skip: browser.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-charts-'));
  let lab: Lab;
  let notebook: LabNotebook;

  before(async () => {
    const file = join(folder, 'charts.ipynb');
    writeFileSync(file, JSON.stringify(notebookOf(cells)));
    lab = await Lab.start(browser.path, [file]);
    notebook = await lab.open('charts.ipynb');
    await notebook.runAll();
    await notebook.idle();
  });
  after(async () => {
    await lab?.close();
    rmSync(folder, { recursive: true });
  });

  test('charts are drawn, with nothing in the console', async () => {
    for (const cell of [2, 3]) {
      assert.equal(await notebook.charts(cell).count(), 1);
      const { coloured, colours } = await ink(notebook.charts(cell), `chart-${cell}.png`);
      assert.ok(coloured > 0.1, `${coloured} of cell ${cell} is coloured`);
      assert.ok(colours >= (cell === 2 ? 4 : 1), `${colours} colours in cell ${cell}`);
    }
    assert.deepEqual(notebook.watch.errors, []);
    assert.deepEqual(notebook.watch.foreign, []);
  });

  test('a block tells its figures to the pointer', async () => {
    const { x, y, height } = (await notebook.charts(2).boundingBox())!;
    await notebook.page.mouse.move(x + 250, y + height - 80);
    await notebook.page.mouse.move(x + 252, y + height - 82, { steps: 3 });
    const tooltip = notebook.page.locator('#vg-tooltip-element.visible');
    await tooltip.waitFor();
    assert.match(
      await tooltip.innerText(),
      /run:\s*process\s*lane:\s*process 1\s*item:\s*\d\s*took:\s*[\d.]+ ms/,
    );
  });

  test('the wheel alone belongs to the page; with Ctrl it zooms, a drag moves, a double click resets', async () => {
    const chart = notebook.charts(2);
    const { x, y } = (await chart.boundingBox())!;
    const { page } = notebook;
    const center = [x + 300, y + 120] as const;
    const seen = async () => {
      await page.mouse.move(10, 10); // no tooltip in the picture
      await page.waitForTimeout(200);
      return (await chart.screenshot()).toString('base64');
    };
    const before = await seen();
    await page.mouse.move(...center);
    await page.mouse.wheel(0, -300);
    assert.equal(await seen(), before, 'the wheel alone');

    await page.mouse.move(...center);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    const zoomed = await seen();
    assert.notEqual(zoomed, before, 'Ctrl and the wheel');

    await page.mouse.move(...center);
    await page.mouse.down();
    await page.mouse.move(center[0] - 100, center[1], { steps: 4 });
    await page.mouse.up();
    assert.notEqual(await seen(), zoomed, 'a drag');

    await page.mouse.dblclick(...center);
    assert.equal(await seen(), before, 'a double click');
  });

  test('a click on a name in the legend leaves its blocks alone', async () => {
    const chart = notebook.charts(4);
    await chart.scrollIntoViewIfNeeded();
    const { x, y, height } = (await chart.boundingBox())!;
    const { page } = notebook;
    const colours = async () => (await ink(chart, 'chart-4-picked.png')).coloured;
    const before = await colours();
    await page.mouse.click(x + 252, y + height - 9); // draw, the third
    await page.waitForTimeout(200);
    const picked = await colours();
    assert.ok(picked < 0.7 * before, `${picked} coloured, ${before} before`);
  });

  test('a slider shows what another serial share would do', async () => {
    const slider = notebook.cell(5).locator('input[type=range]');
    const chart = notebook.charts(5);
    await chart.scrollIntoViewIfNeeded();
    const before = (await chart.screenshot()).toString('base64');
    await slider.fill('30');
    await notebook.page.waitForTimeout(200);
    assert.notEqual((await chart.screenshot()).toString('base64'), before);
  });

  test('a theme that changes leaves every chart readable, drawn again or not', async () => {
    const { page } = notebook;
    const choose = async (theme: 'Dark' | 'Light') => {
      await page.getByRole('menuitem', { name: 'Settings', exact: true }).click();
      for (const item of [/^Theme$/, new RegExp(`^JupyterLab ${theme}$`)])
        await page.locator('.lm-Menu-itemLabel', { hasText: item }).click();
      await page.locator(`body[data-jp-theme-light="${theme === 'Light'}"]`).waitFor({ state: 'attached' });
    };
    const picture = async (name: string) =>
      shades((await ink(notebook.charts(3), `chart-3-${name}.png`)).png);
    /** What is right of the bars are their figures: dark on light, or light on dark. */
    const isReadable = ({ dark, light }: Shades, name: string) => {
      const [paper, text] = [Math.max(dark.paper, light.paper), Math.min(dark.text, light.text)];
      assert.ok(paper > 0.3, `${name}: ${paper} of the picture is its background`);
      assert.ok(text > 0.002, `${name}: ${text} of what is right of the bars is text`);
    };
    isReadable(await picture('light'), 'light');
    await choose('Dark');
    isReadable(await picture('light-then-dark'), 'drawn in the light, seen in the dark');
    await notebook.runAll();
    await notebook.idle();
    const drawn = await picture('dark');
    isReadable(drawn, 'drawn in the dark');
    assert.ok(drawn.dark.paper > 0.3, 'a dark page has dark charts');
    await choose('Light');
    isReadable(await picture('dark-then-light'), 'drawn in the dark, seen in the light');
  });

  interface Shades {
    dark: { paper: number; text: number };
    light: { paper: number; text: number };
  }

  /** Shares of the pixels that are dark, and light: of the picture, and right of the bars, where only their figures stand. */
  async function shades(png: Buffer): Promise<Shades> {
    const blank = await notebook.page.context().newPage();
    const shares = await blank.evaluate<Shades>(`(async () => {
      const image = new Image();
      image.src = 'data:image/png;base64,${png.toString('base64')}';
      await image.decode();
      const { width, height } = image;
      const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
      context.drawImage(image, 0, 0);
      const share = (x, y, isOne) => {
        const { data } = context.getImageData(x, y, width - x, height - 2 * y);
        let ones = 0;
        for (let at = 0; at < data.length; at += 4) if (isOne(data.subarray(at, at + 3))) ones++;
        return ones / (data.length / 4);
      };
      const both = (isOne) => ({
        paper: share(0, 0, isOne),
        text: share(Math.round(width * 0.67), Math.round(height * 0.25), isOne),
      });
      return { dark: both((rgb) => Math.max(...rgb) < 60), light: both((rgb) => Math.min(...rgb) > 200) };
    })()`);
    await blank.close();
    return shares;
  }
});

function notebookOf(sources: readonly string[]): object {
  return {
    cells: sources.map((source, at) => ({
      cell_type: 'code',
      id: `cell-${at}`,
      metadata: {},
      execution_count: null,
      outputs: [],
      source,
    })),
    metadata: {
      kernelspec: { name: 'tslab', display_name: 'TypeScript', language: 'typescript' },
      language_info: { name: 'typescript' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}
