import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { PythonError, type PythonOptions, type PythonRun, python } from 'tslab-parallel/handbook';
import { eventually, isAlive, PATIENCE_MS } from '../harness/processes';

// A folder for temporary files of its own: other tests run Python at the same time.
const temporary = mkdtempSync(join(tmpdir(), 'python-tests-'));
process.env.TMPDIR = temporary;
after(() => rmSync(temporary, { recursive: true, force: true }));

const quietly = (source: string, options: PythonOptions = {}) => python(source, { quiet: true, ...options });
const spansOf = (run: PythonRun) => [...run.spans];

test('the value is the last expression, as in a notebook cell', async () => {
  assert.equal((await quietly('x = 20\nx + 22')).value, 42);
  assert.equal((await quietly('x = 42')).value, null);
  assert.equal((await quietly('')).value, null);
  assert.equal((await quietly('# nothing but a comment')).value, null);
  assert.equal((await quietly('import asyncio\nawait asyncio.sleep(0, "slept")')).value, 'slept');
  assert.equal((await quietly('__name__')).value, '__main__');
});

test('start_clock leaves out what came before it', async () => {
  const run = await quietly(`
    import time
    with span("before"): time.sleep(0.2)
    start_clock()
    with span("after"): time.sleep(0.02)`);
  assert.ok(run.wallMs >= 19 && run.wallMs < run.startupMs, `${run.wallMs}`);
  assert.ok(run.startupMs >= 199, `${run.startupMs}`);
  assert.deepEqual(
    spansOf(run).map(({ label }) => label),
    ['after'],
  );
  assert.ok(spansOf(run)[0]!.startMs >= 0);
});

test('JSON goes in as `data` and comes back, whole numbers exactly', async () => {
  const input = {
    text: '한글 \u2028 "quoted" \\ \ud83d\ude80',
    numbers: [0.1, -1e308, 2 ** 53 - 1],
    big: [41666654166667500000n, -(2n ** 200n)],
    nested: { list: [[], {}], yes: true, no: false, none: null },
  };
  const { value } = await quietly('data', { input });
  assert.deepEqual(value, input);
  assert.equal((await quietly('sum(i * i for i in range(data))', { input: 100 })).value, 328350);
  assert.equal((await quietly('2 ** 53')).value, 2n ** 53n);
  assert.deepEqual((await quietly('[data, (1, 2)]', { input: Float32Array.of(1.5, 2) })).value, [
    [1.5, 2],
    [1, 2],
  ]);
  assert.equal((await quietly('data is None')).value, true);
});

test('what JSON would lose is refused by name, before anything starts', async () => {
  const circle: unknown[] = [];
  circle.push(circle);
  const folders = runFolders();
  for (const [input, expected] of [
    [{ when: { x: Number.NaN } }, /at "x", is NaN/],
    [[new Map()], /at "0", is a Map/],
    [() => 1, /input is a function/],
    [circle, /contains itself/],
  ] as const) {
    await assert.rejects(quietly('1', { input }), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, expected);
      return true;
    });
  }
  assert.deepEqual(runFolders(), folders);
});

test('a value that is not JSON is a sentence with its place', async () => {
  for (const [source, expected] of [
    ['open', /its last expression is of type builtin_function/],
    ['{"a": [1, {2}]}', /its last expression\['a'\]\[1\] is of type set/],
    ['[float("nan")]', /\[0\] is nan/],
    ['x = []; x.append(x); x', /contains itself/],
    ['{(1, 2): 3}', /keys that are not text/],
  ] as const) {
    await assert.rejects(quietly(source), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, expected);
      return true;
    });
  }
});

test('what it prints is in output in its order, and appears line by line as it goes', async () => {
  const program = 'import time\nprint("하나")\ntime.sleep(0.3)\nprint("둘", end="")';
  const node = spawn(process.execPath, [
    '-e',
    `require(${JSON.stringify(require.resolve('tslab-parallel/handbook'))}).python(${JSON.stringify(program)})`,
  ]);
  const seen: { at: number; text: string }[] = [];
  for await (const chunk of node.stdout) seen.push({ at: performance.now(), text: String(chunk) });
  assert.deepEqual(
    seen.map(({ text }) => text),
    ['하나\n', '둘'],
  );
  assert.ok(seen[1]!.at - seen[0]!.at > 250, 'the first line came with the last');

  const both = await quietly(
    'import sys, time\nprint("out")\ntime.sleep(.05)\nprint("err", file=sys.stderr)\ntime.sleep(.05)\nprint("out")',
  );
  assert.equal(both.output, 'out\nerr\nout\n');
});

