/** Nobody else's code: what is not signed for this very purpose is refused, before anything of it is read. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serialize } from 'node:v8';
import type * as BullMQ from 'bullmq';
import { ClusterError, createPool } from 'tslab-parallel';
import { Refusal, Seal, type Sealed, VERSION } from '#src/cluster/seal';
import { freePort, RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { redisServer } from '../harness/requirements';

/** Forged jobs: few on a reader's machine, a thousand in the gate. */
const FORGERIES = Number(process.env.FORGERIES ?? 100);

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const seal = (secret = SECRET, name = 'tslab') => new Seal(Buffer.from(secret), name);
const refusal = (reason: string) => (error: unknown) => error instanceof Refusal && error.reason === reason;

test('what is sealed comes out as it went in; anything changed is refused', () => {
  const body = Buffer.from('a body');
  const sealed = seal().close('batch', 'run', 'id', body, 1000);
  const of = { kind: 'batch', run: 'run', id: 'id' } as const;
  assert.deepEqual(seal().open(JSON.parse(JSON.stringify(sealed)), of), body);
  for (const [key, value] of Object.entries(sealed)) {
    const altered = { ...sealed, [key]: typeof value === 'number' ? value + 1 : `${value.slice(1)}A` };
    assert.throws(() => seal().open(altered, of), refusal('altered'), key);
    const { [key as keyof Sealed]: _, ...less } = sealed;
    assert.throws(() => seal().open(less, of), refusal('unsigned'), key);
  }
  for (const nothing of [null, undefined, 1, 'text', [], {}]) {
    assert.throws(() => seal().open(nothing, of), refusal('unsigned'));
  }
  assert.throws(() => seal(`${SECRET}!`).open(sealed, of), refusal('altered'));
  assert.throws(() => seal(SECRET, 'other').open(sealed, of), refusal('foreign'));
  assert.throws(() => seal().open(sealed, { ...of, kind: 'result' }), refusal('foreign'));
  assert.throws(() => seal().open(sealed, { ...of, run: 'another' }), refusal('foreign'));
  assert.throws(() => seal().open(sealed, { ...of, id: 'another' }), refusal('foreign'));
  assert.throws(() => seal().open(seal().close('batch', 'run', 'id', body, -60_000), of), refusal('expired'));
});

/** As another version of the package seals: rightly, and for this very purpose. */
function ofVersion(version: number, { mac: _, ...sealed }: Sealed): Sealed {
  const { kind, name, run, id, expires, body } = sealed;
  const head = JSON.stringify([version, kind, name, run, id, expires]);
  const mac = createHmac('sha256', SECRET).update(`${head}\n`).update(body).digest('base64');
  return { ...sealed, version, mac };
}

test('what another version sealed is refused by name', () => {
  const sealed = seal().close('batch', 'run', 'id', Buffer.from('a body'), 1000);
  const of = { kind: 'batch', run: 'run', id: 'id' } as const;
  assert.equal(String(seal().open(ofVersion(VERSION, sealed), of)), 'a body');
  for (const version of [VERSION - 1, VERSION + 1]) {
    assert.throws(() => seal().open(ofVersion(version, sealed), of), refusal('version'));
  }
});

