/** The stop button stops the work, not only the waiting. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CellResult, Kernel } from '../harness/kernel';
import { eventually, PATIENCE_MS } from '../harness/processes';

/** How many interrupts: few on a reader's machine, 100 in the gate. */
const STORM = Number(process.env.INTERRUPTS ?? 5);

suite('interrupt', () => {
  let kernel: Kernel;
  before(async () => {
    kernel = await Kernel.start();
    await succeeds(`
      import { createPool, type Pool, type Run } from 'tslab-parallel';
      let pool: Pool;
      let run: Run<number>;
      /** Computes, without giving way, for so many milliseconds. */
      function burn(ms: number): number {
        const start = Date.now();
        while (Date.now() - start < ms) Math.sqrt(ms);
        return ms;
      }`);
  });
  after(() => kernel.close());

  async function succeeds(code: string): Promise<CellResult> {
    const result = await kernel.run(code);
    assert.equal(result.error, '');
    return result;
  }

  /** The workers would compute for ten minutes: a kernel that is soon quiet has stopped them. */
  async function rests(firstMs?: number): Promise<boolean> {
    const isQuiet = (ms: number) => ms <= 50;
    if (firstMs !== undefined && isQuiet(firstMs)) return true;
    return eventually(async () => isQuiet(await kernel.busyMs(500)));
  }

  for (const backend of ['thread', 'process'] as const) {
    test(`${backend}: running and queued work ends, the pool can be used again`, async (t) => {
      await succeeds(`pool = createPool('${backend}', { workers: 2 }); await pool.map([1, 2], burn);`);
      const cell = await kernel.begin(`
        run = pool.map([1, 1, 1, ...Array(17).fill(600_000)], burn, { chunkSize: 1, progress: true });
        const wait = setInterval(() => {
          if (run.record.ok === 3) { clearInterval(wait); console.log('three are done'); }
        }, 5);
        await run;`);
      await cell.printed('three are done');
      assert.ok((await kernel.busyMs(500)) > 60, 'the workers are busy before the interrupt');

      const before = performance.now();
      await kernel.interrupt();
      const result = await cell.done;
      const idleMs = performance.now() - before;
      await sleep(200);
      const busyMs = await kernel.busyMs(500);
      const rested = await rests(busyMs);

      assert.equal(result.status, 'error');
      assert.match(result.error, /InterruptedError/);
      assert.ok(result.error.trim().split('\n').length <= 3, `the error is short:\n${result.error}`);
      assert.doesNotMatch(result.error, /tslab.dist|node_modules/);
      assert.ok(rested, 'the workers go on');
      assert.ok(idleMs < PATIENCE_MS, `the kernel was idle ${idleMs} ms after the interrupt`);
      t.diagnostic(
        `${backend}: idle ${idleMs.toFixed(0)} ms after the interrupt (target 100), then ${busyMs} ms of CPU in 500 ms`,
      );

      const bar = String(result.displays.at(-1)?.data['text/plain']);
      assert.match(bar, /3 of 20.*interrupted/);
      const record = await succeeds('console.log(run.record.status, run.record.ok, run.record.total)');
      assert.equal(record.stdout.trim(), 'interrupted 3 20');
      const again = await succeeds('console.log(JSON.stringify(await pool.map([1, 2, 3], burn)))');
      assert.equal(again.stdout.trim(), '[1,2,3]');
    });
  }

  for (const backend of ['serial', 'async'] as const) {
    test(`${backend}: nothing more begins`, async () => {
      const cell = await kernel.begin(`
        let begun = 0;
        run = createPool('${backend}', { workers: 2 }).map(Array(1000).fill(20), async (ms) => {
          begun++;
          await new Promise((resolve) => setTimeout(resolve, ms));
          return burn(ms);
        });
        setImmediate(() => console.log('begun'));
        await run;`);
      await cell.printed('begun');
      await sleep(100);
      await kernel.interrupt();
      const { error } = await cell.done;
      assert.match(error, /InterruptedError/);
      await sleep(200);
      assert.ok(await rests());
      const { stdout } = await succeeds('console.log(run.record.status)');
      assert.equal(stdout.trim(), 'interrupted');
    });
  }

  test('while the synchronous part of a cell still computes', async () => {
    const cell = await kernel.begin(`
      pool = createPool('thread', { workers: 2 });
      run = pool.map([600_000, 600_000], burn);
      console.log('begun');
      burn(60_000);`);
    await cell.printed('begun');
    await sleep(300);
    await kernel.interrupt();
    assert.equal((await cell.done).status, 'error');
    await sleep(300);
    assert.ok(await rests(), 'the workers go on');
    assert.match((await succeeds('console.log(run.record.status)')).stdout, /interrupted/);
  });

  test(`a storm: ${STORM} interrupts, each followed by a working run`, { timeout: 600_000 }, async () => {
    await succeeds(`
      const pools = [createPool('thread', { workers: 2 }), createPool('process', { workers: 2 })];
      let turn = 0;`);
    for (let round = 0; round < STORM; round++) {
      const cell = await kernel.begin(`
        run = pools[turn++ % 2].map([20, 600_000, 600_000], burn, { chunkSize: 1 });
        setImmediate(() => console.log('begun'));
        await run;`);
      await cell.printed('begun');
      // At any moment: while workers start, while items are on their way, while they compute. Not before the event loop has
      // turned: in the instant in which a cell's synchronous part ends, Node's vm loses the signal (see harness.test.ts).
      await sleep((round * 37) % 200);
      await kernel.interrupt();
      assert.equal((await cell.done).status, 'error');
      const { stdout } = await succeeds(
        'console.log(await pools[0].map([1, 2, 3], burn), await pools[1].map([4, 5], burn));',
      );
      assert.match(stdout, /\[ 1, 2, 3 \] \[ 4, 5 \]/);
    }
    assert.ok(await rests());
    await succeeds('for (const each of pools) await each.close();');
    assert.ok(await eventually(() => kernel.children().length === 0));
  });

  test('in the very first cell that uses a pool', async () => {
    await kernel.restart();
    const cell = await kernel.begin(`
      import { createPool } from 'tslab-parallel';
      const run = createPool('thread', { workers: 1 }).map([1], () => { for (;;); });
      setImmediate(() => console.log('begun'));
      await run;`);
    await cell.printed('begun');
    await sleep(300);
    await kernel.interrupt();
    const { error } = await cell.done;
    assert.match(error, /InterruptedError/);
    assert.ok((await kernel.run('1')).ok);
  });
});
