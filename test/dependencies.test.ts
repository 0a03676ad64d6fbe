/** What is installed: the very bytes that were looked at when it was pinned, under licences that let anybody pass it on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './harness/kernel';

/** Permissive ones, and Mozilla's, whose terms end at its own files. */
const ALLOWED =
  /^(MIT(-0)?|ISC|0BSD|BSD([ -].*)?|Apache([ -].*)?|BlueOak-1\.0\.0|Unlicense|CC0-1\.0|MPL-2\.0|Mozilla Public License 2\.0.*|PSF-2\.0|Python Software Foundation.*)$/i;

const isAllowed = (licence: string) =>
  licence
    .replace(/[()]/g, '')
    .split(/ (?:AND|OR) |; /)
    .every((part) => ALLOWED.test(part.trim().replace(/ License( ISCL)?$/, '')));

interface Locked {
  link?: boolean;
  integrity?: string;
  resolved?: string;
  license?: string;
}

test('npm checks the hash of every package, and no registry is named', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const locked = Object.entries<Locked>(packages).filter(
    ([path, { link }]) => /node_modules/.test(path) && !link,
  );
  assert.ok(locked.length > 100);
  for (const [path, { integrity, resolved, license }] of locked) {
    assert.match(integrity ?? '', /^sha512-/, path);
    assert.equal(resolved, undefined, path);
    assert.ok(isAllowed(license ?? 'none'), `${path} has the licence ${license}`);
  }
});

test('pip checks the hash of every package', () => {
  const text = readFileSync(join(root, 'src', 'cli', 'requirements.txt'), 'utf8');
  const packages = text.replaceAll('\\\n', ' ').split('\n').filter(Boolean);
  assert.ok(packages.length > 50);
  // pip takes nothing without a hash as soon as one package has one.
  for (const line of packages)
    assert.match(line, /^[\w.-]+==\S+ .*--hash=sha256:[\da-f]{64}/, line.slice(0, 60));
});

test('what pip installed may be passed on, too', () => {
  const program = `
import json
from importlib.metadata import distributions
found = {}
for one in distributions():
    meta = one.metadata
    classified = [name.split(" :: ")[-1] for name in meta.get_all("Classifier", []) if name.startswith("License ::")]
    found[meta["Name"]] = meta.get("License-Expression") or "; ".join(classified) or (meta.get("License") or "none")[:60]
print(json.dumps(found))`;
  const python = join(root, '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const licences = JSON.parse(execFileSync(python, ['-c', program], { encoding: 'utf8' }));
  assert.ok(Object.keys(licences).length > 50);
  const others = Object.entries<string>(licences).filter(([, licence]) => !isAllowed(licence));
  assert.deepEqual(others, []);
});
