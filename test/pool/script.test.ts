/** In a script, not a notebook: what fails and nobody awaits ends it, as any rejection does; traces name the script's own lines. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-script-'));
after(() => rmSync(folder, { recursive: true }));

function script(
  text: string,
  name = 'script.cjs',
): { status: number | null; stdout: string; stderr: string; file: string } {
  const file = join(folder, name);
  const door = JSON.stringify(require.resolve('tslab-parallel'));
  writeFileSync(file, text.replaceAll('DOOR', door));
  return { file, ...spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 }) };
}

for (const backend of ['serial', 'async', 'thread', 'process']) {
  suite(`a script on ${backend}`, () => {
    test('a failure that nobody awaited is printed with its trace, and the exit code is 1', () => {
      const { status, stderr, file } = script(`const { createPool } = require(DOOR);
function fail(n) {
  if (n === 2) throw new RangeError('two is too many');
}
createPool('${backend}').map([1, 2, 3], fail);
`);
      assert.equal(status, 1);
      assert.match(stderr, /RangeError: two is too many/);
      assert.ok(stderr.includes(`${file}:3`), stderr);
      assert.doesNotMatch(stderr, /reader\.js|node_modules/);
    });

    test('also while the script goes on', () => {
      const { status, stdout } = script(`const { createPool } = require(DOOR);
createPool('${backend}').map([1], () => { throw new Error('no'); });
setTimeout(() => console.log('never'), 20_000);
`);
      assert.equal(status, 1);
      assert.equal(stdout, '');
    });

    test('awaited later, caught or cancelled it ends nothing', () => {
      const { status, stdout, stderr } = script(`const { createPool } = require(DOOR);
const fail = () => { throw new Error('no'); };
(async () => {
  const pool = createPool('${backend}');
  const late = pool.map([1], fail);
  pool.map([1], fail).catch(() => {});
  pool.map([1], () => new Promise((resolve) => setTimeout(resolve, 5000))).cancel();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await late.catch((error) => console.log(error.message));
})();
`);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.equal(stdout, 'no\n');
    });
  });
}
