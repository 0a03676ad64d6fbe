/** Whatever order items finish, fail, crash or are cancelled in: each settles exactly once, with its own outcome. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPool } from 'tslab-parallel';

/** How many programs are tried on each backend: few on a reader's machine, more in the gate. */
const RUNS = Number(process.env.SCHEDULING_RUNS ?? 12);

type Fate = 'value' | 'wait' | 'throw' | 'reject' | 'exit';

function live({ fate, ms, index }: { fate: Fate; ms: number; index: number }): unknown {
  if (fate === 'throw') throw new Error(`thrown ${index}`);
  if (fate === 'exit') process.exit(1);
  if (fate === 'value') return index;
  return new Promise((resolve, reject) =>
    setTimeout(() => (fate === 'wait' ? resolve(index) : reject(new Error(`rejected ${index}`))), ms),
  );
}

for (const backend of ['serial', 'async', 'thread', 'process'] as const) {
  test(`any order of finishing, failing, crashing and cancelling: ${backend}`, async () => {
    const canCrash = backend === 'thread' || backend === 'process';
    // Crashes cost a start each, so they are rare.
    const fates = fc.oneof(
      { weight: 8, arbitrary: fc.constant<Fate>('value') },
      { weight: 4, arbitrary: fc.constant<Fate>('wait') },
      { weight: 1, arbitrary: fc.constant<Fate>('throw') },
      { weight: 1, arbitrary: fc.constant<Fate>('reject') },
      ...(canCrash ? [{ weight: 1, arbitrary: fc.constant<Fate>('exit') }] : []),
    );
    const program = fc.record({
      items: fc.array(fc.record({ fate: fates, ms: fc.integer({ min: 0, max: 8 }) }), { maxLength: 25 }),
      workers: fc.integer({ min: 1, max: 3 }),
      concurrency: fc.integer({ min: 1, max: 3 }),
      chunkSize: fc.constantFrom<number | 'auto'>('auto', 1, 4),
      cancelAfterMs: fc.option(fc.integer({ min: 0, max: 60 }), { freq: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(program, async ({ items, workers, concurrency, chunkSize, cancelAfterMs }) => {
        const pool = createPool(backend, { workers, concurrency });
        const input = items.map((item, index) => ({ ...item, index }));
        const run = pool.map(input, live, { onError: 'collect', chunkSize });
        const seen: number[] = [];
        const reading = (async () => {
          for await (const { index } of run.completed()) seen.push(index);
        })().catch(() => {});
        const timer = cancelAfterMs === null ? undefined : setTimeout(() => run.cancel(), cancelAfterMs);
        const results = await run.catch(() => undefined);
        clearTimeout(timer);
        await reading;
        await pool.close();
        assert.equal(new Set(seen).size, seen.length, 'an item was handed out twice');
        const { ok, failed, cancelled, status } = run.record;
        assert.equal(ok + failed + cancelled, input.length);
        if (results === undefined) {
          assert.equal(status, 'cancelled');
          return;
        }
        assert.equal(seen.length, input.length);
        for (const [index, result] of results.entries()) {
          const { fate } = input[index]!;
          if (fate === 'value' || fate === 'wait') {
            assert.deepEqual(result, { status: 'fulfilled', value: index });
          } else {
            assert.ok(result.status === 'rejected');
            const { name, message, index: named } = result.reason;
            assert.equal(named, index);
            if (fate === 'exit') assert.equal(name, 'WorkerLostError');
            else assert.equal(message, `${fate === 'throw' ? 'thrown' : 'rejected'} ${index}`);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
}
