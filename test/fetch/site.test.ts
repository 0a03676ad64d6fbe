import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { fanOut } from 'tslab-parallel';
import { type Failure, type Site, type SiteOptions, startSite } from 'tslab-parallel/handbook';
import { eventually, isAlive, PATIENCE_MS } from '../harness/processes';

test('the documents’ sites: 160 pages, two hosts in turn, 50 ms, counted', async (t) => {
  const site = await open(t);
  assert.equal(site.urls.length, 160);
  assert.equal(site.hosts.length, 2);
  assert.deepEqual(site.urls.slice(0, 3), [
    `${site.hosts[0]}/page/0`,
    `${site.hosts[1]}/page/1`,
    `${site.hosts[0]}/page/2`,
  ]);
  const times: number[] = [];
  for (const url of site.urls.slice(0, 5)) {
    const startMs = performance.now();
    const response = await fetch(url);
    assert.equal((await response.text()).length, 10_000);
    times.push(performance.now() - startMs);
  }
  assert.ok(times.every((ms) => ms >= 49));
  assert.ok(Math.min(...times) < 5000, `${times}`);
  await Promise.all(site.urls.slice(0, 30).map(async (url) => (await fetch(url)).text()));
  assert.equal((await fetch(`${site.hosts[0]}/page/160`)).status, 404);

  const stats = await site.stats();
  assert.equal(stats.requests, 36);
  assert.equal(stats.served, 35);
  assert.deepEqual(stats.failed, {});
  assert.ok(stats.mostInProgress > 20 && stats.mostInProgress <= 30, `${stats.mostInProgress}`);
  assert.ok(stats.mostConnections >= stats.mostInProgress);
  assert.ok(stats.meanMs >= 49 && stats.meanMs < 5000, `${stats.meanMs}`);
});

test('the same seed gives the same pages, jitter and failures; another seed gives others', async (t) => {
  const look = async (options: SiteOptions) => {
    const site = await open(t, { pages: 30, latencyMs: 0, failures: 0.5, ...options });
    const ways = new Map([...site.failures].map(([url, way]) => [new URL(url).pathname, way]));
    const healthy = site.urls.filter((url) => !site.failures.has(url));
    const bodies = await Promise.all(healthy.map(async (url) => (await fetch(url)).text()));
    return { ways, bodies };
  };
  const [first, again, other] = await Promise.all([look({ seed: 7 }), look({ seed: 7 }), look({ seed: 8 })]);
  assert.equal(first.ways.size, 15);
  assert.equal(new Set(first.ways.values()).size, 15);
  assert.equal(new Set(first.bodies).size, 15, 'no two pages alike');
  assert.deepEqual(first, again);
  assert.notDeepEqual(first.ways, other.ways);
  assert.notDeepEqual(first.bodies, other.bodies);
});

test('failures in the shares asked for, which a page may recover from', async (t) => {
  const site = await open(t, {
    pages: 100,
    latencyMs: 0,
    failures: { unavailable: 0.2, notFound: 0.05 },
    recoversAfter: 2,
  });
  const count = (way: Failure) => [...site.failures.values()].filter((its) => its === way).length;
  assert.deepEqual([count('unavailable'), count('notFound')], [20, 5]);
  const url = [...site.failures].find(([, way]) => way === 'unavailable')![0];
  const statuses: number[] = [];
  for (let at = 0; at < 4; at++) statuses.push((await fetch(url)).status);
  assert.deepEqual(statuses, [503, 503, 200, 200]);
  assert.deepEqual((await site.stats()).failed, { unavailable: 2 });
});

test('jitter stays in its range', async (t) => {
  const site = await open(t, { pages: 40, latencyMs: 20, jitterMs: 60, bytes: 0 });
  await Promise.all(site.urls.map(async (url) => (await fetch(url)).text()));
  const { meanMs } = await site.stats();
  assert.ok(meanMs > 35, `${meanMs}`); // 20 without jitter
});

