#!/usr/bin/env node
/**
 * `npx tslab-parallel`. A file that is there before anything is compiled, so that npm can link it in a fresh clone; there it
 * compiles the package first.
 */
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const program = join(__dirname, '..', 'dist', 'cli', 'index.js');

if (!existsSync(program)) {
  const project = join(__dirname, '..', 'live');
  let compiler;
  try {
    compiler = require.resolve('typescript/bin/tsc', { paths: [__dirname] });
  } catch {
    console.error(
      'The package is not compiled, and no TypeScript is here to do it: run npm install, then this again.',
    );
    process.exit(1);
  }
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-b', project], { encoding: 'utf8' });
  if (status !== 0) {
    console.error(
      `${stdout}The TypeScript sources do not compile, see above: correct them, then run this again.`,
    );
    process.exit(1);
  }
}

require(program).main(process.argv.slice(2));
