import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const bench = join(__dirname, 'bench', 'index.js');

test('what is missing on this machine is said in a sentence, and costs only its own rows', () => {
  const { status, stderr } = spawnSync(process.execPath, [bench, 'cluster'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: __dirname }, // no redis-server there
  });
  assert.match(
    stderr,
    /^\nNot measured: cluster: redis-server can't be started .*: install redis-server\.\n$/,
  );
  assert.equal(status, 1);
});

test('an area that does not exist is refused with those that do', () => {
  const { status, stderr } = spawnSync(process.execPath, [bench, 'pol'], { encoding: 'utf8' });
  assert.match(stderr, /There is no area pol; there are pool, data, fetch, cluster/);
  assert.equal(status, 1);
});
