/** Posts, in small sites that the real Jekyll and the real Hexo build. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { launch } from '../harness/browser';
import { hostileNotebook, MARK } from '../harness/hostile';
import { root } from '../harness/kernel';
import { ExportedPage } from '../harness/page';
import { chromium, jekyll } from '../harness/requirements';
import { folder, program, project, run } from './command';

const everything = join(root, 'test', 'fixtures', 'everything.ipynb');
/** Both sites live below this path, as a project's pages do. */
const base = '/blog';

interface Site {
  form: 'jekyll' | 'hexo';
  /** Why it can't be built here, or false. */
  skip: string | false;
  /** @returns where the built site is */
  build(t: TestContext, path: string): string;
}

const sites: Site[] = [
  {
    form: 'jekyll',
    skip: jekyll().skip,
    build(_, path) {
      write(path, '_config.yml', `title: Test\nbaseurl: ${base}\nmarkdown: kramdown\nhighlighter: rouge\n`);
      write(
        path,
        '_layouts/post.html',
        '<!DOCTYPE html><html lang="{{ page.lang }}"><title>{{ page.title }}</title>' +
          '<p class="matter">{{ page.date | date: "%Y-%m-%d %H:%M" }} {{ page.categories | join: " " }} {{ page.tags | join: " " }} toc={{ page.toc }}</p><main>{{ content }}</main></html>',
      );
      command(path, jekyll().path, ['build', '--quiet', '--disable-disk-cache']);
      return join(path, '_site');
    },
  },
  {
    form: 'hexo',
    skip: false,
    build(t, path) {
      write(path, '_config.yml', `title: Test\nurl: https://a.test${base}\nroot: ${base}/\ntheme: plain\n`);
      write(
        path,
        'themes/plain/layout/post.njk',
        '<!DOCTYPE html><html lang="{{ page.lang }}"><title>{{ page.title }}</title>' +
          '<p class="matter">{{ page.date.format("YYYY-MM-DD HH:mm") }} {% for c in page.categories.toArray() %}{{ c.name }} {% endfor %}{% for c in page.tags.toArray() %}{{ c.name }} {% endfor %}toc={{ page.toc }}</p><main>{{ page.content | safe }}</main></html>',
      );
      const hexo = installHexo(t);
      symlinkSync(join(hexo, 'node_modules'), join(path, 'node_modules'));
      write(path, 'package.json', readFileSync(join(hexo, 'package.json'), 'utf8'));
      command(path, process.execPath, [join(hexo, 'node_modules', 'hexo', 'bin', 'hexo'), 'generate']);
      return join(path, 'public');
    },
  },
];

