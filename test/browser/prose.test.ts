/** What people write in notebooks arrives on a page: formulas, HTML of their own, attachments, outputs of all kinds. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch } from '../harness/browser';
import { ExportedPage, runExport, violations } from '../harness/page';
import { chromium } from '../harness/requirements';

const requirement = chromium();
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const GIF = 'R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

const prose = (id: string, source: string, attachments?: object) => ({
  cell_type: 'markdown',
  id,
  metadata: {},
  source,
  ...(attachments ? { attachments } : {}),
});
const shows = (id: string, data: object, metadata: object = {}) => ({
  cell_type: 'code',
  id,
  metadata,
  execution_count: 1,
  source: `'${id}'`,
  outputs: [{ output_type: 'display_data', metadata: {}, data }],
});

const cells = [
  prose(
    'formulas',
    String.raw`# Using clear_output and a_b, *really*

In prose $x_1^2 < y$, in a list:

- $\frac{1}{2}$

$$\sum_{i=1}^n i^2$$

\begin{align}a &= b \\ c &= d\end{align}

Not ${'`$code$`'}, Costs $5 and $10. $\newcommand{\half}[1]{\frac{#1}{2}}$Then $\half{x}$, and $\frobnicate x$.

| in a table | pipe |
|---|---|
| $a_1$ | ${'`x \\| y`'} |`,
  ),
  prose(
    'html',
    `E=mc<sup>2</sup>, <a href="https://example.org/">a link</a>, <kbd>Ctrl</kbd> <script>document.title = 'ran'</script>

<details><summary>More</summary>

Inside **bold** and $z$

</details>

> [!WARNING]
> Look here

- [x] done
- [ ] open

see [the cell](#cell-id=latex)`,
  ),
  prose(
    'attached',
    '![shot](attachment:my%20shot.png) ![gone](attachment:gone.png) <img alt="raw" src="attachment:my shot.png">',
    {
      'my shot.png': { 'image/png': PNG },
    },
  ),
  shows('latex', { 'text/latex': String.raw`$$\frac{3}{4}$$`, 'text/plain': '3/4' }),
  shows('markdown', { 'text/markdown': '**bold** and $q^2$', 'text/plain': 'x' }),
  shows('json', { 'application/json': { answer: 42 }, 'text/plain': '<JSON>' }),
  shows('gif', { 'image/gif': GIF, 'text/plain': 'a point' }),
  shows('plotly', {
    'application/vnd.plotly.v1+json': {},
    'image/png': PNG,
    'text/html': '<div id="x"></div><script>1</script>',
  }),
  shows('widget', {
    'application/vnd.jupyter.widget-view+json': { model_id: '1' },
    'text/plain': 'IntSlider(value=3)',
  }),
  shows('vega4', {
    'application/vnd.vegalite.v4+json': {
      $schema: 'https://vega.github.io/schema/vega-lite/v4.json',
      description: 'Four bars',
      data: { values: [{ a: 'p', b: 4 }] },
      mark: 'bar',
      encoding: { x: { field: 'a', type: 'nominal' }, y: { field: 'b', type: 'quantitative' } },
    },
    'text/plain': '<chart>',
  }),
  shows('source', { 'text/plain': 'with a hidden source' }, { jupyter: { source_hidden: true } }),
  shows('outputs', { 'text/plain': 'hidden outputs' }, { jupyter: { outputs_hidden: true } }),
];

suite('what people write', { skip: requirement.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-prose-'));
  let browser: Browser;
  let exported: ExportedPage;
  let log: string;
  before(async () => {
    const file = join(folder, 'prose.ipynb');
    writeFileSync(file, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
    log = await runExport(file, '--no-execute', '--out', folder);
    browser = await launch(requirement.path);
    exported = await ExportedPage.open(browser, join(folder, 'prose.html'));
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });
  const count = (selector: string) => exported.page.locator(selector).count();
  const text = (selector: string) => exported.page.locator(selector).first().innerText();

  test('formulas are MathML, in prose, lists, tables and outputs; money and code are not', async () => {
    assert.equal(await count('math msubsup'), 1);
    assert.equal(await count('li math mfrac'), 1);
    assert.equal(await count('math[display=block] munderover'), 1);
    assert.equal(await count('math mtable'), 1);
    assert.equal(await count('td math msub'), 1);
    assert.equal(await count('[id="cell-id=latex"] math mfrac'), 1);
    assert.equal(await count('[id="cell-id=markdown"] math msup'), 1);
    const body = await text('main');
    assert.match(body, /Costs \$5 and \$10\./);
    assert.match(body, /\$code\$/);
    assert.match(body, /\\frobnicate x/);
    assert.match(log, /Warning: the formula \\frobnicate x can't be read: it is shown as its TeX/);
    const box = await exported.page.locator('math mfrac').first().boundingBox();
    assert.ok(box && box.height > 15, 'the browser draws it');
  });

  test('a macro holds for the rest of the notebook', async () => {
    const halves = await exported.page.locator('math mfrac').allTextContents();
    assert.ok(
      halves.some((half) => half.replace(/\s/g, '') === 'x2'),
      halves.join('; '),
    );
  });

  test('words with _ stay whole in title and heading', async () => {
    assert.equal(await exported.page.title(), 'Using clear_output and a_b, really');
    assert.match(await text('h1'), /clear_output and a_b, really/);
  });

  test('HTML in prose is as in JupyterLab, and nothing of it runs', async () => {
    assert.equal(await text('sup'), '2');
    assert.equal(await text('a[href="https://example.org/"]'), 'a link');
    assert.equal(await text('kbd'), 'Ctrl');
    const details = exported.page.locator('details:has(summary:text("More"))');
    assert.equal(await details.locator('strong').isVisible(), false);
    await details.locator('summary').click();
    assert.equal(await details.locator('strong').isVisible(), true);
    assert.notEqual(await exported.page.title(), 'ran');
  });

  test('alerts, task lists, pipes, links to cells', async () => {
    assert.match(await text('blockquote.alert.warning'), /^Warning\s+Look here$/);
    assert.match(await text('li:has-text("done")'), /☑ done/);
    assert.match(await text('li:has-text("open")'), /☐ open/);
    assert.equal(await text('td code'), 'x | y');
    assert.equal(await count('[id="cell-id=latex"]'), 1);
  });

  test('attachments by their decoded names; a missing one is told', async () => {
    assert.equal(await count('img[alt="shot"][src^="data:image/png"]'), 1);
    assert.equal(await count('img[alt="raw"][src^="data:image/png"]'), 1);
    assert.match(log, /Warning: the picture gone\.png is not in the notebook's folder/);
  });

  test('outputs of other kinds', async () => {
    assert.match(await text('[id="cell-id=json"]'), /"answer": 42/);
    assert.equal(await count('[id="cell-id=gif"] img[src^="data:image/gif"][alt="a point"]'), 1);
    assert.equal(await count('[id="cell-id=plotly"] img[src^="data:image/png"]'), 1);
    assert.match(await text('[id="cell-id=widget"]'), /IntSlider\(value=3\)/);
    assert.equal(await count('[id="cell-id=vega4"] img[alt="Four bars"][src^="data:image/svg"]'), 1);
    assert.equal(await exported.page.locator('[id="cell-id=source"] .highlight').isVisible(), false);
    assert.equal(await exported.page.locator('[id="cell-id=outputs"] .output').isVisible(), false);
  });

  test('axe finds nothing, and the page asks for nothing', async () => {
    assert.deepEqual(await violations(exported.page), []);
    assert.deepEqual(exported.watch.foreign, []);
    assert.deepEqual(exported.watch.errors, []);
  });
});
