/** The package alone, as a stranger gets it: packed, installed into an empty folder, used with their own tslab. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { Kernel, root } from './harness/kernel';
import { charts, missing } from './harness/notebook';

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

async function npm(...args: string[]): Promise<string> {
  // npm runs this test and says where it is; otherwise it is looked for on PATH.
  const [program, first] = process.env.npm_execpath
    ? [process.execPath, [process.env.npm_execpath]]
    : ['npm', []];
  const { stdout } = await promisify(execFile)(program, [...first, ...args], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

suite('packed and installed into an empty folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-stranger-'));
  let packed: Packed;
  before(async () => {
    // An array until npm 11, an object by package name from 11.
    const answer = JSON.parse(await npm('pack', '-w', 'src', '--json', '--pack-destination', folder));
    packed = Object.values<Packed>(answer)[0]!;
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const tarball = join(folder, packed.filename);
    const quick = ['--prefer-offline', '--no-audit', '--no-fund'];
    await npm('install', '--prefix', folder, ...quick, tarball, 'tslab@1.0.22');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('has what a user needs and nothing else', (t) => {
    const needed =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|overview\.svg|(helper\/closure|cluster)\/[A-Z]+\.md|dist\/.*\.(js|d\.ts)|handbook\/(package\.json|python\/[a-z]+\.py)|cli\/([a-z]+\.py|tslab-parallel\.js|requirements\.txt)|publish\/([a-z]+\.py|templates\/.+))$/;
    const paths = packed.files.map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => !needed.test(path)),
      [],
    );
    for (const path of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/index.js'])
      assert.ok(paths.includes(path), `${path} is not in the package`);
    t.diagnostic(`${packed.filename}: ${kB(packed.size)} packed, ${kB(packed.unpackedSize)} unpacked`);
  });

  test('has two doors: one for a stranger, of at most 25 names and the errors, and one for the handbook', async () => {
    const load = (text: string) =>
      promisify(execFile)(
        process.execPath,
        ['--input-type', text.includes('import') ? 'module' : 'commonjs', '-e', text],
        {
          cwd: folder,
        },
      );
    const { stdout } = await load(
      `console.log(JSON.stringify(['tslab-parallel', 'tslab-parallel/handbook'].map((door) => Object.keys(require(door)))))`,
    );
    const [helper, handbook] = JSON.parse(stdout) as [string[], string[]];
    const names = helper.filter((name) => !name.endsWith('Error'));
    assert.ok(names.length <= 25, names.join(', '));
    for (const name of ['createPool', 'runOn', 'timeit', 'track', 'lines', 'Mutex'])
      assert.ok(names.includes(name), name);
    for (const name of [
      'check',
      'claim',
      'claims',
      'simulate',
      'seededRandom',
      'startSite',
      'python',
      'watchMemory',
    ])
      assert.ok(handbook.includes(name), name);
    await load(
      `import { createPool } from 'tslab-parallel'; import { check } from 'tslab-parallel/handbook'; createPool; check;`,
    );
    await assert.rejects(load(`require('tslab-parallel/dist/helper/pool')`), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
    await assert.rejects(load(`require('tslab-parallel/dist/cli')`), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  test('every link of its README leads somewhere', () => {
    const installed = join(folder, 'node_modules', 'tslab-parallel');
    for (const file of ['README.md', 'helper/closure/KINDS.md', 'cluster/SCALE.md', 'CHANGELOG.md']) {
      const text = readFileSync(join(installed, file), 'utf8');
      const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(
        ([, heading = '']) =>
          `#${heading
            .toLowerCase()
            .replace(/[^\p{L}\p{N} _-]/gu, '')
            .replaceAll(' ', '-')}`,
      );
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
      if (file === 'README.md') assert.ok(links.length > 5, `${links.length} links`);
      for (const link of links.filter((target) => !/^https?:/.test(target))) {
        const isThere = link.startsWith('#')
          ? anchors.includes(link)
          : existsSync(join(installed, dirname(file), link));
        assert.ok(isThere, `${file}: ${link}`);
      }
    }
  });

  suite('its declarations, with the strictest flags', () => {
    const program = join(root, 'test', 'types', 'stranger.ts');
    const text = readFileSync(program, 'utf8');
    const flags =
      '--noEmit --target es2022 --types node --strict --skipLibCheck false --exactOptionalPropertyTypes ' +
      '--noUncheckedIndexedAccess --noPropertyAccessFromIndexSignature --noImplicitOverride --noImplicitReturns --isolatedModules';
    before(() => npm('install', '--prefix', folder, '--prefer-offline', '@types/node@20.19.43'));

    test('the program that is compiled names every export', () => {
      const doors = ['index.d.ts', 'handbook/index.d.ts'].map((door) =>
        readFileSync(join(root, 'src', 'dist', door), 'utf8'),
      );
      const names = [...doors.join('').matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
        list.split(',').map((name) => name.replace(/^\s*type /, '').trim()),
      );
      assert.ok(names.length > 60, `${names.length} names were found`);
      assert.deepEqual(
        names.filter((name) => name && !new RegExp(`\\b${name}\\b`).test(text)),
        [],
      );
    });

    for (const compiler of ['typescript-5.0', 'typescript', 'typescript-7']) {
      for (const [name, file, options] of [
        ['CommonJS', 'stranger.cts', '--module node16 --moduleResolution node16'],
        ['an ES module', 'stranger.mts', '--module node16 --moduleResolution node16'],
        ['a bundler', 'stranger.ts', '--module esnext --moduleResolution bundler'],
      ] as const) {
        test(`${compiler}, ${name}`, async () => {
          copyFileSync(program, join(folder, file));
          const tsc = join(root, 'node_modules', compiler, 'bin', 'tsc');
          const args = [tsc, ...flags.split(' '), ...options.split(' '), file];
          const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
            (error) => error,
          );
          // What other packages' declarations lack is not ours to mend.
          const ours = String(stdout)
            .split('\n')
            .filter((line) => /^stranger|tslab-parallel/.test(line));
          assert.deepEqual(ours, []);
        });
      }
    }

    test('publint and attw find nothing', async () => {
      const tarball = join(folder, packed.filename);
      const bin = (name: string, file: string) => join(root, 'node_modules', name, file);
      for (const args of [
        [bin('publint', 'src/cli.js'), 'run', tarball, '--strict'],
        [bin('@arethetypeswrong/cli', 'dist/index.js'), tarball, '--no-emoji', '--format', 'ascii'],
      ]) {
        const { code, stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).then(
          () => ({ code: 0, stdout: '' }),
          (error) => error,
        );
        assert.equal(code, 0, stdout);
      }
    });
  });

  test('works on their own tslab', async () => {
    const kernel = await Kernel.start({ cwd: folder });
    try {
      await worksIn(kernel);
    } finally {
      await kernel.close();
    }
  });

  test('its declarations are read by the TypeScript of tslab', async () => {
    const kernel = await Kernel.start({ cwd: folder });
    try {
      const right = await kernel.run(`
        import { compare, createPool, timeline } from 'tslab-parallel';
import { check, python } from 'tslab-parallel/handbook';
        const pool = createPool('serial', { workers: 1 });
        const run = pool.map(['a', 'bb'], (word, index) => word.length + index, { label: 'lengths' });
        const lengths: number[] = await run;
        const wall: number = run.record.wallMs;
        const lanes: string[] = [...run.record.spans].map((span) => span.lane);
        const svg: Promise<string> = timeline(run).toSVG();
        const program: Parameters<typeof python>[0] = 'print(1)';
        await pool.close();`);
      assert.equal(right.error, '');

      // A declaration that can't be read becomes \`any\`, and then nothing is ever wrong.
      const wrong: [code: string, message: RegExp][] = [
        [`createPool('threads')`, /'"threads"' is not assignable/],
        [`createPool('serial', { worker: 2 })`, /'worker' does not exist/],
        [`createPool('serial').map([1], (n) => n.length)`, /'length' does not exist on type 'number'/],
        [
          `const text: string[] = await createPool('serial').map([1], (n) => n)`,
          /'number\[\]' is not assignable/,
        ],
        [`createPool('serial').map([1], (n) => n).record.wallms`, /'wallms' does not exist/],
        [`timeline(42)`, /'number' is not assignable/],
        [`compare('runs')`, /'string' is not assignable/],
        [`check(1, 2, 3)`, /'number' is not assignable/],
        [`python(42)`, /'number' is not assignable/],
      ];
      for (const [code, message] of wrong) {
        const result = await kernel.run(code);
        assert.equal(result.ok, false, code);
        assert.match(result.error, message, code);
      }
    } finally {
      await kernel.close();
    }
  });

  test('works on a tslab that is installed somewhere else', async () => {
    const theirs = join(folder, 'node_modules', 'tslab');
    renameSync(theirs, join(folder, 'tslab'));
    const kernel = await Kernel.start({
      cwd: folder,
      tslab: join(root, 'node_modules', 'tslab', 'bin', 'tslab'),
    });
    try {
      await worksIn(kernel);
    } finally {
      await kernel.close();
      renameSync(join(folder, 'tslab'), theirs);
    }
  });
});

/** The README's first program. */
async function worksIn(kernel: Kernel): Promise<void> {
  const map = await kernel.run(`
    import { createPool, timeline } from 'tslab-parallel';
    const power = 2;
    function raise(n: number) { return n ** power; }
    const run = createPool('thread', { workers: 2 }).map([1, 2, 3, 4], (n) => raise(n));
    console.log(JSON.stringify(await run), [...run.record.spans].every((span) => /thread/.test(span.lane)));`);
  assert.equal(map.error, '');
  assert.equal(map.stdout.trim(), '[1,4,9,16] true');

  const chart = await kernel.run('timeline(run)');
  assert.equal(chart.error, '');
  assert.deepEqual(charts(chart).map(missing), [[]]);
}

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
