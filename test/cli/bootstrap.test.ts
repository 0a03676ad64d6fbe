/** The first steps on a fresh clone, in a small repository of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { root } from '../harness/kernel';
import { folder, run } from './command';

/** A repository with our bootstrap.mjs and one npm package, installed from a file. Nothing in it compiles. */
function repository(t: TestContext, { node = '>=20.19', dependency = 'file:leaf-1.0.0.tgz' } = {}): string {
  const path = folder(t, {
    'package.json': JSON.stringify({
      name: 'clone',
      version: '1.0.0',
      engines: { node },
      dependencies: { leaf: dependency },
    }),
    'leaf/package.json': JSON.stringify({ name: 'leaf', version: '1.0.0' }),
  });
  mkdirSync(join(path, 'src', 'cli'), { recursive: true });
  copyFileSync(join(root, 'src', 'cli', 'bootstrap.mjs'), join(path, 'src', 'cli', 'bootstrap.mjs'));
  return path;
}

const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];

function runNpm(cwd: string, ...args: string[]) {
  execFileSync(npm[0]!, [...npm.slice(1), ...args], { cwd, stdio: 'pipe' });
}

function bootstrap(t: TestContext, cwd: string, env: NodeJS.ProcessEnv = {}) {
  return run(t, ['src/cli/bootstrap.mjs', 'start'], { cwd, env });
}

test('npm packages are installed when one is missing, and only then', async (t) => {
  const cwd = repository(t);
  runNpm(cwd, 'pack', './leaf');
  runNpm(cwd, 'install', '--package-lock-only');
  const installs = async () =>
    /Installing npm packages \.\.\. \d+\.\d s/.test((await bootstrap(t, cwd)).output);
  assert.equal(await installs(), true, 'a fresh clone');
  assert.equal(await installs(), false, 'the second start');
  rmSync(join(cwd, 'node_modules', '.package-lock.json'));
  assert.equal(await installs(), true, 'an install that did not come to its end');
  rmSync(join(cwd, 'node_modules', 'leaf'), { recursive: true });
  assert.equal(await installs(), true, 'a package that is gone');
  const { output, code } = await bootstrap(t, cwd);
  assert.equal(code, 1);
  assert.match(output, /The TypeScript sources do not compile, see above/);
});

test('a Node that is too old, and no network, are said in a sentence with the remedy', async (t) => {
  const old = await bootstrap(t, repository(t, { node: '>=99.1' }));
  assert.equal(old.code, 1);
  assert.equal(
    old.output,
    `\nNode 99.1 or newer is needed and this is ${process.versions.node}: install a newer Node, then run this again.\n\n`,
  );

  const cwd = repository(t, { dependency: '1.0.0' });
  writeFileSync(
    join(cwd, 'package-lock.json'),
    JSON.stringify({
      name: 'clone',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'clone', version: '1.0.0', dependencies: { leaf: '1.0.0' } },
        'node_modules/leaf': { version: '1.0.0' },
      },
    }),
  );
  const { code, output } = await bootstrap(t, cwd, {
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_cache: join(dirname(cwd), 'empty'),
  });
  assert.equal(code, 1);
  assert.match(output, /npm could not reach its package registry: check the network connection/);
});
