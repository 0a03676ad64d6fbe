/** `start`: a real JupyterLab of the repository's `.venv`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { python, root } from '../harness/kernel';
import { Command, descendants, folder, notebook, program, project, run, survivors } from './command';

interface Lab {
  command: Command;
  /** What it opens on: `/lab`, or a file below `/lab/tree/`. */
  page: string;
  /** What Jupyter's REST interface answers. */
  api<T>(path: string, body?: object): Promise<T>;
}

async function open(t: TestContext, cwd: string): Promise<Lab> {
  const command = new Command(t, [program, 'start', '--no-browser'], { cwd });
  const [, url, page, token] = await command.printed(/(http:\/\/127\.0\.0\.1:\d+)(\/lab[^?]*)\?token=(\w+)/);
  const api = async <T>(path: string, body?: object) => {
    const response = await fetch(`${url}/api/${path}`, {
      headers: { authorization: `token ${token}` },
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (await response.json()) as T;
  };
  // It tells its address a moment before it listens.
  while (command.child.exitCode === null && !(await fetch(`${url}/api`).catch(() => undefined))?.ok) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { command, page: page!, api };
}

/** Starts a kernel that has a child of its own, and another that has left its process group. */
async function startKernel({ api }: Lab): Promise<void> {
  const { id } = await api<{ id: string }>('kernels', { name: 'tslab' });
  const run = `
import sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
for attempt in range(20):
    try:
        client.wait_for_ready(timeout=60)
        break
    except RuntimeError:
        pass  # tslab does not answer heartbeats while it loads
reply = client.execute_interactive("""
  import { spawn } from 'node:child_process';
  spawn('sleep', ['601']); spawn('sleep', ['602'], { detached: true });""", timeout=60)
assert reply["content"]["status"] == "ok", reply`;
  execFileSync(python, ['-c', run, join(root, '.venv', 'jupyter', 'runtime', `kernel-${id}.json`)]);
}

test('JupyterLab opens on the notebooks with the TypeScript kernel; Ctrl-C ends all of it', async (t) => {
  const files = { 'notebooks/a.ipynb': notebook('1'), 'notebooks/index.ipynb': notebook('2') };
  const lab = await open(t, project(t, files));
  assert.equal(lab.page, '/lab/tree/index.ipynb');
  const { kernelspecs } = await lab.api<{ kernelspecs: object }>('kernelspecs');
  assert.ok('tslab' in kernelspecs);
  const { content } = await lab.api<{ content: { name: string }[] }>('contents');
  assert.deepEqual(
    content.map(({ name }) => name),
    ['a.ipynb', 'index.ipynb'],
  );
  await startKernel(lab);

  const started = descendants(lab.command.child.pid!);
  assert.equal(started.size, 4, `JupyterLab, kernel, two sleeps: ${[...started.values()]}`);
  lab.command.child.kill('SIGINT');
  assert.equal(await lab.command.ended, 0);
  assert.deepEqual(await survivors(started, 0), []);
});

test('nothing outlives it when it is killed, either', async (t) => {
  const lab = await open(t, project(t));
  await startKernel(lab);
  const started = descendants(lab.command.child.pid!);
  assert.equal(started.size, 4);
  lab.command.child.kill('SIGKILL');
  assert.deepEqual(await survivors(started, 10_000), []);
});

test('a second start does nothing again before JupyterLab itself', async (t) => {
  const first = await run(t, [join(root, 'src', 'cli', 'bootstrap.mjs'), 'start', '--version'], {
    cwd: root,
  });
  assert.equal(first.code, 0, first.output);
  const before = performance.now();
  const command = new Command(t, [join(root, 'src', 'cli', 'bootstrap.mjs'), 'start', '--version'], {
    cwd: root,
  });
  const isLab = (line: string) => line.includes('lab.py');
  while (command.child.exitCode === null && ![...descendants(command.child.pid!).values()].some(isLab)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const ms = performance.now() - before;
  assert.equal(await command.ended, 0, command.output);
  assert.match(command.output, /^4\.\d+\.\d+$/m); // the argument was passed through
  assert.doesNotMatch(command.output, /Installing|Making/);
  t.diagnostic(`${Math.round(ms)} ms (target 2000)`);
});

test('a port in use is said in a sentence with the remedy', async (t) => {
  const server = createServer().listen(0, 'localhost');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  for (const args of [['--port', String(port)], [`--ServerApp.port=${port}`]]) {
    const { code, output } = await run(t, [program, 'start', '--no-browser', ...args], { cwd: folder(t) });
    assert.equal(code, 1);
    assert.match(
      output,
      new RegExp(`^\\nPort ${port} is in use by another program: .*--port ${port + 1}\\.\\n\\n$`),
    );
  }
  const { code, output } = await run(t, [program, 'start', '--port', 'many'], { cwd: folder(t) });
  assert.equal(code, 1);
  assert.match(output, /--port needs a number/);
});
