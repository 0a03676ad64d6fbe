/** A reader's visit in a real JupyterLab. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { difference, ink } from '../harness/browser';
import { root } from '../harness/kernel';
import { Lab, type LabNotebook } from '../harness/lab';
import { chromium } from '../harness/requirements';

const browser = chromium();
const fixture = join(root, 'test', 'fixtures', 'chart.ipynb');
const cells = { knob: 3, chart: 4, wait: 5 };

suite('in JupyterLab', { skip: browser.skip }, () => {
  let lab: Lab;
  let notebook: LabNotebook;
  before(async () => {
    lab = await Lab.start(browser.path, [fixture]);
    notebook = await lab.open(fixture);
  });
  after(() => lab?.close());

  test('a chart made by hand is drawn, and drawn anew when the knob is turned', async () => {
    await notebook.runAll();
    await notebook.idle();
    assert.equal(await notebook.charts(cells.chart).count(), 1);
    const first = await ink(notebook.charts(cells.chart), 'fixture-2-bars.png');
    assert.ok(first.coloured > 0.1, `${first.coloured} of the chart is coloured`);

    await notebook.runFrom(cells.knob);
    await notebook.idle();
    const again = await ink(notebook.charts(cells.chart));
    assert.equal(
      await difference(notebook.page, first.png, again.png),
      0,
      'the same number draws the same chart',
    );

    await notebook.edit(cells.knob, (source) => source.replace('bars = 2', 'bars = 4'));
    await notebook.runFrom(cells.knob);
    await notebook.idle();
    const changed = await ink(notebook.charts(cells.chart), 'fixture-4-bars.png');
    assert.ok((await difference(notebook.page, first.png, changed.png)) > 0.01);
    await notebook.screenshot('fixture.png');

    await notebook.edit(cells.knob, (source) => source.replace('bars = 4', 'bars = 0'));
    await notebook.runFrom(cells.knob);
    await notebook.idle();
    assert.equal((await ink(notebook.charts(cells.chart))).coloured, 0, 'this check can fail');
  });

  test('the stop button ends a cell, and the next one runs', async () => {
    await notebook.edit(cells.wait, (source) => source.replace('seconds = 0', 'seconds = 600'));
    await notebook.run(cells.wait);
    await notebook.printed(cells.wait, 'waiting');
    await notebook.interrupt();
    await notebook.idle(10_000);
    assert.match(await notebook.output(cells.wait), /interrupt/i);
    await notebook.edit(cells.wait, (source) => source.replace('seconds = 600', 'seconds = 0.1'));
    await notebook.run(cells.wait);
    await notebook.idle();
    assert.match(await notebook.output(cells.wait), /waited 0.1 s/);
  });

  test('after the restart button the notebook runs from the top', async () => {
    await notebook.restart();
    await notebook.runAll();
    await notebook.idle();
    assert.equal(await notebook.charts(cells.chart).count(), 1);
    assert.match(await notebook.output(cells.wait), /waited 0.1 s/);
  });

  test('nothing was asked of another machine, and the console shows no error', () => {
    assert.deepEqual(notebook.watch.foreign, []);
    assert.deepEqual(notebook.watch.errors, []);
  });
});
