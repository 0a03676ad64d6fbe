#!/usr/bin/env node
/** The command line, `npx tslab-parallel`. In this repository `npm start` and `npm run export` end here, too. */
import { EXPORT_USAGE, exportNotebooks } from './export';
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

The first time, start and export make a Python environment (.venv) in this folder, with JupyterLab and nbconvert.`;

/** Runs a command and sets the exit code. */
export async function main([command, ...args]: string[]): Promise<void> {
  await exitWith(() => {
    if (command === 'start') return start(args);
    if (command === 'export' && !args.includes('--help')) return exportNotebooks(args);
    if (command === 'worker' && !args.includes('--help')) return work(args);
    console.log(USAGE);
    return Promise.resolve(command === undefined || /^(-h|--help|help|export|worker)$/.test(command) ? 0 : 2);
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