test('wallMs is the program’s own time, without the start of Python', async () => {
  const beforeMs = performance.now();
  const run = await quietly('import time\ntime.sleep(0.2)');
  const allMs = performance.now() - beforeMs;
  assert.ok(run.wallMs >= 200 && run.wallMs <= allMs - run.startupMs + 2, `${run.wallMs} of ${allMs}`);
  assert.ok(run.startupMs > 5, `${run.startupMs}`);
  assert.ok(Math.abs(Date.parse(run.startedAt) + run.wallMs - Date.now()) < 5000);
});

test('a record that survives JSON and shows itself', async () => {
  const run = await quietly('print("a")\n7', { label: 'loop' });
  assert.equal(run.label, 'loop');
  assert.equal(run.backend, 'python');
  assert.deepEqual([run.status, run.total, run.ok, run.failed, run.workers], ['done', 1, 1, 0, 1]);
  assert.deepEqual(
    spansOf(run).map(({ lane, label, startMs, endMs }) => ({
      lane,
      label,
      startMs,
      whole: endMs === run.wallMs,
    })),
    [{ lane: 'MainThread', label: 'loop', startMs: 0, whole: true }],
  );
  assert.deepEqual(JSON.parse(JSON.stringify(run)), JSON.parse(JSON.stringify({ ...run })));
  assert.match(inspect(run), /^loop: [\d.]+ ms in Python 3\.[\d.]+\S* .*1 line printed\nvalue: 7$/);
});

test('spans of threads, with their names as lanes', async () => {
  const run = await quietly(`
import time
from concurrent.futures import ThreadPoolExecutor

@span("job")
def job(n):
    time.sleep(0.05)
    if n == 3:
        raise ValueError("three")

with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
    futures = [pool.submit(job, n) for n in range(4)]
with span("after", lane="main"):
    pass
`);
  const spans = spansOf(run);
  assert.deepEqual(spans.map(({ index, lane, label, status }) => ({ index, lane, label, status })).slice(3), [
    { index: 3, lane: spans[3]!.lane, label: 'job', status: 'failed' },
    { index: 4, lane: 'main', label: 'after', status: 'ok' },
  ]);
  assert.equal(spans[3]!.error, 'ValueError: three');
  assert.deepEqual(new Set(spans.map((span) => span.lane)), new Set(['pool_0', 'pool_1', 'main']));
  assert.ok(spans[0]!.endMs > spans[1]!.startMs, 'two threads slept at the same time');
  assert.ok(spans.slice(0, 4).every((span) => span.endMs - span.startMs >= 50));
  assert.deepEqual([run.total, run.ok, run.failed], [5, 4, 1]);
});

test('tasks of asyncio get a lane each, the lowest that is free', async () => {
  const run = await quietly(`
import asyncio
async def visit(n):
    with span(f"page {n}"):
        await asyncio.sleep(0.02)
async def both(n):
    await visit(n)
    await visit(n + 10)
await asyncio.gather(both(0), both(1))
`);
  assert.deepEqual(
    spansOf(run).map(({ lane }) => lane),
    ['task 1', 'task 2', 'task 1', 'task 2'],
  );
});

test('tick draws whose turn it was: under the GIL the turns alternate and hardly overlap', async () => {
  const run = await quietly(`
import sys, threading
sys.setswitchinterval(0.005)
def count():
    total = 0
    for i in range(1_500_000):
        total += i
        if i % 200 == 0:
            tick()
threads = [threading.Thread(target=count, name=f"t{n}") for n in range(2)]
for t in threads: t.start()
for t in threads: t.join()
getattr(sys, "_is_gil_enabled", lambda: True)()
`);
  const turns = spansOf(run);
  assert.ok(turns.every((turn) => turn.index === -1 && /^t[01]$/.test(turn.lane)));
  assert.deepEqual([run.total, run.ok], [1, 1]);
  if (!run.value) return;
  assert.ok(turns.length >= 4 && turns.length < 500, `${turns.length} turns`);
  const busy = turns.reduce((sum, turn) => sum + turn.endMs - turn.startMs, 0);
  assert.ok(busy <= run.wallMs * 1.02, `${busy} ms of turns in ${run.wallMs} ms`);
  assert.ok(busy >= run.wallMs * 0.4, `${busy} ms of turns in ${run.wallMs} ms`);
});

