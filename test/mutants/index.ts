/**
 * `node test/dist/mutants [WORD…]`: are the tests a net? Faults are put into a copy of the compiled package, one after the other,
 * and the tests that should notice are run on it. Not among the usual tests: it takes a quarter of an hour.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutant, mutants } from './list';

const root = join(__dirname, '..', '..', '..');
/** So many must die, of those that are not explained. */
const SHARE = 0.9;
/** Longer than any of the files takes: a fault that makes a test hang has been noticed. */
const PATIENCE_MS = 150_000;

/** A copy in which only the compiled files are its own. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-parallel-mutants-'));
  const link = (from: string, to: string) => symlinkSync(from, join(folder, to));
  for (const room of ['src', 'test']) {
    mkdirSync(join(folder, room));
    for (const name of readdirSync(join(root, room))) {
      if (name !== 'dist') link(join(root, room, name), join(room, name));
    }
    cpSync(join(root, room, 'dist'), join(folder, room, 'dist'), { recursive: true });
  }
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== 'tslab-parallel') link(join(root, 'node_modules', name), join('node_modules', name));
  }
  link(join(folder, 'src'), join('node_modules', 'tslab-parallel'));
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  return folder;
}

/** @returns the name of the first test that fails, or what else became of them; undefined when all pass */
function test(folder: string, file: string): Promise<string | undefined> {
  const args = ['--test', '--test-timeout=60000', join('test', 'dist', `${file}.test.js`)];
  return new Promise((resolve) => {
    // A group of its own, so that workers which nobody stops any more can be ended with it.
    const child = spawn(process.execPath, args, { cwd: folder, detached: true, env: environment() });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      process.kill(-child.pid!, 'SIGKILL');
    }, PATIENCE_MS);
    child.on('close', (code) => {
      clearTimeout(timer);
      const failed = [...output.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name!);
      if (isLate) resolve(`${file} hangs`);
      else resolve(code === 0 ? undefined : `${file}: ${failed[0] ?? 'ends without a word'}`);
    });
  });
}

/** Without what the test runner tells its own tests. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
  return rest;
}

/** @returns who noticed; undefined when nobody did */
async function tryOut(folder: string, { file, from, to, tests }: Mutant): Promise<string | undefined> {
  const path = join(folder, 'src', 'dist', 'helper', `${file}.js`);
  const text = readFileSync(path, 'utf8');
  const places = text.split(from).length - 1;
  if (places !== 1)
    throw new Error(`helper/${file} has "${from}" ${places} times, not once: correct the list.`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    for (const one of tests) {
      const noticed = await test(folder, one);
      if (noticed) return noticed;
    }
    return undefined;
  } finally {
    writeFileSync(path, text);
  }
}

async function main(words: string[]): Promise<number> {
  const chosen = mutants.filter(({ what, file }) => words.every((word) => `${file} ${what}`.includes(word)));
  const folder = copy();
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const file of new Set(chosen.flatMap(({ tests }) => tests))) {
    const failed = await test(folder, file);
    if (failed) throw new Error(`Without any fault: ${failed}. Correct that first.`);
  }
  let died = 0;
  const survivors: Mutant[] = [];
  for (const mutant of chosen) {
    const noticed = await tryOut(folder, mutant);
    if (noticed) died++;
    else survivors.push(mutant);
    const told = noticed ?? (mutant.harmless ? `lives, as it may: ${mutant.harmless}` : 'LIVES');
    console.log(`${noticed ? 'dies ' : '     '} ${mutant.file}: ${mutant.what}\n        ${told}`);
  }
  console.log(`\n${died} of ${chosen.length} die, ${survivors.length} live.`);
  const unexplained = survivors.filter(({ harmless }) => !harmless);
  for (const { file, what } of unexplained) console.log(`Nobody notices: ${file}: ${what}`);
  return died >= SHARE * chosen.length && unexplained.length === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
