/**
 * A reader's visit of a notebook: run all, turn a knob, stop, run again, restart; and the page that a writer exports.
 * `VISITS=all`: of every notebook; `VISITS=05`: of those whose names contain it; without it of the first page.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference, type Ink, ink, launch } from '../harness/browser';
import { root } from '../harness/kernel';
import { Lab, type LabNotebook } from '../harness/lab';
import { earlierInSection, notebooks, readNotebook } from '../harness/notebook';
import { ExportedPage, exportPage, violations } from '../harness/page';
import { chromium } from '../harness/requirements';

const browser = chromium();
const VISITS = process.env.VISITS ?? 'index';
const visited = notebooks.filter((path) => VISITS === 'all' || basename(path).includes(VISITS));
/** What the notebooks show or lead to. */
const others = ['overview.svg', 'SECTIONS.md'].map((name) => join(root, 'notebooks', name));

/** What the reader turns in the first cell that has it, and what its chart then tells. */
const knob = {
  from: 'const workers = 2;',
  to: 'const workers = 4;',
  told: /\b4 (threads|processes|workers)\b/,
};

suite('a visit', { skip: browser.skip }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.start(browser.path, [...notebooks, ...others]);
  });
  after(() => lab?.close());

  for (const path of visited) {
    const name = basename(path, '.ipynb');
    suite(name, () => {
      let visit: LabNotebook;
      let drawn = 0;
      before(async () => {
        visit = await lab.open(path);
      });

      test('Run All Cells runs all, and every chart is drawn', async () => {
        await visit.runAll();
        await visit.idle();
        await checkAllRan(visit);
        drawn = await checkCharts(visit, `lab-${name}`);
      });

      const notebook = readNotebook(path);
      const { cells } = notebook;
      const turned = cells.find(({ source }) => source.includes(knob.from))?.number ?? 0;

      test('turning a knob changes the chart', async () => {
        assert.ok(turned, `${name} has no cell with the knob ${knob.from}`);
        const chart = visit.charts(turned).first();
        const before = await ink(chart);
        assert.doesNotMatch(await visit.descriptions(turned), knob.told);
        await visit.edit(turned, (source) => source.replace(knob.from, knob.to));
        await visit.run(turned);
        await visit.idle();
        await checkAllRan(visit);
        const after = await ink(chart, `lab-${name}-knob.png`);
        assert.match(await visit.descriptions(turned), knob.told);
        assert.ok((await difference(visit.page, before.png, after.png)) > 0.01, 'the chart is the same');
      });

      test('the stop button stops all cells, and they run again', async (t) => {
        await visit.runAll();
        await sleep(1000);
        const before = performance.now();
        // In an instant between two cells there is nothing to stop.
        while (!(await visit.isIdle()) && performance.now() - before < 20_000) {
          await visit.interrupt();
          await sleep(500);
        }
        t.diagnostic(`idle ${Math.round(performance.now() - before)} ms after the stop button`);
        assert.ok(
          (await visit.prompts()).includes('[ ]:'),
          'cells below the one that was stopped did not run',
        );
        await visit.runAll();
        await visit.idle();
        await checkAllRan(visit);
        assert.equal(await checkCharts(visit, `lab-${name}-again`), drawn);
      });

      test('after a restart a section needs only the first cell', async () => {
        await visit.restart();
        const before = earlierInSection(notebook, cells.find(({ number }) => number === turned)!);
        for (const number of new Set([...[cells[0]!, ...before].map((cell) => cell.number), turned])) {
          await visit.run(number);
          await visit.idle();
        }
        assert.equal(await visit.errors(), '');
        assert.match(await visit.descriptions(turned), knob.told);
      });

      test('nothing was asked of another machine, and the console shows no error', () => {
        assert.deepEqual(visit.watch.foreign, []);
        assert.deepEqual(visit.watch.errors, []);
      });

      test('the exported page shows every chart with the network cut off, and axe finds nothing', async (t) => {
        const file = await exportPage(path);
        const offline = await launch(browser.path);
        try {
          const page = await ExportedPage.open(offline, file);
          const charts = await page.charts();
          for (const [index, chart] of charts.entries()) {
            checkInk(await ink(chart, `export-${name}-${index + 1}.png`), `exported chart ${index + 1}`);
            const alt = (await chart.getAttribute('alt')) ?? '';
            assert.ok(
              alt.length > 10 && !/^No description/.test(alt),
              `exported chart ${index + 1}: alt="${alt}"`,
            );
          }
          assert.equal(charts.length, drawn, 'as many charts as in JupyterLab');
          assert.deepEqual(page.watch.errors, []);
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.page.emulateMedia({ colorScheme });
            assert.deepEqual(await violations(page.page), [], colorScheme);
          }
          const bare = readFileSync(file, 'utf8').replace(/data:image[^"']*/g, '');
          const bytes = Buffer.byteLength(bare);
          // A notebook with more to read than that may have a larger page: for each byte of text less than one of markup, addresses and words for pictures.
          const text = (await page.page.evaluate(
            `new Blob([document.querySelector('main').textContent]).size`,
          )) as number;
          assert.ok(
            bytes <= Math.max(150_000, 1.75 * text),
            `${bytes} bytes without its pictures, ${text} of them text`,
          );
          t.diagnostic(`${(bytes / 1000).toFixed(0)} kB without its pictures`);
          assert.deepEqual(page.watch.foreign, []);
        } finally {
          await offline.close();
          rmSync(dirname(file), { recursive: true });
        }
      });
    });
  }
});

