/** Claims of documents: what a cell shows of one, and the table of all. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { type CellResult, Kernel, root } from '../harness/kernel';
import { judgements } from '../harness/notebook';

suite('claims', () => {
  // Inside the repository, so that the import resolves; ignored by git.
  const folder = mkdtempSync(join(root, 'test', 'dist', 'claims-'));
  let kernel: Kernel;
  before(async () => {
    kernel = await Kernel.start({ cwd: folder });
    await run(`import { claim, claims, python } from 'tslab-parallel/handbook';`);
  });
  beforeEach(() => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  });
  after(async () => {
    await kernel.close();
    rmSync(folder, { recursive: true });
  });

  async function run(code: string): Promise<CellResult> {
    const result = await kernel.run(code);
    assert.equal(result.error, '');
    return result;
  }
  const text = ({ displays }: CellResult) => String(displays[0]?.data['text/plain']);
  const html = ({ displays }: CellResult) => String(displays[0]?.data['text/html']);

  function notebook(name: string, ...cells: [type: 'markdown' | 'code', id: string, source: string][]): void {
    const content = cells.map(([cell_type, id, source]) => ({ cell_type, id, source, metadata: {} }));
    writeFileSync(join(folder, name), JSON.stringify({ cells: content, nbformat: 4, nbformat_minor: 5 }));
  }

  test('one line says in which language it held', async () => {
    const shown = await run(
      `claim('Threads <b> make arithmetic no faster', { python: 1.02, typescript: 0.54 }, { atLeast: 0.85 });`,
    );
    assert.match(
      text(shown),
      /^The document: Threads <b> make arithmetic no faster\. Python: ✓ held \(1\.02\)\. TypeScript: ✗ did not hold \(0\.54.*\)\. Expected at least 0\.85\.$/,
    );
    assert.match(html(shown), /Threads &#60;b&#62; make/);
    const [told] = judgements(shown).claims;
    assert.equal(told?.python?.verdict, 'held');
    assert.equal(told?.typescript?.verdict, 'did not hold');
    assert.equal(told?.ran.node, process.versions.node);
  });

  test('one language may be left out, a result may be any value, and some machines can show neither', async () => {
    const one = await run(`claim('Right', { typescript: ['a', 1] }, { equals: ['a', 1] });`);
    assert.equal(text(one), "The document: Right. TypeScript: ✓ held ([ 'a', 1 ]). Expected [ 'a', 1 ].");
    const none = await run(`claim('Fast', { python: 3 }, { atMost: 1, cannot: 'it needs two cores' });`);
    assert.equal(
      text(none),
      "The document: Fast. Python: – can't be shown here (3; it needs two cores). Expected at most 1.",
    );
  });

  test('what is no claim is refused in a sentence', async () => {
    for (const [call, said] of [
      [`claim('', { python: 1 }, { atMost: 1 })`, "A claim needs a statement, as a string; got ''."],
      [
        `claim('x', {}, { atMost: 1 })`,
        'claim needs what was found in { python, typescript }, one of them or both; got {}.',
      ],
      [
        `claim('x', { java: 1 } as object, { atMost: 1 })`,
        'claim needs what was found in { python, typescript }, one of them or both; got { java: 1 }.',
      ],
      [`claim('x', { python: 1 }, {})`, 'claim needs one of equals, atMost, atLeast; got {}.'],
      [`claim('x', { python: '1' }, { atMost: 1 })`, "atMost compares numbers; got '1' and 1."],
    ] as const) {
      const { stdout } = await run(`try { ${call}; } catch (error) { console.log(error.message); }`);
      assert.equal(stdout, `${said}\n`);
    }
    assert.deepEqual(readdirSync(folder), [], 'nothing is remembered of it');
  });

  test('the table has each claim with its section and its newest outcome, and those not run yet', async () => {
    notebook(
      '05-five.ipynb',
      ['markdown', 'title', '# 5. Five\n\n「다섯」\n\nText.'],
      ['markdown', 'fast', "## Who's `fast`\n\n「누가」\n\nText."],
      [
        'code',
        'fast-check',
        "claim('Threads don\\'t help',\n  { python: 1, typescript: 2 }, { atLeast: 1.5 });",
      ],
      ['markdown', 'words', 'No heading.'],
      ['markdown', 'slow', '### Slow'],
      ['code', 'slow-check', 'claim("Later", { python: 1 }, { atMost: 1 });'],
    );
    writeFileSync(join(folder, '06-broken.ipynb'), '{"cells": [');
    await run(`await python('1')`);
    await run(`claim("Threads don't help", { python: 1 }, { atLeast: 1.5 });`);
    await run(`claim("Threads don't help", { python: 1, typescript: 2 }, { atLeast: 1.5 });`);
    await run(`claim('Not in any notebook', { python: 1 }, { atLeast: 1.5 });`);
    const shown = await run('claims()');
    assert.match(
      text(shown),
      /^5\. Five \(run \d{4}-\d\d-\d\d \d\d:\d\d, Node \d+\.\d+\.\d+, Python 3\.\d+\.\d+\)\n {2}Threads don't help\. Expected at least 1\.5\. Python: ✗ did not hold \(1.*\)\. TypeScript: ✓ held \(2\)\.\n {2}Later\. Not run here yet\.\n2 claims, 1 of them tried in both languages: 0 held in both, 0 only in Python, 1 only in TypeScript, 0 in neither\. 1 not run here yet\.$/,
    );
    assert.match(
      html(shown),
      /<a href="05-five\.ipynb#cell-id=fast">Who&#39;s fast<\/a><br><small>「누가」<\/small>/,
    );
    assert.match(html(shown), /<a href="05-five\.ipynb#cell-id=slow">Slow<\/a><\/td>/);
    assert.match(html(shown), /<strong>✓ held \(2\)<\/strong>/, 'where the languages differ');
    assert.match(html(shown), /<td[^>]*>not run here yet<\/td>/);
  });

  test('without claims it says so', async () => {
    assert.equal(text(await run('claims()')), 'No notebook in this folder makes a claim.');
  });

  test('two kernels that claim at the same time lose nothing', async () => {
    const other = await Kernel.start({ cwd: folder });
    try {
      assert.equal((await other.run(`import { claim } from 'tslab-parallel/handbook';`)).error, '');
      const many = (from: number) =>
        `for (let n = ${from}; n < ${from} + 40; n++) claim('number ' + (n % 60), { typescript: n }, { atLeast: 0 });`;
      const both = await Promise.all([kernel.run(many(0)), other.run(many(30))]);
      assert.deepEqual(
        both.map(({ error }) => error),
        ['', ''],
      );
      const files = readdirSync(join(folder, '.claims'));
      assert.equal(files.length, 60, 'a whole file for each, and nothing half written');
    } finally {
      await other.close();
    }
  });

  test('a folder that may not be written to is told, and the line appears all the same', async () => {
    // A file in its place: this also stops root, who may write anywhere.
    writeFileSync(join(folder, '.claims'), '');
    const shown = await run(`claim('Right', { typescript: 1 }, { equals: 1 });`);
    assert.match(text(shown), /✓ held/);
    assert.match(shown.stderr, /^The table of claims will not have this one: EEXIST/);
  });
});
