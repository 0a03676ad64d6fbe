/** `python()` in cells of the real kernel: what the stop button, a restart and the kernel's death do to the program. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel } from '../harness/kernel';
import { eventually, isAlive, PATIENCE_MS } from '../harness/processes';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
});
after(() => kernel.close());

/** A program that prints its process ids and then keeps itself, and two children, busy. */
const BUSY = `
import multiprocessing, os

def burn():
    while True: pass

if __name__ == "__main__":
    children = [multiprocessing.Process(target=burn) for _ in range(2)]
    for child in children: child.start()
    print("pids", os.getpid(), os.getppid(), *(c.pid for c in children), "end")
    sum(range(10**12))   # never gives the GIL away
`;
const cell = (program: string) =>
  `import { python } from 'tslab-parallel/handbook';\nawait python(${JSON.stringify(program)})`;

async function gone(pids: number[]): Promise<void> {
  assert.ok(await eventually(() => !pids.some(isAlive)), `still alive: ${pids.filter(isAlive)}`);
}

async function busy() {
  const running = await kernel.begin(cell(BUSY));
  await running.printed('end\n');
  const pids = running.text('stdout').match(/\d+/g)!.map(Number);
  assert.equal(pids.length, 4);
  assert.ok(pids.every(isAlive));
  return { running, pids };
}

test('a cell shows what it prints, its value and its traceback', async () => {
  const shown = await kernel.run(cell('print("hello")\n6 * 7'));
  assert.match(shown.stdout, /^hello\nPython: .* ms in Python 3.*\nvalue: 42\n$/);
  const failed = await kernel.run(cell('def f():\n    1 / 0\nf()'));
  assert.equal(failed.ok, false);
  assert.match(failed.error, /^PythonError: ZeroDivisionError: division by zero\nTraceback/);
  assert.match(failed.error, /File "<cell>", line 2, in f/);
  assert.doesNotMatch(failed.error, /tslab|\.js|_tslab_parallel/);
});

test('what it prints belongs to the cell that started it', async () => {
  const first = await kernel.begin(`
    import { python } from 'tslab-parallel/handbook';
    const later = python('import time\\nprint("one", flush=True)\\ntime.sleep(0.3)\\nprint("two")');
    await new Promise((r) => setTimeout(r, 200));`);
  const second = await kernel.run('const over = await later;');
  assert.equal(first.text('stdout'), 'one\ntwo\n');
  assert.equal(second.stdout, '');
});

test('the stop button ends the program and all its processes', async () => {
  const { running, pids } = await busy();
  const at = performance.now();
  await kernel.interrupt();
  const result = await running.done;
  assert.ok(performance.now() - at < PATIENCE_MS, `${performance.now() - at} ms`);
  assert.equal(result.status, 'error');
  assert.match(result.error, /^\[?InterruptedError: The Python program was interrupted\.\]?\n$/);
  await gone(pids);
  assert.equal((await kernel.run('1 + 1')).ok, true);
  assert.deepEqual(kernel.children(), []);
});

test('a restart ends it', async () => {
  const { pids } = await busy();
  // Else jupyter_client would have ended it by force.
  assert.equal((await kernel.restart()).exitCode, 0);
  await gone(pids);
});

test('a kernel that is killed takes it along within a second', async () => {
  const { running, pids } = await busy();
  kernel.kill();
  await gone(pids);
  await assert.rejects(running.done, /died/);
});
