/** `export`: pages from notebooks, on the real kernel. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { root } from '../harness/kernel';
import { PATIENCE_MS } from '../harness/processes';
import { Command, descendants, folder, notebook, program, project, run, survivors } from './command';

function exportIn(t: TestContext, cwd: string, ...args: string[]) {
  return run(t, [program, 'export', ...args], { cwd });
}

/** All files below a folder, in order. */
function files(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .sort();
}

test('every notebook becomes a page; it tells how it goes', async (t) => {
  const cwd = project(t, {
    'notebooks/one.ipynb': notebook('const answer = 6 * 7;', '', 'console.log("the answer is", answer)'),
    'notebooks/two.ipynb': notebook('process.cwd()'),
  });
  const { code, output } = await exportIn(t, cwd);
  assert.equal(code, 0, output);
  assert.deepEqual(readdirSync(join(cwd, 'blog')).sort(), ['index.html', 'one.html', 'two.html']);
  assert.match(readFileSync(join(cwd, 'blog', 'one.html'), 'utf8'), /the answer is 42/);
  // A notebook runs in its own folder, as in JupyterLab.
  assert.match(readFileSync(join(cwd, 'blog', 'two.html'), 'utf8'), /tslab-parallel-cli-\w+\/notebooks/);
  // A line a notebook where nobody watches.
  assert.match(
    output,
    /^notebooks\/one\.ipynb -> blog\/one\.html \(2 cells, .* s\)\nnotebooks\/two\.ipynb -> blog\/two\.html \(1 cell, /m,
  );
  assert.match(output, /2 pages in blog, /);
});

test('one bad notebook after another: the others become pages, and the end says which failed and why', async (t) => {
  const cwd = project(t, {
    'notebooks/a.ipynb': notebook('1', 'throw new RangeError("too far")'),
    'notebooks/b.ipynb': '{ "no": "notebook" }',
    'notebooks/c.ipynb': notebook('console.log("all is well")'),
    'notebooks/d.ipynb': notebook('process.exit(1)'),
    'notebooks/e.ipynb': notebook('console.log("the last")'),
  });
  const { code, output } = await exportIn(t, cwd);
  assert.equal(code, 1);
  assert.match(
    output,
    /b\.ipynb is not a notebook.*\n\n.*a\.ipynb: cell 2 of 2 failed.*RangeError: too far.*d\.ipynb: the kernel died/s,
  );
  assert.match(readFileSync(join(cwd, 'blog', 'c.html'), 'utf8'), /all is well/);
  assert.match(readFileSync(join(cwd, 'blog', 'e.html'), 'utf8'), /the last/);
  assert.ok(!existsSync(join(cwd, 'blog', 'a.html')));
});

test('a cell tagged raises-exception, and those after it', async (t) => {
  const stored = JSON.parse(
    notebook(
      'throw new RangeError("meant")',
      'console.log("second")',
      'throw new Error("again")',
      'console.log("fourth")',
    ),
  );
  for (const at of [0, 2]) stored.cells[at].metadata.tags = ['raises-exception'];
  const cwd = project(t, { 'a.ipynb': JSON.stringify(stored) });
  const { code, output } = await exportIn(t, cwd, 'a.ipynb');
  assert.equal(code, 0, output);
  const html = readFileSync(join(cwd, 'blog', 'a.html'), 'utf8');
  for (const words of ['meant', '>second', 'again', '>fourth']) assert.ok(html.includes(words), words);
});

test('a cell that fails gets no page, and names itself; the last good page stays', async (t) => {
  const cwd = project(t, {
    'a.ipynb': notebook(
      'function f() { throw new RangeError("too far"); }',
      'console.log("begin");\nf()',
      '1',
    ),
    'blog/a.html': 'good',
  });
  const { code, output } = await exportIn(t, cwd, 'a.ipynb');
  assert.equal(code, 1);
  assert.match(output, /a\.ipynb: cell 2 of 3 failed/);
  assert.match(output, /console\.log\("begin"\);\n +f\(\)/);
  assert.match(output, /RangeError: too far/);
  assert.doesNotMatch(output, /tslab\/dist|node:vm/);
  assert.deepEqual(readdirSync(join(cwd, 'blog')), ['a.html']);
  assert.equal(readFileSync(join(cwd, 'blog', 'a.html'), 'utf8'), 'good');
});

test('a kernel that dies is told from a cell that fails', async (t) => {
  const cwd = project(t, { 'a.ipynb': notebook('1', 'process.exit(3)') });
  const { code, output } = await exportIn(t, cwd, 'a.ipynb');
  assert.equal(code, 1);
  assert.match(output, /a\.ipynb: the kernel died in cell 2 of 2/);
  assert.equal(existsSync(join(cwd, 'blog')), false);
});

test('Ctrl-C leaves the last good pages and no process', async (t) => {
  const cwd = project(t, {
    'a.ipynb': notebook(
      `import { spawn } from 'node:child_process';\nspawn('sleep', ['600'], { detached: true });`,
      'await new Promise((resolve) => setTimeout(resolve, 600_000));',
    ),
    'blog/a.html': 'good',
  });
  const command = new Command(t, [program, 'export', 'a.ipynb', '--out', 'blog'], { cwd });
  let started = descendants(command.child.pid!);
  for (const until = performance.now() + PATIENCE_MS; started.size < 3 && performance.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    started = descendants(command.child.pid!);
  }
  assert.equal(started.size, 3, `Python, kernel, sleep: ${[...started.values()]}`);
  command.child.kill('SIGINT');
  assert.equal(await command.ended, 130);
  assert.match(command.output, /interrupted/);
  assert.deepEqual(await survivors(started, 0), []);
  assert.deepEqual(readdirSync(join(cwd, 'blog')), ['a.html']);
  assert.equal(readFileSync(join(cwd, 'blog', 'a.html'), 'utf8'), 'good');
});

test('--no-execute shows what the notebook stores, with alternative text; a picture without alternative text is a warning', async (t) => {
  const stored = JSON.parse(notebook('throw new Error("it ran")'));
  stored.cells[0].execution_count = 1;
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  stored.cells[0].outputs = [
    {
      output_type: 'display_data',
      metadata: { 'image/svg+xml': { alt: 'Two bars, "a" < "b"' } },
      data: { 'image/svg+xml': svg },
    },
    { output_type: 'stream', name: 'stdout', text: 'from yesterday' },
    { output_type: 'display_data', metadata: {}, data: { 'image/png': 'iVBORw0KGgo=' } },
  ];
  const cwd = project(t, { 'a.ipynb': JSON.stringify(stored) });
  const { code, output } = await exportIn(t, cwd, '--no-execute', '--out=pages');
  assert.equal(code, 0, output);
  const html = readFileSync(join(cwd, 'pages', 'a.html'), 'utf8');
  assert.match(html, /from yesterday/);
  assert.doesNotMatch(html, /<script[^>]+src=|import .* from .https?:/); // nothing is loaded from elsewhere
  assert.match(html, /<img alt='Two bars, "a" &lt; "b"'/);
  assert.match(output, /Warning: Alternative text is missing on 1 image/);
});

suite('of a notebook with everything', () => {
  const everything = join(root, 'test', 'fixtures', 'everything.ipynb');

  test('the page is of its language, says what it is, and is light', async (t) => {
    const cwd = project(t);
    const { code, output } = await exportIn(
      t,
      cwd,
      everything,
      '--no-execute',
      '--address',
      'https://a.test/b',
    );
    assert.equal(code, 0, output);
    assert.match(output, /Warning: the picture https:\/\/example\.org\/picture\.png is only linked to/);
    const html = readFileSync(join(cwd, 'blog', 'everything.html'), 'utf8');
    const [head = '', body = ''] = html.split('</head>');
    assert.match(html, /<html lang="ko">/);
    assert.match(head, /<title>모든 것이 있는 노트북<\/title>/);
    assert.match(head, /<meta name="description" content="출력의 모든 종류를 하나씩 담은 노트북">/);
    assert.match(head, /<link rel="canonical" href="https:\/\/a\.test\/b\/everything\.html">/);
    const preview = /property="og:image" content="https:\/\/a\.test\/b\/(.*?)"/.exec(head)?.[1];
    assert.ok(preview && existsSync(join(cwd, 'blog', preview)), `preview ${preview}`);
    for (const word of ['목차', '복사', '수치', '본문으로', '코드, 46줄'])
      assert.ok(body.includes(word), word);
    for (const word of ['Contents', 'Copy', 'Figures']) assert.ok(!body.includes(word), word);

    // Tags.
    assert.doesNotMatch(body, /감춘 칸/);
    assert.doesNotMatch(body, /출력만&#39;\)|출력만'/);
    assert.match(body, /코드 없이 출력만/);
    assert.doesNotMatch(body, /<pre[^>]*>출력 없이 코드만/);
    assert.match(body, /<details class="fold"><summary>코드, 2줄/);

    // Outputs as what they are.
    assert.match(body, /<span class="ansi-green-fg">초록<\/span>/);
    assert.match(body, /&lt;b>태그가 아니다/);
    assert.match(body, /<pre [^>]*class="output stderr"[^>]*>경고: 조금 느리다/);
    assert.match(body, /<pre [^>]*class="output error"[^>]*>RangeError: 3은 너무 멀다/);
    assert.match(body, /<pre [^>]*class="output error"[^>]*>.*ZeroDivisionError/s);
    assert.match(body, /<progress [^>]*value="3"/);
    assert.match(body, /100%\|█+\| 3\/3/);
    assert.doesNotMatch(body, /0%\| /);
    for (const verdict of ['held', 'missed', 'open']) assert.ok(body.includes(`check ${verdict}"`), verdict);

    const bare = html.replace(/data:image[^"']*/g, '');
    assert.ok(Buffer.byteLength(bare) < 60_000, `${Buffer.byteLength(bare)} bytes without its pictures`);
  });

  test('exported twice it is the same, byte for byte, in every form', async (t) => {
    const cwd = project(t);
    for (const form of ['html', 'jekyll', 'hexo']) {
      const read = async (out: string) => {
        const args = [everything, '--no-execute', '--to', form, '--out', out];
        if (form === 'html') args.push('--interactive');
        const { code, output } = await exportIn(t, cwd, ...args);
        assert.equal(code, 0, output);
        return files(join(cwd, out)).map((name) => [name, readFileSync(join(cwd, out, name), 'latin1')]);
      };
      const [once, twice] = await Promise.all([read(`${form}-1`), read(`${form}-2`)]);
      assert.deepEqual(once, twice);
    }
  });
});

test('an index lists the pages; an export of one of them keeps the others in it', async (t) => {
  const cwd = project(t, { 'a.ipynb': notebook('1'), 'b.ipynb': notebook('2'), 'c.ipynb': notebook('3') });
  const links = () =>
    [...readFileSync(join(cwd, 'blog', 'index.html'), 'utf8').matchAll(/<li[^>]*><a href="(.*?)"/g)].map(
      ([, href]) => href,
    );
  await exportIn(t, cwd, 'a.ipynb', 'b.ipynb', '--no-execute');
  assert.deepEqual(links(), ['a.html', 'b.html']);
  await exportIn(t, cwd, 'b.ipynb', '--no-execute');
  assert.deepEqual(links(), ['a.html', 'b.html']);
  await exportIn(t, cwd, 'c.ipynb', '--no-execute');
  assert.deepEqual(links(), ['a.html', 'b.html', 'c.html']);
  assert.match(readFileSync(join(cwd, 'blog', 'c.html'), 'utf8'), /rel="prev"/);
});

test('bad arguments are refused before anything starts', async (t) => {
  const cwd = folder(t, {
    'package.json': '{}',
    'a.txt': '',
    'x/a.ipynb': notebook(),
    'y/a.ipynb': notebook(),
  });
  mkdirSync(join(cwd, 'empty'));
  const cases: [RegExp, string[]][] = [
    [/There is no notebook or folder b\.ipynb here/, ['b.ipynb']],
    [/a\.txt is not a notebook/, ['a.txt']],
    [/There is no notebook \(\.ipynb\) in \S+empty/, ['empty']],
    [/would become the same page/, ['x', 'y']],
    [/Unknown option '--outt'.*--no-execute/s, ['--outt', 'x']],
    [/--to is one of html, jekyll, hexo; got pdf/, ['--to', 'pdf']],
    [/--interactive goes with --to html, not with --to hexo/, ['--to', 'hexo', '--interactive']],
    [/--address begins with https:/, ['--address', 'blog.example']],
  ];
  for (const [sentence, args] of cases) {
    const { code, output } = await exportIn(t, cwd, ...args);
    assert.equal(code, 1);
    assert.match(output, sentence);
  }
  assert.equal(existsSync(join(cwd, '.venv')), false);
});

test('a file that is no notebook, and a kernel that is not here, are named', async (t) => {
  const other = JSON.parse(notebook('1'));
  other.metadata.kernelspec.name = 'julia';
  const cwd = project(t, { 'broken.ipynb': '{ "cells": [', 'other.ipynb': JSON.stringify(other) });
  assert.match(
    (await exportIn(t, cwd, 'broken.ipynb')).output,
    /broken\.ipynb is not a notebook that can be read/,
  );
  const { code, output } = await exportIn(t, cwd, 'other.ipynb');
  assert.equal(code, 1);
  assert.match(output, /other\.ipynb asks for the kernel "julia"/);
});
