/** Fan-outs and sites in cells of the real kernel. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kernel } from '../harness/kernel';
import { eventually, isAlive } from '../harness/processes';

let kernel: Kernel;
before(async () => {
  kernel = await Kernel.start();
});
after(() => kernel.close());

/** Starts a site in a cell. @returns the id of its process */
async function startSite(options: string): Promise<number> {
  const before = kernel.children();
  const cell = await kernel.run(`
    import { fanOut } from 'tslab-parallel';
import { startSite } from 'tslab-parallel/handbook';
    const site = await startSite(${options});
    site`);
  assert.match(cell.stdout, /^Site: 40 pages of 10000 bytes on 2 hosts, \d+ ms each\nhttp:/);
  const [pid, ...more] = kernel.children().filter((child) => !before.includes(child));
  assert.deepEqual(more, []);
  return pid!;
}

test('in cells: types, a run that shows itself, the interrupt, and a site that outlives it', async () => {
  const pid = await startSite('{ pages: 40, latencyMs: 20 }');
  const cell = await kernel.run(`
    const run = fanOut(site.urls, { concurrency: 20, as: 'json', onError: 'collect' });
    const results = await run;
    const first = results[0];
    const code: string = first.status === 'rejected' ? first.reason.code : String(first.value.status);
    console.log(code, results.length);
    run`);
  assert.match(cell.stdout, /^parse 40\nfanOut: 0 of 40 done .*40 failed/, cell.error);

  const slow = await kernel.begin(`
    setImmediate(() => console.log('begun'));
    await fanOut(Array.from({ length: 1000 }, (_, i) => site.urls[i % 40]), { concurrency: 5 });`);
  await slow.printed('begun');
  await sleep(200);
  await kernel.interrupt();
  const result = await slow.done;
  assert.match(result.error, /^\[?InterruptedError: "fanOut" was interrupted, \d+ of 1000 done/);

  assert.ok(isAlive(pid));
  const after = await kernel.run('const { inProgress } = await site.stats(); console.log(inProgress);');
  assert.equal(after.stdout, '0\n');
});

test('a site ends with a restart of the kernel, and holds it up by nothing', async () => {
  const pid = await startSite('{ pages: 40, latencyMs: 1 }');
  // Else jupyter_client would have ended it by force.
  assert.equal((await kernel.restart()).exitCode, 0);
  assert.ok(await eventually(() => !isAlive(pid)));
});

test('a site ends with a kernel that is killed', async () => {
  const pid = await startSite('{ pages: 40, latencyMs: 1 }');
  kernel.kill();
  assert.ok(await eventually(() => !isAlive(pid)));
});
