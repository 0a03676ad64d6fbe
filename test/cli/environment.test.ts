/** `.venv`: made, skipped, repaired, refused. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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
import { type TestContext, test } from 'node:test';
import { root, python as rootPython } from '../harness/kernel';
import { Command, folder, notebook, program, run } from './command';

/** A Python of the real one's, which can be told to look like another. */
const realPython = execFileSync(rootPython, ['-c', 'import sys; print(sys.base_prefix)'], {
  encoding: 'utf8',
}).trim();

/** A project where everything but the Python environment is there. */
function fresh(t: TestContext, requirements = '# nothing\n'): string {
  const path = folder(t, {
    'package.json': '{}',
    'requirements.txt': requirements,
    'a.ipynb': notebook('1'),
    'prepare.js': `
      const { exitWith, prepareEnvironment } = require(${JSON.stringify(join(root, 'src', 'dist', 'cli'))});
      exitWith(() => prepareEnvironment(process.cwd(), { requirements: 'requirements.txt' }).then(() => 0));`,
  });
  mkdirSync(join(path, 'home'));
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  return path;
}

function prepare(t: TestContext, cwd: string, env: NodeJS.ProcessEnv = {}) {
  return run(t, ['prepare.js'], { cwd, env: { HOME: join(cwd, 'home'), PIP_NO_INDEX: '1', ...env } });
}

/** A folder for PATH whose `python3` is the real one after `change`, a Python statement. */
function pathWith(t: TestContext, change: string): string {
  const path = folder(t);
  writeFileSync(
    join(path, 'python3'),
    `#!/bin/sh\n[ "$1" = -c ] && exec '${realPython}/bin/python3' -c 'import sys\n${change}\nexec(sys.argv[1])' "$2"\nexit 1\n`,
    { mode: 0o755 },
  );
  return path;
}

test('a new .venv has the kernel, a second run changes nothing, the user’s own Jupyter stays untouched', async (t) => {
  const cwd = fresh(t, 'a-package-that-is-not-here==1.0\n');
  const offline = await prepare(t, cwd, {
    PIP_NO_INDEX: '',
    PIP_INDEX_URL: 'http://127.0.0.1:9/',
    PIP_FIND_LINKS: '',
  });
  assert.equal(offline.code, 1);
  assert.match(offline.output, /^Making the Python environment \.venv \.\.\. \d+\.\d s\n/);
  assert.match(
    offline.output,
    /\n\npip could not reach its package index: check the network connection.*\n\n$/,
  );

  // The next run goes on from there.
  writeFileSync(join(cwd, 'requirements.txt'), '# nothing\n');
  const first = await prepare(t, cwd);
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /^Installing JupyterLab.* s\n$/);
  const kernel = join(cwd, '.venv', 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json');
  const { argv, interrupt_mode } = JSON.parse(readFileSync(kernel, 'utf8'));
  assert.deepEqual(argv, [
    process.execPath,
    join(root, 'node_modules', 'tslab', 'bin', 'tslab'),
    'kernel',
    '--config-path',
    '{connection_file}',
  ]);
  assert.equal(interrupt_mode, 'signal');

  const before = statSync(kernel).mtimeMs;
  const second = await prepare(t, cwd);
  assert.deepEqual(second, { code: 0, output: '' });
  assert.equal(statSync(kernel).mtimeMs, before);

  // Another Node, or a moved repository: only the kernel is registered again.
  writeFileSync(kernel, JSON.stringify({ argv: ['/gone/node'] }));
  assert.deepEqual(await prepare(t, cwd), { code: 0, output: '' });
  assert.equal(JSON.parse(readFileSync(kernel, 'utf8')).argv[0], process.execPath);

  writeFileSync(join(cwd, 'requirements.txt'), '# changed\n');
  assert.match((await prepare(t, cwd)).output, /^Installing JupyterLab.* s\n$/);
  for (const own of ['.jupyter', '.ipython', '.local'])
    assert.equal(existsSync(join(cwd, 'home', own)), false, own);
});

test('a set-up that was killed half-way is repaired', async (t) => {
  const cwd = fresh(t);
  const killed = new Command(t, ['prepare.js'], { cwd, env: { PIP_NO_INDEX: '1' } });
  await killed.printed(/Making/);
  const bin = join(cwd, '.venv', 'bin', 'python');
  while (!existsSync(bin)) await new Promise((resolve) => setTimeout(resolve, 10));
  killed.child.kill('SIGKILL');
  await killed.ended; // with its Python, which holds the other end of the pipe
  const stamp = () => JSON.parse(readFileSync(join(cwd, '.venv', 'tslab-parallel.json'), 'utf8'));
  assert.equal(stamp().requirements, null);

  const { code, output } = await prepare(t, cwd);
  assert.equal(code, 0, output);
  assert.match(stamp().requirements, /^[0-9a-f]{64}$/);
  execFileSync(bin, ['-m', 'pip', '--version']);
  assert.deepEqual(await prepare(t, cwd), { code: 0, output: '' });
});

test('a .venv that somebody else made is not changed', async (t) => {
  const cwd = fresh(t, 'six==1.17.0\n');
  mkdirSync(join(cwd, '.venv', 'lib', 'python3.11', 'site-packages', 'six-1.5.0.dist-info'), {
    recursive: true,
  });
  const { code, output } = await prepare(t, cwd);
  assert.equal(code, 1);
  assert.match(
    output,
    /\.venv was not made by tslab-parallel and has six 1\.5\.0 where 1\.17\.0 is needed: rename or delete/,
  );
  assert.deepEqual(readdirSync(join(cwd, '.venv')), ['lib']);
});

test('what is missing is said in a sentence with the remedy', async (t) => {
  const cwd = fresh(t);
  const cases: [RegExp, string][] = [
    [
      /Python 3\.10 or newer is needed and \S+ is 3\.8\.2: install a newer one/,
      pathWith(t, 'sys.version_info = (3, 8, 2)'),
    ],
    [
      /The Python at \S+ has no venv module: install it \(.*apt install python3-venv/,
      pathWith(t, 'sys.modules["ensurepip"] = None'),
    ],
    [/Python 3\.10 or newer is needed and none was found: install one/, folder(t)],
  ];
  for (const [sentence, PATH] of cases) {
    const { code, output } = await prepare(t, cwd, { PATH });
    assert.equal(code, 1);
    assert.match(output, sentence);
    assert.equal(output.trim().split('\n').length, 1, output);
  }
  assert.equal(existsSync(join(cwd, '.venv')), false);

  const elsewhere = folder(t, { 'package.json': '{}', 'a.ipynb': notebook('1') });
  const { code, output } = await run(t, [program, 'export', 'a.ipynb'], { cwd: elsewhere });
  assert.equal(code, 1);
  assert.match(output, /tslab is not installed in \S+: run npm install tslab there/);
});