suite('the table of claims', { skip: browser.skip }, () => {
  test('leads to the section of a claim', async (t) => {
    const lab = await Lab.start(browser.path, [...notebooks, ...others]);
    t.after(() => lab.close());
    const index = join(root, 'notebooks', 'index.ipynb');
    const visit = await lab.open(index);
    const cell = readNotebook(index).cells.find(({ source }) => source.includes('claims()'))!.number;
    await visit.run(cell);
    await visit.idle();
    // The last one: its section is far below the notebook's top.
    const link = visit.cell(cell).locator('a[href*="cell-id="]').last();
    const section = await link.innerText();
    await link.click();
    const heading = visit.page
      .locator('.jp-NotebookPanel:not(.lm-mod-hidden)')
      .getByRole('heading', { name: section });
    await heading.waitFor();
    const { height } = visit.page.viewportSize()!;
    for (const giveUp = performance.now() + 10_000; ; await sleep(100)) {
      const box = await heading.boundingBox();
      if (box && box.y >= 0 && box.y + box.height <= height) return;
      assert.ok(performance.now() < giveUp, `the section is not in sight: ${JSON.stringify(box)}`);
    }
  });
});

async function checkAllRan(visit: LabNotebook): Promise<void> {
  const prompts = await visit.prompts();
  assert.ok(
    prompts.every((prompt) => /^\[\d+\]:$/.test(prompt)),
    `some cells did not run: ${prompts.join(' ')}\n${await visit.errors()}`,
  );
  assert.equal(await visit.errors(), '');
}

/** @returns how many there are */
async function checkCharts(visit: LabNotebook, file: string): Promise<number> {
  const charts = await visit.allCharts().all();
  assert.ok(charts.length > 0, 'no chart at all');
  for (const [index, chart] of charts.entries()) {
    checkInk(await ink(chart, `${file}-${index + 1}.png`), `chart ${index + 1}`);
  }
  return charts.length;
}

function checkInk({ width, height, coloured }: Ink, what: string): void {
  assert.ok(width > 100 && height > 40, `${what} is ${width} x ${height} pixels`);
  // A line and four dots are less than half a percent; a chart without marks has none.
  assert.ok(
    coloured > 0.001,
    `only ${(100 * coloured).toFixed(2)} % of ${what} is coloured: no marks to be seen`,
  );
}
