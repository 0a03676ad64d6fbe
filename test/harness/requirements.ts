/**
 * What some tests need on the machine beside Node and Python. Where it isn't installed they are skipped with a reason;
 * where `CI=true` they must run, so there its absence is an error.
 *
 *     const browser = chromium();
 *     test('…', { skip: browser.skip }, () => playwright.launch({ executablePath: browser.path }));
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Requirement {
  /** Where the program is; '' if it is missing. */
  readonly path: string;
  /** For the `skip` option of node:test: the reason, or false to run. */
  readonly skip: string | false;
}

/** A browser to drive with playwright-core. */
export function chromium(): Requirement {
  return find('Chromium', [
    'chromium',
    'chromium-browser',
    'google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ]);
}

export function redisServer(): Requirement {
  return find('redis-server', ['redis-server']);
}

export function jekyll(): Requirement {
  return find('Jekyll', ['jekyll']);
}

/** The first of these that can be run: names are looked for on PATH. */
function find(what: string, names: string[]): Requirement {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const places = names.flatMap((name) =>
    /[\\/]/.test(name) ? [name] : folders.map((folder) => join(folder, name)),
  );
  const path = places.find(isProgram);
  if (path) return { path, skip: false };
  if (process.env.CI === 'true')
    throw new Error(`${what} is not installed, and with CI=true no test is skipped.`);
  return { path: '', skip: `${what} is not installed` };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
