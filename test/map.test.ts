/** The map of the sources names files that are there, and all rooms. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './harness/kernel';

const src = join(root, 'src');
const map = readFileSync(join(src, 'README.md'), 'utf8');

test('every file that the map names is there', () => {
  const named = [...map.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.\w+|[\w/-]+\/)`/g)].map(([, path]) => path!);
  assert.ok(named.length > 60, `${named.length} names`);
  const missing = named.filter((path) => !existsSync(join(path.startsWith('test/') ? root : src, path)));
  assert.deepEqual(missing, []);
});

test('every wing, and every room of the helper, is on the map', () => {
  const folders = (path: string) =>
    readdirSync(join(src, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !['dist', 'node_modules'].includes(entry.name))
      .map((entry) => `${path}${entry.name}/`);
  for (const folder of [...folders(''), ...folders('helper/')])
    assert.ok(map.includes(`\`${folder}\``), folder);
});

test('the path over a coffee is 1,300 lines at most', () => {
  const [, path = ''] = /over a coffee\n\n([^#]*)/.exec(map)!;
  const files = [...path.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, file]) =>
    readFileSync(join(src, file!), 'utf8'),
  );
  const lines = files.reduce((sum, text) => sum + text.split('\n').length - 1, 0);
  assert.ok(files.length >= 5 && lines <= 1300, `${lines} lines in ${files.length} files`);
});
