/**
 * `npm test`: formatter, linter and all tests; src/cli/bootstrap.mjs has installed and compiled before.
 * `npm test -- closure pool/map` runs the test files whose path contains one of the words, without formatter and linter.
 * What starts with a dash goes to `node --test`.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { CliError, exitWith, prepareEnvironment, step } from '#src/cli/index';

const root = join(__dirname, '..', '..');

/** Longer than any file of tests takes, and longer than all of them take: then something hangs. */
const TEST_TIMEOUT_MS = 10 * 60_000;
const ALL_TIMEOUT_MS = 35 * 60_000;

export async function main(args: string[]): Promise<void> {
  await exitWith(async () => {
    const words = args.filter((arg) => !arg.startsWith('-'));
    const files = select(words);
    await prepareEnvironment(root);
    // Its failure counts, but must not hide what the tests say.
    const wrong = words.length === 0 ? await step('Checking format and lint', checkFormat) : '';
    if (wrong) console.log(wrong);
    const { code, late } = await run([
      '--test',
      '--test-reporter=spec',
      // Most of them wait most of the time: for a kernel, a browser, a page that takes long on purpose.
      `--test-concurrency=${availableParallelism()}`,
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      ...args.filter((arg) => arg.startsWith('-')),
      ...files,
    ]);
    if (wrong)
      throw new CliError('Format or lint is not right, see the top: npm run format corrects most of it.');
    if (late) {
      throw new CliError(`The tests were ended after ${ALL_TIMEOUT_MS / 60_000} minutes: one of them hangs.`);
    }
    return code ?? 1;
  });
}

/** The compiled test files. They are looked for as sources, so that a deleted test doesn't run on. */
function select(words: string[]): string[] {
  const all = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('dist'))
    .map((file) => file.split(sep).join('/'))
    .sort();
  const chosen = words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
  if (chosen.length === 0) {
    throw new CliError(`No test file has ${words.join(' or ')} in its path: there are ${all.join(', ')}.`);
  }
  return chosen.map((file) => relative('', join(__dirname, file.replace(/ts$/, 'js'))));
}

/** What is wrong; '' if nothing is. */
async function checkFormat(): Promise<string> {
  const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const checks = [
    [biome, 'check', '--diagnostic-level=error', '.'],
    [join('test', 'ruff.mjs'), 'check'],
  ];
  const results = await Promise.all(checks.map((args) => run(args, 'pipe')));
  return results.map(({ code, output }) => (code === 0 ? '' : output)).join('');
}

interface Finished {
  code: number | null;
  output: string;
  /** It was still running at the time limit. */
  late: boolean;
}

function run(args: string[], output: 'inherit' | 'pipe' = 'inherit'): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', output, output] });
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill();
    }, ALL_TIMEOUT_MS);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output: text, late });
    });
  });
}
