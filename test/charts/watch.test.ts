/** Real watching: what is drawn was really measured. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopDelay, memory, watchLoopDelay, watchMemory } from 'tslab-parallel/handbook';

const KERNEL = 'kernel with its threads';

test('a blocked event loop is seen where and as long as it was blocked', async () => {
  const watch = watchLoopDelay();
  await sleep(60);
  const from = watch.wallMs;
  for (const end = performance.now() + 120; performance.now() < end; );
  const until = watch.wallMs;
  await sleep(60);
  const samples = watch.stop();
  const seen = samples.series['event loop']!;
  const [at, longest] = seen.reduce((most, sample) => (sample[1] > most[1] ? sample : most));
  assert.ok(longest > 110, `${longest} ms`);
  // The looks are 5 ms apart: the last one before was up to 5 ms earlier.
  assert.ok(
    at - longest < from + 6 && at >= until,
    `${at - longest} to ${at} ms instead of ${from} to ${until}`,
  );
  const middle = seen.map(([, ms]) => ms).sort((a, b) => a - b)[seen.length >> 1]!;
  assert.ok(middle < longest / 4, `${middle} ms where nothing happened`);
  assert.match(loopDelay(samples).description, /Longest \d{3} ms/);
  assert.deepEqual(watch.stop(), samples, 'stopping again changes nothing');
  assert.deepEqual(loopDelay(JSON.parse(JSON.stringify(samples))).spec, loopDelay(watch).spec);
});

test('a watch that nobody stops keeps no process alive', async () => {
  const child = spawn(process.execPath, [
    '-e',
    "const { watchLoopDelay, watchMemory } = require('tslab-parallel/handbook'); watchLoopDelay(); watchMemory();",
  ]);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('memory that is taken is seen, and that of a child process', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async () => {
  const watch = watchMemory({ everyMs: 10 });
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  const seen = () => watch.series[`process ${child.pid}`]?.at(-1)?.[1] ?? 0;
  for (const giveUp = performance.now() + 20_000; seen() < 20 * 2 ** 20 && performance.now() < giveUp; ) {
    await sleep(20);
  }
  const taken = Buffer.alloc(80 * 2 ** 20, 1);
  for (const looks = watch.series[KERNEL]!.length + 3; watch.series[KERNEL]!.length < looks; )
    await sleep(20);
  child.kill();
  await once(child, 'exit');
  const { series } = watch.stop();
  const kernel = series[KERNEL]!;
  const growth = Math.max(...kernel.map(([, bytes]) => bytes)) - kernel[0]![1];
  assert.ok(growth > 0.8 * taken.length, `${growth} bytes more`);
  const other = series[`process ${child.pid}`]!;
  assert.ok(other.length > 3 && other.at(-1)![1] > 20 * 2 ** 20, `${other.length} looks at the child`);
  assert.match(memory(watch).description, new RegExp(`process ${child.pid} [\\d.]+ MB`));
});

test('a time between looks that makes no sense is refused', () => {
  for (const everyMs of [0, -1, Number.NaN, 1e9, '5']) {
    assert.throws(
      () => watchLoopDelay({ everyMs: everyMs as number }),
      /everyMs is a number of milliseconds from 1 to 60,000; got/,
    );
    assert.throws(() => watchMemory({ everyMs: everyMs as number }), /watchMemory\(\)'s everyMs/);
  }
});
