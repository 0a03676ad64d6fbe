/** The live cells of the handbook: every knob turned to every value that its cell offers; the page answers, without an error. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch } from '../harness/browser';
import { notebooks } from '../harness/notebook';
import { ExportedPage, runExport } from '../harness/page';
import { chromium } from '../harness/requirements';

const requirement = chromium();
/** A notebook's live cells, by their ids. */
const liveIn = (path: string): string[] =>
  (JSON.parse(readFileSync(path, 'utf8')).cells as { id: string; metadata: { tags?: string[] } }[])
    .filter(({ metadata }) => metadata.tags?.includes('live'))
    .map(({ id }) => id);
const live = notebooks.filter((path) => liveIn(path).length > 0);

test('at least twelve cells of the handbook are live', () => {
  assert.ok(live.flatMap(liveIn).length >= 12);
});

suite('live cells of the handbook', { skip: requirement.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-live-'));
  let browser: Browser;
  before(async () => {
    // Without outputs: what is shown then was made by the page.
    await runExport(...live, '--no-execute', '--out', folder);
    browser = await launch(requirement.path);
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  for (const path of live) {
    const name = path.split(/[\\/]/).at(-1)!.replace('.ipynb', '');
    test(name, async (t) => {
      const exported = await ExportedPage.open(browser, join(folder, `${name}.html`));
      try {
        const { page } = exported;
        for (const form of await page.locator('form.knobs').all()) {
          const cell = (await form.getAttribute('data-cell'))!;
          const status = form.locator('[role=status]');
          for (const knob of await form.locator('.knob').all()) {
            const field = knob.locator('[data-field]');
            const values = (await knob.getAttribute('data-tries'))!.split(' ').filter(Boolean);
            const own = (await knob.getAttribute('data-value'))!;
            // Its own value comes last: it is as it was then.
            for (const value of [...values.filter((one) => one !== own), own]) {
              await status.evaluate((element) => {
                element.textContent = '';
              });
              await field.fill(value);
              await status.filter({ hasText: /Answered|Ended/ }).waitFor({ timeout: 40_000 });
              const said = `${cell}: ${await knob.getAttribute('data-name')} = ${value}: ${await status.innerText()}`;
              // A busy machine may take longer than a page waits; that is said, and no error.
              t.diagnostic(said);
              assert.equal(await page.locator('.output.error').count(), 0, said);
            }
          }
          const outputs = page.locator(`.live-outputs[data-cell="${cell}"]`);
          assert.ok(
            (await outputs.innerText()).trim() !== '' || (await outputs.locator('img').count()) > 0,
            cell,
          );
        }
        assert.deepEqual(exported.watch.errors, []);
        assert.deepEqual(exported.watch.foreign, []);
      } finally {
        await exported.close();
      }
    });
  }
});
