/** What `npx tslab-parallel` says before a command runs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../harness/kernel';
import { program, run } from './command';

const ask = (t: Parameters<typeof run>[0], ...args: string[]) => run(t, [program, ...args], { cwd: root });

test('help, for all commands', async (t) => {
  for (const args of [[], ['help'], ['--help'], ['-h'], ['export', '--help'], ['worker', '-h']]) {
    const { code, output } = await ask(t, ...args);
    assert.equal(code, 0, args.join(' '));
    assert.match(output, /^Usage: tslab-parallel <command>\n\n {2}start .*\n {2}export .*\n {2}worker /s);
  }
});

test('the version', async (t) => {
  const { version } = require(join(root, 'src', 'package.json')) as { version: string };
  assert.deepEqual(await ask(t, '--version'), { code: 0, output: `${version}\n` });
});

test('a command that there is not is told, with those that there are', async (t) => {
  const { code, output } = await ask(t, 'exprt');
  assert.equal(code, 2);
  assert.match(output, /^There is no command "exprt"; there are start, export, worker, kernel\.\n\nUsage: /);
});