for (const method of ['fork', 'spawn', 'forkserver']) {
  test(`multiprocessing's workers, started by ${method}: functions, data, spans, prints`, async () => {
    const run = await quietly(
      `
import multiprocessing
from time import sleep as time   # a name the runner uses itself

def both_begun(its):
    global barrier
    barrier = its

@span("square")
def square(x):
    if x < 2: barrier.wait()   # so that both workers take part
    for _ in range(3):
        tick("busy")
        time(0.005)
    print("squared", x)
    return x * x + data

if __name__ == "__main__":
    context = multiprocessing.get_context("${method}")
    with context.Pool(2, both_begun, [context.Barrier(2)]) as pool:
        result = pool.map(square, range(4), chunksize=1)
result if __name__ == "__main__" else None
`,
      { input: 1 },
    );
    assert.deepEqual(run.value, [1, 2, 5, 10]);
    const spans = spansOf(run);
    const squares = spans.filter((span) => span.label === 'square');
    assert.equal(squares.length, 4);
    assert.equal(new Set(squares.map((span) => span.lane)).size, 2);
    assert.ok(squares.every((span) => /PoolWorker-\d/.test(span.lane)));
    // The clock is the same in all processes.
    assert.ok(spans.every((span) => span.startMs > 0 && span.endMs <= run.wallMs));
    const ticks = spans.filter((span) => span.label === 'busy');
    assert.ok(ticks.length >= 2 && ticks.every((span) => span.index === -1 && span.endMs > span.startMs));
    assert.deepEqual(
      run.output.trim().split('\n').sort(),
      [0, 1, 2, 3].map((x) => `squared ${x}`),
    );
  });
}

test('an exception is Python’s own traceback, of the cell’s lines', async () => {
  const error = await failure(`
def inner():
    return {}["key"]

print("before")
inner()
`);
  assert.equal(error.message, "KeyError: 'key'");
  assert.equal(
    error.traceback.replaceAll(/^[ ~^]+\n/gm, ''), // Python 3.11 marks the place
    `Traceback (most recent call last):
  File "<cell>", line 6, in <module>
    inner()
  File "<cell>", line 3, in inner
    return {}["key"]
KeyError: 'key'
`,
  );
  assert.equal(error.output, 'before\n');
  assert.equal(inspect(error), `PythonError: KeyError: 'key'\n${error.traceback.trimEnd()}`);
});

test('other ends: syntax error, sys.exit, os._exit, a crash, an exception with a thread still busy', async () => {
  const syntax = await failure('x = 1\nx = = 2');
  assert.match(syntax.message, /^SyntaxError/);
  assert.match(syntax.traceback, /File "<cell>", line 2/);
  assert.equal((await quietly('import sys\nsys.exit()')).value, null);
  assert.match((await failure('import sys\nsys.exit("enough")')).message, /SystemExit: enough/);
  assert.match(
    (await failure('import os\nos._exit(7)')).message,
    /exit code 7 before the program's last line/,
  );
  assert.match((await failure('import os\nos.abort()')).message, /was ended by SIGABRT/);
  assert.match((await failure('import os, signal\nos.kill(os.getpid(), signal.SIGKILL)')).message, /SIGKILL/);
  const busy = performance.now();
  await failure('import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n1 / 0');
  assert.ok(performance.now() - busy < 5000);
});

test('a missing package is a sentence with the remedy', async () => {
  const error = await failure('import sklearn.svm');
  assert.match(
    error.message,
    /^The Python program imports "sklearn", which (\S+python\S*) doesn't have\. Install it: \1 -m pip install scikit-learn$/,
  );
  // A submodule that isn't there is not a missing package.
  assert.match(
    (await failure('import os.nothing')).message,
    /^ModuleNotFoundError: No module named 'os\.nothing'/,
  );
});