for (const { form, skip, build } of sites) {
  suite(form, { skip }, () => {
    test('builds the posts: front matter, code, pictures, links', async (t) => {
      const cwd = project(t, {
        'chart.ipynb': readFileSync(join(root, 'test', 'fixtures', 'chart.ipynb'), 'utf8'),
      });
      const path = folder(t);
      const args = ['--to', form, '--no-execute', '--out', path];
      const { code, output } = await run(t, [program, 'export', everything, 'chart.ipynb', ...args], { cwd });
      assert.equal(code, 0, output);
      assert.match(output, /Warning: chart\.ipynb has no date/);
      const site = build(t, path);
      const html = readFileSync(join(site, 'everything', 'index.html'), 'utf8'); // its permalink
      assert.match(html, /<html lang="ko">.*<title>모든 것이 있는 노트북<\/title>/s);
      assert.match(
        html,
        /<p class="matter">2019-11-11 14:09 Python 동시성 (Threading 병렬처리|병렬처리 Threading) toc=true/,
      );
      const text = html
        .replace(/<[^>]*>/g, '')
        .replaceAll('&#123;', '{')
        .replaceAll('&#125;', '}');
      for (const words of [
        '{{ site.title }}와 {% raw %}도',
        '// 걸린 시간은 적어 둔 값이다',
        '스레드 두 개로 나누어 21 ms',
      ])
        assert.ok(text.includes(words) || text.includes(words.replace(' 21', '21')), words);
      assert.match(html, /<b>굵은|<strong>굵은 글씨<\/strong>/);
      assert.match(html, /&lt;b&gt;태그가 아니다/);
      assert.match(html, /<table>.*고리/s);
      assert.match(html, /<details[^>]*>\s*<summary>코드, 46줄<\/summary>\s*<(div|figure|pre)/);
      assert.match(html, /class="[^"]*highlight/);
      assert.doesNotMatch(html, /```|\ue000|감춘 칸/);

      const pictures = [...html.matchAll(/<img src="([^"]*)"/g)].map(([, source]) => source!);
      const inside = pictures.filter((source) => !source.startsWith('https:'));
      assert.equal(inside.length, 6);
      for (const source of inside) {
        assert.ok(source.startsWith(`${base}/`), source);
        assert.ok(statSync(join(site, source.slice(base.length))).size > 50, source);
      }
      const link = /<a href="([^"]*)#chart"/.exec(html)?.[1];
      assert.ok(link, 'no link to the other post');
      const target = new URL(link, `https://a.test${base}/everything/`).pathname.slice(base.length);
      const page = join(site, target.endsWith('/') ? `${target}index.html` : target);
      assert.ok(existsSync(page), `${link} leads to ${page}`);
    });

    const browser = chromium();
    test('nothing that a notebook printed runs in a post', { skip: browser.skip }, async (t) => {
      const cwd = project(t, { 'hostile.ipynb': hostileNotebook({ ownProse: false }) });
      const path = folder(t);
      const args = ['--to', form, '--no-execute', '--out', path];
      const { code, output } = await run(t, [program, 'export', 'hostile.ipynb', ...args], { cwd });
      assert.equal(code, 0, output);
      const site = build(t, path);
      const page = readdirSync(site, { recursive: true, encoding: 'utf8' }).find((name) =>
        /hostile(\.html|.index\.html)$/.test(name),
      );
      assert.ok(page, readdirSync(site, { recursive: true }).join(' '));
      const pictures = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.svg'),
      );
      assert.ok(pictures.length >= 2);
      const chromiumBrowser = await launch(browser.path);
      try {
        // A picture can be opened by itself, and then it is a page.
        for (const file of [page, ...pictures]) {
          const opened = await ExportedPage.open(chromiumBrowser, join(site, file));
          await opened.page.evaluate(
            `for (const part of document.querySelectorAll('a, details, button, summary, rect, path')) {
               part.open = true;
               if (!/^(#|http)/.test(part.getAttribute('href') ?? '')) part.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, view: window }));
             }`,
          );
          await opened.page.waitForTimeout(200);
          assert.deepEqual(await opened.page.evaluate(`globalThis.${MARK} ?? []`), [], file);
          assert.deepEqual(opened.watch.foreign, [], file);
          await opened.close();
        }
      } finally {
        await chromiumBrowser.close();
      }
    });
  });
}

/** Hexo, in a folder that is kept: it is larger than all else that the tests need. */
function installHexo(t: TestContext): string {
  const path = join(root, 'test', 'dist', 'hexo');
  const packages = { hexo: '8.1.2', 'hexo-renderer-marked': '7.0.1' };
  const manifest = `${JSON.stringify({ private: true, hexo: { version: '' }, dependencies: packages })}\n`;
  const done = join(path, 'installed.json');
  if (existsSync(done) && readFileSync(done, 'utf8') === manifest) return path;
  t.diagnostic('installing Hexo');
  write(path, 'package.json', manifest);
  const [npm, args] = process.env.npm_execpath ? [process.execPath, [process.env.npm_execpath]] : ['npm', []];
  command(path, npm, [...args, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']);
  writeFileSync(done, manifest);
  return path;
}

function command(cwd: string, name: string, args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(name, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${name} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
}

function write(path: string, name: string, content: string): void {
  mkdirSync(join(path, name, '..'), { recursive: true });
  writeFileSync(join(path, name), content);
}
