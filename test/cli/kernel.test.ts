/** `tslab-parallel kernel`: any Jupyter of the machine can start both kernels afterwards. Tried with one that knows nothing of us. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { python, root } from '../harness/kernel';
import { folder, notebook, program, project, run } from './command';

/** Another Jupyter: its own folders, nothing of this project's on its paths. */
const theirs = (home: string): NodeJS.ProcessEnv => ({
  PATH: '/usr/bin:/bin',
  HOME: home,
  JUPYTER_PATH: '',
  JUPYTER_CONFIG_DIR: join(home, 'config'),
  JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
});

/** Runs a cell there, by the kernel's name. */
function cell(home: string, name: string, code: string, cwd: string): string {
  const text = `
import sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name=sys.argv[1])
said = []
client.execute_interactive(sys.argv[2], timeout=60, output_hook=lambda m: said.append(m["content"].get("text", "")))
manager.shutdown_kernel()
print("".join(said))`;
  return execFileSync(python, ['-c', text, name, code], { encoding: 'utf8', env: theirs(home), cwd });
}

const CODE = `
  const { createPool } = require('tslab-parallel');
  const two = 2;
  const twice = (n) => n * two;
  createPool('thread', { workers: 1 }).map([1, 2], (n) => twice(n)).then((all) => console.log(String(all)));
  await new Promise((resolve) => setTimeout(resolve, 1500));`;

test('both kernels for the user, under a name, in a prefix; and away again', async (t) => {
  const home = folder(t);
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: '', JUPYTER_DATA_DIR: '' };
  const ask = (...args: string[]) => run(t, [program, 'kernel', ...args], { cwd: root, env });
  const kernels = join(home, '.local', 'share', 'jupyter', 'kernels');

  assert.equal((await ask()).code, 0);
  for (const [name, language] of [
    ['tslab', 'typescript'],
    ['jslab', 'javascript'],
  ] as const) {
    const spec = JSON.parse(readFileSync(join(kernels, name, 'kernel.json'), 'utf8'));
    assert.equal(spec.language, language);
    for (const path of spec.argv.slice(0, 2)) assert.ok(existsSync(path), path);
    assert.match(cell(home, name, CODE, root), /^2,4$/m, name);
  }

  assert.equal((await ask('--name', 'mine')).code, 0);
  assert.match(readFileSync(join(kernels, 'mine-js', 'kernel.json'), 'utf8'), /JavaScript \(mine\)/);
  const { code, output } = await ask('--name', 'mine', '--remove');
  assert.equal(code, 0);
  assert.match(output, /^Removed .*mine and .*mine-js\.$/m);
  assert.ok(!existsSync(join(kernels, 'mine')) && existsSync(join(kernels, 'tslab')));

  const prefix = folder(t);
  assert.equal((await ask('--prefix', prefix)).code, 0);
  assert.ok(existsSync(join(prefix, 'share', 'jupyter', 'kernels', 'jslab', 'kernel.json')));
  assert.match((await ask('--prefix', prefix, '--user')).output, /Either --user or --prefix/);
  assert.match((await ask('--name', '../x')).output, /--name has letters/);
});

test('without tslab it says what to install', (t) => {
  const cwd = folder(t);
  const { status, stderr } = spawnSync(process.execPath, [program, 'kernel', '--prefix', cwd], {
    cwd,
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /tslab is not installed in .*: run npm install tslab/);
});

test('JavaScript notebooks are exported, and others on a kernel that is named', async (t) => {
  const js = JSON.parse(notebook('const x = 6;', 'console.log("the answer is", x * 7)'));
  js.metadata.kernelspec = { name: 'jslab', display_name: 'JavaScript', language: 'javascript' };
  const other = structuredClone(js);
  other.metadata.kernelspec = { name: 'deno', display_name: 'Deno', language: 'typescript' };
  const third = structuredClone(js);
  third.metadata.kernelspec = {
    name: 'javascript',
    display_name: 'JavaScript (Node.js)',
    language: 'javascript',
  };
  const cwd = project(t, {
    'js.ipynb': JSON.stringify(js),
    'deno.ipynb': JSON.stringify(other),
    'ijs.ipynb': JSON.stringify(third),
  });
  const { code, output } = await run(t, [program, 'export'], { cwd });
  assert.equal(code, 1);
  assert.match(readFileSync(join(cwd, 'blog', 'js.html'), 'utf8'), /the answer is 42/);
  assert.match(
    output,
    /deno\.ipynb asks for the kernel "deno", which is not here; there are .*"jslab".*"tslab", and the nearest is "tslab"/,
  );
  assert.match(output, /ijs\.ipynb asks for the kernel "javascript".*the nearest is "jslab".*--kernel jslab/);
  const named = await run(t, [program, 'export', 'ijs.ipynb', '--kernel', 'jslab'], { cwd });
  assert.equal(named.code, 0, named.output);
  assert.match(readFileSync(join(cwd, 'blog', 'ijs.html'), 'utf8'), /the answer is 42/);
});