test('which Python: the .venv above the working directory, or the one asked for', async () => {
  const here = await quietly('import sys\nsys.prefix');
  assert.match(String(here.value), /\.venv$/);
  const other = await quietly('import sys\n[sys.prefix, sys.version.split()[0]]', { interpreter: 'python3' });
  assert.doesNotMatch(String(other.value), /\.venv/);
  assert.equal((other.value as string[])[1], other.version);

  await assert.rejects(
    quietly('1', { interpreter: '/nowhere/python' }),
    /"\/nowhere\/python" is not a program that can be started/,
  );
  await assert.rejects(quietly('1', { interpreter: 'no-such-python' }), /is not a program on PATH/);
  await assert.rejects(quietly('1', { interpreter: tmpdir() }), /is not a program/);
  await assert.rejects(quietly('1', { interpreter: 'false' }), /ended with exit code 1 before/);
});

test('without any Python it says where it looked', async () => {
  const { cwd, env } = { cwd: process.cwd(), env: process.env.PATH };
  process.chdir(tmpdir());
  process.env.PATH = '/nowhere';
  try {
    await assert.rejects(
      quietly('1'),
      /No Python was found: there is no \.venv in .* and neither python3 nor python is on PATH/,
    );
  } finally {
    process.chdir(cwd);
    process.env.PATH = env;
  }
});

test('bad arguments are refused', async () => {
  for (const [call, expected] of [
    [() => python(1 as never), /source must be a Python program as a string; got 1/],
    [() => python('1', { timeout: 1 } as never), /no "timeout"/],
    [() => python('1', { timeoutMs: 0 }), /timeoutMs must be/],
    [() => python('1', { label: 5 as never }), /label must be/],
    [() => python('1', { quiet: 'yes' as never }), /quiet must be/],
    [() => python('1', { signal: {} as never }), /signal must be an AbortSignal/],
    [() => python('1', { interpreter: 3 as never }), /interpreter must be/],
  ] as const) {
    await assert.rejects(call, (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, expected);
      return true;
    });
  }
});

const BUSY_FAMILY = `
import multiprocessing, os, time

def burn():
    while True: pass

children = [multiprocessing.Process(target=burn) for _ in range(2)]
for child in children: child.start()
with open(data, "w") as file: file.write(" ".join(map(str, [os.getpid(), os.getppid(), *(c.pid for c in children)])) + " end")
sum(range(10**12))   # never gives the GIL away
`;

test('timeoutMs and a signal end it with all its processes, however busy', async () => {
  const { familyOf, file } = family();
  const timedOut = quietly(BUSY_FAMILY, { input: file, timeoutMs: 1500 });
  timedOut.catch(() => {});
  const pids = await familyOf();
  assert.equal(pids.length, 4);
  assert.ok(pids.every(isAlive));
  await assert.rejects(timedOut, (error: Error) => {
    assert.equal(error.name, 'TimeoutError');
    assert.match(error.message, /longer than timeoutMs: 1500/);
    return true;
  });
  assert.ok(await eventually(() => !pids.some(isAlive)), 'processes are left');

  const second = family();
  const controller = new AbortController();
  const aborted = quietly(BUSY_FAMILY, { input: second.file, signal: controller.signal });
  aborted.catch(() => {});
  const others = await second.familyOf();
  const reason = new Error('enough');
  const at = performance.now();
  controller.abort(reason);
  await assert.rejects(aborted, (error) => error === reason);
  assert.ok(performance.now() - at < PATIENCE_MS, `${performance.now() - at} ms`);
  assert.ok(await eventually(() => !others.some(isAlive)), 'processes are left');

  await assert.rejects(quietly('1', { signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

test('children that were not waited for end with the program; nothing is left behind', async () => {
  const before = runFolders();
  const run = await quietly(`
import os, time
if os.fork() == 0:
    time.sleep(60)
os.getpid()
`);
  assert.ok(await eventually(() => !isAlive(Number(run.value))));
  assert.deepEqual(runFolders(), before);
  // The program sees no child that it didn't start.
  await failure('import os\nos.wait()', /ChildProcessError/);
});

async function failure(source: string, expected = /./): Promise<PythonError> {
  const error = await quietly(source).then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PythonError, inspect(error));
  assert.match(error.message, expected);
  return error;
}

function runFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('tslab-parallel-python-'));
}

/** Where BUSY_FAMILY writes its process ids, and a wait for them. */
function family() {
  const file = `${tmpdir()}/family-${process.pid}-${Math.random()}`;
  return {
    file,
    async familyOf(): Promise<number[]> {
      const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
      assert.ok(await eventually(() => text().endsWith('end')), 'the program did not start');
      const pids = text().split(' ').slice(0, -1).map(Number);
      rmSync(file);
      return pids;
    },
  };
}
