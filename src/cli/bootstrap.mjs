// @ts-check
/**
 * The first part of `npm start`, `npm test` and the other commands. On a fresh clone nothing is installed or compiled yet, so
 * this file is plain JavaScript that needs no package: it checks Node, installs the npm packages, compiles, hands over.
 * Its syntax is one that Node 12 reads: an old Node should get as far as to say that it is too old.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * What each command is, once it is compiled: a module with `main(args)`, and the project to compile for it (`src/live` is the
 * package with what its pages run). The package's own command line serves several, so it is told which.
 */
const COMMANDS = {
  start: { project: 'src/live', module: 'src/dist/cli/index.js' },
  export: { project: 'src/live', module: 'src/dist/cli/index.js' },
  test: { project: '.', module: 'test/dist/run.js' },
  notebooks: { project: '.', module: 'test/dist/notebooks.js' },
};

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

/**
 * One readable sentence, and the end.
 * @param {string} sentence
 * @returns {never}
 */
function fail(sentence) {
  console.error(`\n${sentence}\n`);
  process.exit(1);
}

/**
 * Runs a Node program, and shows what it printed only if it failed.
 * @param {string} label
 * @param {string[]} args
 * @param {(output: string) => string} explain what to say when it failed
 */
function step(label, args, explain) {
  process.stdout.write(`${label} ... `);
  const before = Date.now();
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  });
  console.log(status === 0 ? `${((Date.now() - before) / 1000).toFixed(1)} s` : 'failed');
  if (signal) process.exit(130); // Ctrl-C reached it, too
  if (status !== 0) {
    const output = `${stdout}${stderr}`;
    console.error(output.trim());
    fail(explain(output));
  }
}

function checkNode() {
  const needed = readJson('package.json').engines.node.replace('>=', '');
  const [major = 0, minor = 0] = needed.split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
    fail(
      `Node ${needed} or newer is needed and this is ${process.versions.node}: install a newer Node, then run this again.`,
    );
  }
}

/** npm lists what it installed in a lock file of its own, as its last act: it is missing after an interrupted install. */
function hasPackages() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return false;
  const wanted = Object.entries(readJson('package-lock.json').packages);
  const installed = readJson('node_modules/.package-lock.json').packages;
  return wanted.every(([path, { version, optional, link }]) => {
    if (!path.includes('node_modules/')) return true; // the workspace and the root
    const { version: found } = installed[path] || {};
    if (path.startsWith('node_modules/') && !link && found !== version) return Boolean(optional);
    return Boolean(optional) || existsSync(join(root, path, 'package.json'));
  });
}

/** npm's program, to be run without a shell (on Windows `npm` is a batch file). */
function findNpm() {
  const bin = dirname(process.execPath);
  const places = [
    // Set when npm started us; pnpm and Yarn set it, too.
    process.env.npm_execpath,
    join(bin, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(bin, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(bin, '..', 'share', 'nodejs', 'npm', 'bin', 'npm-cli.js'),
  ];
  const npm = places.find((place) => place && basename(place) === 'npm-cli.js' && existsSync(place));
  return npm || fail('npm was not found: start this with npm (npm start, npm test, npm run export).');
}

function installPackages() {
  // The compiler is a development package. Two quick retries: offline, npm's own patience is more than a minute.
  const args = ['ci', '--include=dev', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=3000'];
  step('Installing npm packages', [findNpm(), ...args], (output) =>
    /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|network/.test(output)
      ? 'npm could not reach its package registry: check the network connection (and the proxy, if there is one), then run this again.'
      : 'The npm packages could not be installed, see above: when that is settled, run this again.',
  );
}

/** @param {string} project */
function compile(project) {
  // Takes 0.2 s when nothing changed: the compiler remembers.
  step(
    'Compiling',
    [
      join('node_modules', 'typescript', 'bin', 'tsc'),
      '-b',
      project,
      '--pretty',
      String(Boolean(process.stderr.isTTY)),
    ],
    () => 'The TypeScript sources do not compile, see above: correct them, then run this again.',
  );
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  const command = COMMANDS[/** @type {keyof typeof COMMANDS} */ (name)];
  if (!command) fail(`There is no command "${name}": there are ${Object.keys(COMMANDS).join(', ')}.`);
  process.chdir(root);
  checkNode();
  if (!hasPackages()) installPackages();
  compile(command.project);
  const { default: room } = await import(pathToFileURL(join(root, command.module)).href);
  await room.main(command.project === 'src/live' ? [name, ...args] : args);
}

main();