test('bad options are refused', async () => {
  for (const [options, expected] of [
    [{ pages: -1 }, /pages must be a whole number, 0 or more; got -1/],
    [{ hosts: 0 }, /hosts must be/],
    [{ latencyMs: Number.NaN }, /latencyMs must be/],
    [{ bytes: 1.5 }, /bytes must be/],
    [{ failures: 2 }, /failures must be a share/],
    [{ failures: { explodes: 0.1 } }, /no "explodes"/],
    [{ failures: { reset: -1 } }, /failures\.reset must be/],
    [{ failures: { reset: 0.7, silent: 0.7 } }, /1 or less together/],
    [{ page: 3 }, /no "page"/],
  ] as const) {
    await assert.rejects(startSite(options as SiteOptions), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, expected);
      return true;
    });
  }
});

test('SITES sends the same program to real sites, save where pages are to fail', async (t) => {
  const local = await open(t, { pages: 2, latencyMs: 0 });
  process.env.SITES = `${local.urls[0]}, ${local.urls[1]}`;
  t.after(() => delete process.env.SITES);
  const real = await open(t, { pages: 5 });
  const [first, second] = local.urls;
  assert.deepEqual(real.urls, [first, second, first, second, first]);
  assert.deepEqual(real.hosts, local.urls);
  const pages = await fanOut(real.urls);
  assert.deepEqual(
    pages.map(({ status, bytes }) => [status, bytes]),
    Array(5).fill([200, 10_000]),
  );
  assert.equal((await local.stats()).served, 5);
  await assert.rejects(real.stats(), /Real sites \(SITES\) don't tell/);
  assert.equal(inspect(real), `Site: 5 pages of real sites (SITES)\n${first}, ${second}`);

  const failing = await open(t, { pages: 4, latencyMs: 0, failures: { notFound: 0.5 } });
  assert.equal(failing.failures.size, 2);
  assert.notDeepEqual(failing.hosts, local.hosts);

  for (const wrong of ['jython.org', `${first},`, `ftp://127.0.0.1`]) {
    process.env.SITES = wrong;
    await assert.rejects(startSite(), /SITES must be http or https addresses, separated by commas; got/);
  }
});

test('it shows itself, ends when closed, and says so', async () => {
  const site = await startSite({ pages: 10, hosts: 1, jitterMs: 5, failures: 0.1 });
  assert.match(
    inspect(site),
    /^Site: 10 pages of 10000 bytes on 1 host, 50 to 55 ms each, 1 of them fail\nhttp:\/\/127\.0\.0\.1:\d+$/,
  );
  await site.close();
  await site.close();
  assert.match(inspect(site), /It has ended\.$/);
  await assert.rejects(site.stats(), /The site has ended/);
  await assert.rejects(fetch(site.urls[0]!));
});

/** A program that starts a site, prints the process id of the site and its first address, and then does `more`. */
function program(more: string) {
  const room = JSON.stringify(require.resolve('tslab-parallel/handbook'));
  const node = spawn(process.execPath, [
    '-e',
    `require(${room}).startSite({ pages: 2 }).then(async (site) => {
      const { readdirSync, readFileSync } = require('node:fs');
      const parent = (pid) => { try { return +readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')[1]; } catch {} };
      const pid = readdirSync('/proc').find((name) => parent(name) === process.pid);
      console.log(pid, site.urls[0]);
      ${more}
    });`,
  ]);
  const told = once(node.stdout, 'data').then(([chunk]) => String(chunk).trim().split(' '));
  return { node, told, exited: once(node, 'exit') };
}

test('it keeps no program from ending, and ends with it', async () => {
  const { told, exited } = program('');
  const [pid] = await told;
  const startMs = performance.now();
  assert.deepEqual(await exited, [0, null]);
  assert.ok(performance.now() - startMs < PATIENCE_MS);
  assert.ok(await eventually(() => !isAlive(Number(pid))));
});

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`it ends with a program that ${signal} ends`, async () => {
    const { node, told } = program('setInterval(() => {}, 1000);');
    const [pid, url] = await told;
    assert.equal((await fetch(url!)).status, 200);
    node.kill(signal);
    assert.ok(await eventually(() => !isAlive(Number(pid))));
  });
}

/** A site for one test. */
async function open(t: TestContext, options?: SiteOptions): Promise<Site> {
  const site = await startSite(options);
  t.after(() => site.close());
  return site;
}