test('without a secret, or with a short one, neither side starts', () => {
  const cli = require.resolve('#src/cli/index');
  const { TSLAB_PARALLEL_SECRET: _, TSLAB_PARALLEL_SECRET_FILE: __, ...env } = process.env;
  const start = (more: object) =>
    spawnSync(process.execPath, [cli, 'worker', '--redis', 'redis://localhost:1'], {
      env: { ...env, ...more },
      encoding: 'utf8',
    });
  const folder = mkdtempSync(join(tmpdir(), 'secret-'));
  const open = join(folder, 'cluster.secret');
  writeFileSync(open, randomBytes(32).toString('hex'), { mode: 0o644 });
  for (const [more, words] of [
    [{}, /needs a secret.*neither.*TSLAB_PARALLEL_SECRET nor a file.*openssl rand/s],
    [{ TSLAB_PARALLEL_SECRET: 'short' }, /has 5 bytes, it needs at least 32/],
    [{ TSLAB_PARALLEL_SECRET_FILE: '/no/such/file' }, /can't be read: ENOENT/],
    [{ TSLAB_PARALLEL_SECRET: 'a'.repeat(64) }, /only 1 different character/],
    [{ TSLAB_PARALLEL_SECRET: '01'.repeat(32) }, /only 2 different characters/],
    [{ TSLAB_PARALLEL_SECRET_FILE: open }, /can be read by other users of this machine: chmod 600/],
  ] as const) {
    const { status, stderr } = start(more);
    assert.equal(status, 1);
    assert.match(stderr, words);
    delete process.env.TSLAB_PARALLEL_SECRET;
    Object.assign(process.env, more);
    assert.throws(
      () => createPool('cluster'),
      (error) => error instanceof ClusterError && words.test(error.message),
    );
    delete process.env.TSLAB_PARALLEL_SECRET_FILE;
  }
});

test('without BullMQ the sentence says what to install', () => {
  const folder = mkdtempSync(join(tmpdir(), 'no-bullmq-'));
  try {
    // As where it isn't installed: its name leads nowhere.
    const source = `
      const Module = require('node:module');
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => resolve(name === 'bullmq' ? 'bullmq-is-not-here' : name, ...rest);
      const { createPool } = require(${JSON.stringify(require.resolve('tslab-parallel'))});
      createPool('thread').map([1], (n) => n).then(([n]) => {
        try { createPool('cluster'); } catch (error) { console.log(n, error.message); }
      });`;
    const env = { ...process.env, TSLAB_PARALLEL_SECRET: SECRET };
    const said = execFileSync(process.execPath, ['-e', source], { cwd: folder, env, encoding: 'utf8' });
    assert.match(
      said,
      /^1 A cluster runs on BullMQ, which is not installed here: npm install bullmq ioredis/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('forgeries', { skip: redisServer().skip }, () => {
  let redis: RedisServer;
  let machine: WorkerProcess;
  let queue: BullMQ.Queue;
  const folder = mkdtempSync(join(tmpdir(), 'forged-'));

  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
    machine = new WorkerProcess(redis.url);
    await machine.up();
    const { Queue } = createRequire(require.resolve('tslab-parallel'))('bullmq') as typeof BullMQ;
    queue = new Queue('tslab', { connection: { port: redis.port }, prefix: 'tslab-parallel' });
    queue.on('error', () => {});
  });
  after(async () => {
    await queue.close();
    await machine.end('SIGTERM');
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test(`${FORGERIES} forged jobs of every kind: none runs, all are counted`, {
    timeout: 120_000,
  }, async () => {
    // A real run, that goes on meanwhile: its jobs are there to be copied.
    const pool = createPool('cluster');
    const marker = join(folder, 'ran');
    const fs = await import('node:fs');
    const run = pool.map(
      Array.from({ length: 40 }, (_, n) => n),
      async (n) => {
        fs.appendFileSync(marker, `${n}\n`);
        await new Promise((resolve) => setTimeout(resolve, 150));
        return n;
      },
      { chunkSize: 1, progress: false },
    );
    const seen: { id: string; data: Sealed }[] = [];
    while (seen.length < 16) {
      for (const job of await queue.getJobs(['waiting', 'active'])) {
        if (job?.id && !seen.some(({ id }) => id === job.id)) seen.push({ id: job.id, data: job.data });
      }
      await sleep(20);
    }
    await sleep(400);
    const [{ id, data }] = seen as [{ id: string; data: Sealed }];
    const evil = serialize({
      order: { items: [1] },
      code: `require('fs').writeFileSync('${marker}-evil', '')`,
    });
    const forge: Record<string, (n: number) => { data: unknown; jobId?: string }> = {
      unsigned: () => ({ data: { ...data, mac: undefined } }),
      nonsense: (n) => ({ data: { evil: `process.exit(${n})` } }),
      altered: (n) => ({ data: { ...data, body: evil.toString('base64'), id: `x-${n}` }, jobId: `x-${n}` }),
      'altered, same id': () => ({ data: { ...data, body: evil.toString('base64') }, jobId: `${id}` }),
      'another secret': (n) => ({
        data: seal('x'.repeat(40)).close('batch', data.run, `y-${n}`, evil, 1000),
        jobId: `y-${n}`,
      }),
      'another queue': (n) => ({
        data: seal(SECRET, 'other').close('batch', data.run, `z-${n}`, evil, 1000),
        jobId: `z-${n}`,
      }),
      'another purpose': (n) => ({
        data: seal().close('result', data.run, `w-${n}`, evil, 1000),
        jobId: `w-${n}`,
      }),
      expired: (n) => ({ data: seal().close('batch', data.run, `v-${n}`, evil, -60_000), jobId: `v-${n}` }),
      'replayed under another id': (n) => ({ data, jobId: `u-${n}` }),
      // BullMQ takes no second job with an id it has: each of them once.
      replayed: (n) => {
        const one = seen[1 + (((n / 10) >> 0) % (seen.length - 5))]!;
        return { data: one.data, jobId: one.id };
      },
    };
    const kinds = Object.entries(forge);
    let added = 0;
    for (let n = 0; n < FORGERIES; n++) {
      const [, make] = kinds[n % kinds.length]!;
      const { data: forged, jobId } = make(n);
      await queue.add('batch', forged, { jobId });
      added++;
    }
    assert.deepEqual(
      await run,
      Array.from({ length: 40 }, (_, n) => n),
    );
    // And a program that was put in place of a real one.
    const items = fs.readFileSync(marker, 'utf8').trim().split('\n');
    assert.deepEqual(
      items.map(Number).sort((a, b) => a - b),
      await run,
    );
    assert.ok(!fs.existsSync(`${marker}-evil`));
    await pool.close();
    await machine.end('SIGTERM');
    const counted = [...machine.output.matchAll(/refused so far: (.*)/g)].at(-1)?.[1] ?? '';
    const total = [...counted.matchAll(/(\d+) /g)].reduce((sum, [, count]) => sum + Number(count), 0);
    // Two with the same id, one waiting, count for one: BullMQ takes no second job with an id it has.
    assert.ok(total > 0.75 * added && total <= added, `${counted} of ${added}`);
    for (const reason of ['unsigned', 'altered', 'foreign', 'expired', 'replayed']) {
      assert.match(counted, new RegExp(`\\d+ ${reason}`));
    }
    assert.match(machine.output, /refused job .*: it is not signed/);
    machine = new WorkerProcess(redis.url);
    await machine.up();
  });

  test('a program that was exchanged in Redis is not read', async () => {
    const pool = createPool('cluster');
    const evil = join(folder, 'exchanged');
    const run = pool.map([1, 2, 3, 4], (n) => new Promise((resolve) => setTimeout(() => resolve(n), 200)));
    let key = '';
    while (!key) {
      await sleep(5);
      [key = ''] = redis.ask('keys', '*:run-*').split('\n');
    }
    const program = JSON.parse(redis.ask('get', key));
    redis.ask(
      'set',
      key,
      JSON.stringify({ ...program, body: Buffer.from(evil).toString('base64') }),
      'KEEPTTL',
    );
    // Whether the machine had read the right one before or not: nothing but the right one runs.
    setTimeout(() => redis.ask('set', key, JSON.stringify(program), 'KEEPTTL'), 500);
    assert.deepEqual(await run, [1, 2, 3, 4]);
    await pool.close();
  });

  test('forged answers change nothing', async () => {
    const pool = createPool('cluster');
    const said: string[] = [];
    const write = process.stderr.write;
    process.stderr.write = ((text: string) => said.push(text) > 0) as typeof write;
    const run = pool.map(
      [1, 2, 3, 4, 5, 6],
      (n) => new Promise((resolve) => setTimeout(() => resolve(n), 300)),
    );
    const events = 'tslab-parallel:tslab:events';
    const forged = new Set<string>();
    while (forged.size < 4) {
      await sleep(5);
      for (const { id, data } of await queue.getJobs(['waiting', 'active'])) {
        if (!id || forged.has(id)) continue;
        forged.add(id);
        const evil = serialize({ lane: '', clockMs: 0, startMs: 0, asides: [], end: { how: 'gone' } });
        for (const value of [
          { ...data, kind: 'result' },
          seal('x'.repeat(40)).close('result', data.run, id, evil, 1000),
          seal().close('result', data.run, 'another', evil, 1000),
        ]) {
          const text = JSON.stringify(value);
          redis.ask('xadd', events, '*', 'event', 'completed', 'jobId', id, 'returnvalue', text);
          redis.ask('xadd', events, '*', 'event', 'progress', 'jobId', id, 'data', text);
        }
      }
    }
    assert.deepEqual(await run, [1, 2, 3, 4, 5, 6]);
    process.stderr.write = write;
    assert.equal(run.record.ok, 6);
    assert.match(
      said.join(''),
      /Cluster "tslab": refused an answer: it was altered, or signed with another secret/,
    );
    await pool.close();
  });

  test('workers with another secret: said, and nothing runs', { timeout: 30_000 }, async () => {
    const other = new WorkerProcess(redis.url, {
      name: 'strangers',
      secret: 'another secret, and long enough too',
    });
    await other.up();
    const pool = createPool('cluster', { name: 'strangers' });
    const said: string[] = [];
    const write = process.stderr.write;
    process.stderr.write = ((text: string) => said.push(text) > 0) as typeof write;
    const run = pool.map([1], (n) => n);
    for (let tries = 0; tries < 80 && said.length === 0; tries++) await sleep(100);
    process.stderr.write = write;
    run.cancel();
    await assert.rejects(run);
    assert.match(
      said.join(''),
      /No worker of "strangers" is there, waiting for one \(with the same secret\)/,
    );
    await pool.close();
    await other.end('SIGTERM');
  });
});

test('rediss:// with the certificate checked', { skip: redisServer().skip, timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const file = (name: string) => join(folder, name);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', file('key'), '-out', file('cert')],
    ],
    { stdio: 'ignore' },
  );
  const tlsPort = await freePort();
  const redis = await RedisServer.start([
    ...['--tls-port', String(tlsPort), '--tls-cert-file', file('cert'), '--tls-key-file', file('key')],
    ...['--tls-auth-clients', 'no', '--tls-ca-cert-file', file('cert')],
  ]);
  const url = `rediss://localhost:${tlsPort}`;
  const env = { NODE_EXTRA_CA_CERTS: file('cert') };
  try {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    const pool = createPool('cluster', { redis: url });
    await assert.rejects(
      pool.map([1], (n) => n),
      /Redis at rediss:\/\/localhost:\d+ can't be used: .*self-signed certificate/,
    );
    await pool.close();
    const refusing = new WorkerProcess(url);
    await refusing.says(/self-signed certificate/);
    await refusing.end();
    const worker = new WorkerProcess(url, { env });
    await worker.up();
    const source = `
      const { createPool } = require(${JSON.stringify(require.resolve('tslab-parallel'))});
      createPool('cluster').map([1, 2], (n) => n * n).then((squares) => console.log(squares.join()));`;
    const said = execFileSync(process.execPath, ['-e', source], {
      env: { ...process.env, ...env, REDIS_URL: url },
      encoding: 'utf8',
    });
    assert.equal(said, '1,4\n');
    await worker.end();
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
