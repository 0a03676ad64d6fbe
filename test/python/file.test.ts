/** A program that is a file: its `main` with the notebook's knobs, and the same file alone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PythonError, python } from 'tslab-parallel/handbook';
import { Kernel, root } from '../harness/kernel';

const folder = mkdtempSync(join(root, 'test', 'dist', 'python-files-'));
const programs = {
  'sums.py': `
from spans import span

def sum_to(n: int, times: int = 2) -> int:
    total = 0
    for turn in range(times):
        with span(f"turn {turn}"):
            total += sum(range(n + 1))
    return total

def main(n: int = 10, times: int = 2) -> int:
    print("summing to", n)
    return sum_to(n, times)

if __name__ == "__main__":
    print(main())
`,
  'workers.py': `
import multiprocessing
from spans import span

def square(n):
    with span(f"square {n}"):
        return n * n

def main(numbers=(1, 2, 3), method="spawn"):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(square, numbers)

if __name__ == "__main__":
    print(main())
`,
  'later.py':
    'import asyncio\nasync def main(ms=1):\n    await asyncio.sleep(ms / 1000)\n    return "slept"\n',
  'fails.py': 'def inner():\n    raise ValueError("on purpose")\n\ndef main():\n    inner()\n',
  'empty.py': 'x = 1\n',
  'fence.py': 'def main():\n    """```"""\n    return 1\n',
  'time.py': 'def main():\n    return 4\n',
};

suite('programs in files', () => {
  const before_ = process.cwd();
  before(() => {
    mkdirSync(join(folder, 'python'));
    copyFileSync(join(root, 'notebooks', 'python', 'spans.py'), join(folder, 'python', 'spans.py'));
    for (const [name, source] of Object.entries(programs))
      writeFileSync(join(folder, 'python', name), source);
    process.chdir(folder);
  });
  after(() => {
    process.chdir(before_);
    rmSync(folder, { recursive: true, force: true });
  });

  test('main runs on its own defaults, or on the knobs it is given', async () => {
    const own = await python('sums.py', {}, { quiet: true });
    assert.deepEqual([own.value, own.output], [110, 'summing to 10\n']);
    const given = await python('sums.py', { n: 100, times: 3 }, { quiet: true, label: 'sums' });
    assert.deepEqual([given.value, given.label, given.output], [15150, 'sums', 'summing to 100\n']);
    assert.deepEqual(
      given.spans.map(({ label }) => label),
      ['turn 0', 'turn 1', 'turn 2'],
    );
  });

  test('the same file runs alone, where nobody draws', () => {
    const output = execFileSync('python3', [join('python', 'sums.py')], { encoding: 'utf8' });
    assert.equal(output, 'summing to 10\n110\n');
  });

  test('main may be asynchronous', async () => {
    assert.equal((await python('later.py', { ms: 2 }, { quiet: true })).value, 'slept');
  });

  for (const method of ['fork', 'spawn', 'forkserver']) {
    test(`worker processes find its functions, and draw: ${method}`, async () => {
      const run = await python('workers.py', { numbers: [2, 3], method }, { quiet: true });
      assert.deepEqual(run.value, [4, 9]);
      assert.deepEqual(run.spans.map(({ label }) => label).sort(), ['square 2', 'square 3']);
    });
  }

  test('a knob that it has not is refused, with those that it has', async () => {
    await assert.rejects(
      python('sums.py', { wrokers: 1 }, { quiet: true }),
      (error: Error) =>
        error instanceof PythonError &&
        /main\(\) of sums\.py has no knob wrokers; it has n, times/.test(error.message),
    );
    await assert.rejects(python('sums.py', { n: Number.NaN }), /knobs, at "n", is NaN/);
    await assert.rejects(python('empty.py'), /empty\.py has no function main\(\)/);
    await assert.rejects(python('time.py'), /time\.py is the name of a module of Python's own/);
  });

  test('a file that is not there is told, with those that are', async () => {
    await assert.rejects(
      python('sum.py'),
      /There is no Python program sum\.py in .*python or .*; there are .*sums\.py/,
    );
  });

  test('an exception has its own lines, and no path of this machine', async () => {
    await assert.rejects(python('fails.py', {}, { quiet: true }), (error: PythonError) => {
      assert.match(error.message, /ValueError: on purpose/);
      assert.match(
        error.traceback,
        /File "fails\.py", line 5, in main\n.*\n.*File "fails\.py", line 2, in inner/s,
      );
      assert.ok(!error.traceback.includes(folder), error.traceback);
      assert.ok(!error.traceback.includes('_tslab_parallel'), error.traceback);
      return true;
    });
  });

  test('in a cell its source is shown folded, above what it prints', async () => {
    const kernel = await Kernel.start({ cwd: folder });
    try {
      const cell = await kernel.run(`
        import { python } from 'tslab-parallel/handbook';
        const sums = await python('sums.py', { n: 4 });
        console.log(sums.value);`);
      assert.equal(cell.error, '');
      assert.equal(cell.stdout, 'summing to 4\n20\n');
      const [shown] = cell.displays;
      assert.match(
        String(shown?.data['text/markdown']),
        /^<details>\n<summary><code>python\/sums\.py<\/code><\/summary>\n\n```python\n.*def main.*\n```\n\n<\/details>$/s,
      );
      assert.match(String(shown?.data['text/plain']), /def main/);
      assert.equal(
        cell.outputs.findIndex(({ type }) => type !== 'stream'),
        0,
        'above what it printed',
      );

      const fence = await kernel.run(`await python('fence.py')`);
      assert.match(String(fence.displays[0]?.data['text/markdown']), /^````python\n.*^````$/ms);
      const quiet = await kernel.run(`await python('sums.py', {}, { quiet: true }); 1`);
      assert.equal(quiet.displays.length, 0);
    } finally {
      await kernel.close();
    }
  });
});
