/** `npm run notebooks`: the writer's quick loop. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { root } from '../harness/kernel';
import { run } from './command';

const notebooks = (t: TestContext, ...args: string[]) =>
  run(
    t,
    [
      '-e',
      `require(${JSON.stringify(join(root, 'test', 'dist', 'notebooks.js'))}).main(process.argv.slice(1))`,
      '--',
      ...args,
    ],
    {
      cwd: root,
    },
  );

test('a section is run with the first cell alone, with its times, and where they went', async (t) => {
  const { code, output } = await notebooks(t, 'gallery', '--section', 'timeline');
  assert.equal(code, 0, output);
  assert.match(output, /^gallery\.ipynb\n +\d+\.\d s {2}imports +\n +\d+\.\d s {2}timeline-small/m);
  assert.match(
    output,
    /\d+\.\d s {2}in all: \d+ of \d+ checks held, \d+ claims, \d+ charts\. Where the time went:\n/,
  );
  assert.doesNotMatch(output, /compare-small/);
});

test('a notebook, a section and an option that are not there are told, with those that are', async (t) => {
  const notebook = await notebooks(t, '99');
  assert.equal(notebook.code, 1);
  assert.match(
    notebook.output,
    /^\nNo notebook is called 99: there are .*05-concurrency-and-parallelism\.ipynb/,
  );
  const section = await notebooks(t, '05', '--section', '99');
  assert.equal(section.code, 1);
  assert.match(section.output, /^\nNo section is called 99\. There are:\n05-.*\n {2}Taking turns/);
  const option = await notebooks(t, '--sektion', '37');
  assert.equal(option.code, 1);
  assert.match(option.output, /Unknown option '--sektion'.*\n\nUsage: npm run notebooks/s);
});

test('a knob is set from outside; one that is not there is told with those that are', async (t) => {
  const two = await notebooks(t, '05', '--section', '37', '--set', 'workers=1', '--set', 'repeat=1');
  assert.match(two.output, /^workers = 1 in \d+ cells?\nrepeat = 1 in 1 cell\n/);
  assert.equal(two.code, 0, two.output);
  const unknown = await notebooks(t, '05', '--section', '37', '--set', 'wokers=1');
  assert.equal(unknown.code, 1);
  assert.match(unknown.output, /No knob is called wokers: there are .*\bworkers\b/);
  const bare = await notebooks(t, '05', '--set', 'workers');
  assert.match(bare.output, /--set takes name=value, such as workers=4; got workers\./);
});
