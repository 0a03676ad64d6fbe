/** Exports of notebooks that are made to break them: each row alone is lost, and said, and nothing else is. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { program, project, run } from './command';

interface Output {
  [mime: string]: unknown;
}

/** A notebook of one code cell with these outputs, and prose before it. */
function stored(outputs: Output[], prose = 'Outputs of a program that fetched them from elsewhere.'): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'tslab', display_name: 'TypeScript' }, date: '2024-01-02' },
    cells: [
      { cell_type: 'markdown', id: 'prose', metadata: {}, source: prose },
      {
        cell_type: 'code',
        id: 'code',
        metadata: {},
        execution_count: 1,
        source: '1',
        outputs: outputs.map((data) => ({ output_type: 'display_data', metadata: {}, data })),
      },
    ],
  });
}

async function exported(t: TestContext, notebook: string, ...args: string[]) {
  const cwd = project(t, { 'a.ipynb': notebook });
  const { code, output } = await run(t, [program, 'export', 'a.ipynb', '--no-execute', ...args], { cwd });
  assert.equal(code, 0, output);
  return { cwd, output, html: args.includes('--to') ? '' : readFileSync(join(cwd, 'blog/a.html'), 'utf8') };
}

function chart(more: object): Output {
  return {
    'application/vnd.vegalite.v5+json': {
      description: 'Bars',
      data: { values: [{ name: 'first', height: 1 }] },
      mark: { type: 'bar', tooltip: true },
      encoding: { x: { field: 'name' }, y: { field: 'height', type: 'quantitative' } },
      ...more,
    },
  };
}

suite('in a post', () => {
  for (const form of ['jekyll', 'hexo']) {
    test(`${form}: no character of an output ends its block`, async (t) => {
      const ends = [
        '\r\r',
        '\r\n\r\n',
        '\x0b\x0b',
        '\f\f',
        '\x85\x85',
        '\u2028\u2028',
        '\u2029\u2029',
        '\n \n',
      ];
      const outputs = ends.map((end) => ({ 'text/html': `<b>kept</b>${end}[out](x)` }));
      const values = ends.map((end) => ({ name: `kept${end}[out](x)`, height: 1 }));
      const { cwd } = await exported(
        t,
        stored([...outputs, chart({ data: { values } })]),
        '--to',
        form,
        '--out',
        '.',
      );
      const post = readFileSync(
        join(cwd, form === 'hexo' ? 'source/_posts/a.md' : '_posts/2024-01-02-a.md'),
        'utf8',
      );
      const blocks = post.split(/(?:\r\n?|[\n\v\f\x85\u2028\u2029])[ \t]*(?:\r\n?|[\n\v\f\x85\u2028\u2029])/);
      for (const block of blocks.filter((text) => text.includes('[out]')))
        assert.match(block, /^<(div|details)/);
      assert.equal(post.split('<b>kept</b>').length - 1, ends.length);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is the point
      assert.doesNotMatch(post, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/);
    });
  }
});

test('a chart’s data can’t end its script element', async (t) => {
  const values = [
    { name: '<!--<script>', height: 1 },
    { name: '</script><b>out</b>', height: 2 },
  ];
  const { html } = await exported(t, stored([chart({ data: { values } })]), '--interactive');
  const data = /<script type="application\/json">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
  assert.doesNotMatch(data, /</);
  assert.ok(JSON.stringify(JSON.parse(data)).includes('<!--<script>'));
});

test('a chart that can’t be drawn is lost alone', async (t) => {
  const endless = chart({
    data: { sequence: { start: 0, stop: 1e9, as: 'height' } },
    encoding: { y: { field: 'height', type: 'quantitative' } },
  });
  const { html, output } = await exported(t, stored([chart({}), endless, chart({ description: 'Last' })]));
  assert.match(output, /Warning: the figures of chart 2 \(of 3\) could not be read/);
  assert.equal(html.split('<details class="figures">').length - 1, 2);
  assert.ok(html.includes('<img alt="Bars"'));
  assert.ok(html.includes('<img alt="Last"'));
});

test('what is too deep, or no text at all, is left out, and said', async (t) => {
  const deep = `${'<g>'.repeat(5000)}${'</g>'.repeat(5000)}`;
  const { html, output } = await exported(
    t,
    stored([
      {
        'image/svg+xml': `<svg xmlns="http://www.w3.org/2000/svg">${deep}</svg>`,
        'text/plain': 'a deep picture',
      },
      { 'text/html': `<p>before</p><svg>${deep}</svg><p>after</p>` },
      { 'text/plain': 'private \ue000 \ue0007\ue001 use, half \ud800 a pair' },
    ]),
  );
  assert.match(output, /its SVG can't be read/);
  assert.match(output, /an SVG picture that can't be read was left out/);
  for (const words of ['a deep picture', 'before', 'after', 'private \ue000 \ue0007\ue001 use, half  a pair'])
    assert.ok(html.includes(words), words);
});

suite('names of files', () => {
  test('a link that waits in the output folder is not followed', async (t) => {
    const cwd = project(t, {
      'a.ipynb': stored([{ 'text/plain': 'shown' }]),
      'blog/x': '',
      'precious.txt': 'kept',
    });
    for (const name of ['.a.html.partial', 'a.html']) symlinkSync('../precious.txt', join(cwd, 'blog', name));
    const { code, output } = await run(t, [program, 'export', 'a.ipynb', '--no-execute'], { cwd });
    assert.equal(code, 0, output);
    assert.equal(readFileSync(join(cwd, 'precious.txt'), 'utf8'), 'kept');
    assert.match(readFileSync(join(cwd, 'blog/a.html'), 'utf8'), /shown/);
    assert.deepEqual(
      readdirSync(join(cwd, 'blog')).filter((name) => /^\.tslab/.test(name)),
      [],
    );
  });

  test('quotes, braces and signs of an address are only names', async (t) => {
    const names = ['a "b" {{ c }} {% d %}.ipynb', 'e#f?g%20.ipynb'];
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>';
    const cwd = project(t, {});
    for (const name of names) {
      writeFileSync(join(cwd, name), stored([{ 'image/svg+xml': svg, 'text/plain': 'dot' }]));
    }
    const pages = await run(t, [program, 'export', ...names, '--no-execute'], { cwd });
    assert.equal(pages.code, 0, pages.output);
    const index = readFileSync(join(cwd, 'blog/index.html'), 'utf8');
    const links = [...index.matchAll(/<li[^>]*><a href="(.*?)"/g)].map(([, href]) =>
      decodeURIComponent(href!),
    );
    assert.deepEqual(links.sort(), names.map((name) => name.replace('.ipynb', '.html')).sort());

    const posts = await run(
      t,
      [program, 'export', ...names, '--no-execute', '--to', 'jekyll', '--out', 'site'],
      {
        cwd,
      },
    );
    assert.equal(posts.code, 0, posts.output);
    const [first = ''] = readdirSync(join(cwd, 'site/_posts')).filter((name) => name.includes('b'));
    const post = readFileSync(join(cwd, 'site/_posts', first), 'utf8');
    const picture = /\{\{ "\/([\w./-]+)" \| relative_url \}\}/.exec(post)?.[1];
    assert.ok(picture && existsSync(join(cwd, 'site', picture)), post);
  });
});
