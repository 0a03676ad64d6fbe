/** 10,000 requests against a site that fails one in ten, in every way it knows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fanOut, RequestError } from 'tslab-parallel';
import { type SiteOptions, startSite } from 'tslab-parallel/handbook';
import { pageBody } from '#src/handbook/site/page';

test('10,000 requests, one in ten fails: all settled, successes intact to the byte, no socket left', async (t) => {
  const options: SiteOptions = { pages: 10_000, hosts: 2, latencyMs: 0, bytes: 2000, failures: 0.1 };
  const site = await startSite(options);
  t.after(() => site.close());
  assert.equal(site.failures.size, 1000);

  const run = fanOut(site.urls, {
    concurrency: 250,
    retries: 0,
    headersTimeoutMs: 6000,
    timeoutMs: 8000,
    maxBytes: 200_000,
    as: 'bytes',
    onError: 'collect',
  });
  const results = await run;
  assert.equal(results.length, 10_000);
  const seen: Record<string, Set<string>> = {};
  for (const [page, result] of results.entries()) {
    const url = site.urls[page]!;
    const failure = site.failures.get(url);
    if (failure === undefined) {
      assert.ok(result.status === 'fulfilled', `${url}: ${result.status === 'rejected' && result.reason}`);
      const expected = pageBody(page, { ...options, seed: 1 } as Required<SiteOptions>);
      assert.ok(expected.equals(result.value.body), `page ${page} is not intact`);
    } else {
      seen[failure] ??= new Set();
      if (result.status === 'fulfilled') seen[failure].add(String(result.value.status));
      else {
        assert.ok(result.reason instanceof RequestError, String(result.reason));
        seen[failure].add(result.reason.code);
      }
    }
  }
  // Each way to fail is always told by the same code.
  assert.equal(Object.keys(seen).length, 15);
  for (const [failure, codes] of Object.entries(seen))
    assert.equal(codes.size, 1, `${failure}: ${[...codes]}`);
  assert.equal(run.record.ok + run.record.failed, 10_000);

  // Idle connections leave after a few seconds; nothing else is open.
  let stats = await site.stats();
  for (let at = 0; at < 100 && stats.connections > 0; at++) {
    await sleep(100);
    stats = await site.stats();
  }
  assert.deepEqual([stats.connections, stats.inProgress], [0, 0]);
  assert.ok(stats.mostInProgress <= 250);
});
