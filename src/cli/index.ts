#!/usr/bin/env node
/** The command line, `npx tslab-parallel`. In this repository `npm start` and `npm run export` end here, too. */
import { EXPORT_USAGE, exportNotebooks } from '../publish/export';
import { KERNEL_USAGE, kernel } from './kernels';
import { start } from './start';
import { CliError } from './step';
import { WORKER_USAGE, work } from './worker';

export { prepareEnvironment } from './environment';
export { CliError, step } from './step';

const USAGE = `Usage: tslab-parallel <command>

  start [JupyterLab's options]
    Opens JupyterLab with the TypeScript kernel on the folder "notebooks", or else on this one.
  ${EXPORT_USAGE}
  ${WORKER_USAGE}
  ${KERNEL_USAGE}

The first time, start and export make a Python environment (.venv) in this folder, with JupyterLab and nbconvert.`;

const COMMANDS = new Map([
  ['start', start],
  ['export', exportNotebooks],
  ['worker', work],
  ['kernel', kernel],
]);
const HELP = /^(-h|--help)$/;

/** Runs a command and sets the exit code. */
export async function main([name = '--help', ...args]: string[]): Promise<void> {
  await exitWith(async () => {
    const command = COMMANDS.get(name);
    // JupyterLab has a help of its own.
    const asksForHelp = command ? name !== 'start' && args.some((arg) => HELP.test(arg)) : HELP.test(name);
    if (asksForHelp || name === 'help') console.log(USAGE);
    else if (command) return command(args);
    else if (/^(-v|--version)$/.test(name)) console.log(require('../../package.json').version);
    else {
      const known = [...COMMANDS.keys()].join(', ');
      console.error(`There is no command ${JSON.stringify(name)}; there are ${known}.\n\n${USAGE}`);
      return 2;
    }
    return 0;
  });
}

/** Sets the exit code to what `work` returns; says what went wrong in plain words. */
export async function exitWith(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    console.error(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

if (require.main === module) main(process.argv.slice(2));
