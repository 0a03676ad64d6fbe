/** What was signed once is not good for ever: what an eavesdropper kept and puts back does not run, and is not heard again. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type * as BullMQ from 'bullmq';
import { createPool } from 'tslab-parallel';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { redisServer } from '../harness/requirements';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('freshness', { skip: redisServer().skip, timeout: 120_000 }, () => {
  let redis: RedisServer;
  let queue: BullMQ.Queue;
  const folder = fs.mkdtempSync(join(tmpdir(), 'fresh-'));

  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
    const { Queue } = createRequire(require.resolve('tslab-parallel'))('bullmq') as typeof BullMQ;
    queue = new Queue('tslab', { connection: { port: redis.port }, prefix: 'tslab-parallel' });
  });
  after(async () => {
    await queue.close();
    await redis.stop();
    fs.rmSync(folder, { recursive: true });
  });

  /** Runs items that leave a line each, and keeps what an eavesdropper sees meanwhile. */
  async function overheard(pool: ReturnType<typeof createPool>, marker: string, count: number, ms: number) {
    const jobs = new Map<string, unknown>();
    const run = pool.map(
      numbers(count),
      async (n) => {
        fs.appendFileSync(marker, `${n}\n`);
        await new Promise((resolve) => setTimeout(resolve, ms));
        return n;
      },
      { chunkSize: 1, progress: false },
    );
    let key = '';
    let program = '';
    const listen = async (least: number) => {
      while (jobs.size < least || !program) {
        for (const { id, data } of await queue.getJobs(['waiting', 'active'])) if (id) jobs.set(id, data);
        [key = ''] = redis.ask('keys', '*:run-*').split('\n');
        if (key) program = redis.ask('get', key);
        await sleep(10);
      }
    };
    await listen(4);
    return { run, jobs, key, program, listen };
  }
  const lines = (marker: string) => fs.readFileSync(marker, 'utf8').trim().split('\n').map(Number);
  async function putBack(jobs: Map<string, unknown>): Promise<void> {
    await queue.addBulk(
      [...jobs].map(([jobId, data]) => ({ name: 'batch', data, opts: { jobId, removeOnComplete: true } })),
    );
  }
  async function untilEmpty(): Promise<void> {
    while ((await queue.getJobCountByTypes('waiting', 'active')) > 0) await sleep(50);
  }

  test('a run that is over does not run again: not here, not on another machine, not without its kernel', async () => {
    const first = new WorkerProcess(redis.url);
    await first.up();
    const pool = createPool('cluster');
    const marker = join(folder, 'over');
    const { run, jobs, key, program } = await overheard(pool, marker, 12, 50);
    await run;
    const restore = async () => {
      redis.ask('set', key, program);
      await putBack(jobs);
      await untilEmpty();
    };
    await restore();
    await first.says(/refused job .*: it has been there before/);
    const second = new WorkerProcess(redis.url);
    await second.up();
    await first.end('SIGTERM');
    await restore();
    await second.says(/refused job .*: it has been there before/);
    await pool.close();
    await restore();
    assert.deepEqual(
      lines(marker).sort((a, b) => a - b),
      numbers(12),
    );
    assert.equal((await queue.getJobCounts('waiting', 'active')).waiting, 0);
    redis.ask('del', key);
    await second.end('SIGTERM');
  });

  test('in mid-run what is done does not run again, whatever is deleted', async () => {
    const machines = [
      new WorkerProcess(redis.url, { workers: 1 }),
      new WorkerProcess(redis.url, { workers: 1 }),
    ];
    for (const machine of machines) await machine.up();
    const pool = createPool('cluster');
    const marker = join(folder, 'mid');
    const { run, jobs, listen } = await overheard(pool, marker, 60, 50);
    await listen(10);
    const done = new Map<string, unknown>();
    while (done.size < 6) {
      for (const [id, data] of jobs) if (!(await queue.getJob(id))) done.set(id, data);
      await sleep(10);
    }
    await sleep(100);
    for (const doneKey of redis.ask('keys', '*:done-*').split('\n')) if (doneKey) redis.ask('del', doneKey);
    await putBack(done);
    assert.deepEqual(await run, numbers(60));
    await untilEmpty();
    assert.deepEqual(
      lines(marker).sort((a, b) => a - b),
      numbers(60),
    );
    assert.match(machines.map(({ output }) => output).join(''), /refused job .*: it has been there before/);
    await pool.close();
    for (const machine of machines) await machine.end('SIGTERM');
  });

  test('seals are short', async () => {
    const machine = new WorkerProcess(redis.url);
    await machine.up();
    const pool = createPool('cluster');
    const { run, jobs, program } = await overheard(pool, join(folder, 'short'), 8, 50);
    await run;
    for (const sealed of [JSON.parse(program), ...jobs.values()]) {
      assert.ok(sealed.expires - Date.now() < 180_000, `${sealed.expires - Date.now()} ms`);
    }
    await pool.close();
    await machine.end('SIGTERM');
  });

  test('a replayed note is printed once', async () => {
    const machine = new WorkerProcess(redis.url, { workers: 1 });
    await machine.up();
    const pool = createPool('cluster');
    const said: string[] = [];
    const { stdout, stderr } = process;
    const writes = [stdout.write, stderr.write] as const;
    stdout.write = ((text: string) => said.push(text) > 0) as typeof stdout.write;
    stderr.write = stdout.write as typeof stderr.write;
    try {
      const run = pool.map(
        [1],
        async (n) => {
          console.log('printed over there');
          await new Promise((resolve) => setTimeout(resolve, 1500));
          return n;
        },
        { progress: false },
      );
      const began = Date.now();
      const events = 'tslab-parallel:tslab:events';
      let note: string[] | undefined;
      while (!note) {
        await sleep(20);
        const stream = redis.ask('--json', 'xrange', events, `${began - 50}`, '+');
        const entries = JSON.parse(stream) as [string, string[]][];
        note = entries.map(([, fields]) => fields).find((fields) => fields.includes('progress'));
      }
      for (let n = 0; n < 3; n++) redis.ask('xadd', events, '*', ...note);
      await run;
    } finally {
      [stdout.write, stderr.write] = writes;
    }
    assert.equal(said.join('').split('printed over there').length - 1, 1);
    assert.match(said.join(''), /refused a note from a worker: it has been there before/);
    await pool.close();
    await machine.end('SIGTERM');
  });

  test('the Redis user that README describes is enough', async () => {
    const readme = fs.readFileSync(join(__dirname, '../../../README.md'), 'utf8');
    const rules = [
      ...(/The user needs BullMQ's scripts.*?\. /s.exec(readme)?.[0] ?? '').matchAll(/`(.*?)`/g),
    ];
    assert.equal(rules.length, 3);
    redis.ask('acl', 'setuser', 'lab', 'on', '>word', ...rules.flatMap(([, rule]) => rule!.split(' ')));
    const url = redis.url.replace('//', '//lab:word@');
    const machine = new WorkerProcess(url);
    await machine.up();
    const pool = createPool('cluster', { redis: url, workers: 2 });
    await pool.ready();
    const squares = pool.map(numbers(20), (n) => n * n, { chunkSize: 1 });
    assert.deepEqual(
      await squares,
      numbers(20).map((n) => n * n),
    );
    await pool.close();
    await machine.end('SIGTERM');
    assert.doesNotMatch(machine.output, /NOPERM/);
    redis.ask('acl', 'deluser', 'lab');
  });

  test('clocks of machines may differ by minutes', async () => {
    const shift = join(folder, 'shift.js');
    fs.writeFileSync(
      shift,
      `const late = Number(process.env.LATE_MS), { now } = Date; Date.now = () => now() + late;`,
    );
    const machines = [-300_000, 300_000].map(
      (late) =>
        new WorkerProcess(redis.url, {
          workers: 1,
          env: { NODE_OPTIONS: `--require ${shift}`, LATE_MS: `${late}` },
        }),
    );
    for (const machine of machines) await machine.up();
    const pool = createPool('cluster', { workers: 2 });
    await pool.ready();
    const run = pool.map(numbers(20), (n) => new Promise((resolve) => setTimeout(() => resolve(n), 50)), {
      chunkSize: 1,
    });
    assert.deepEqual(await run, numbers(20));
    assert.equal(new Set([...run.record.spans].map(({ lane }) => lane)).size, 2);
    assert.doesNotMatch(machines.map(({ output }) => output).join(''), /refused/);
    await pool.close();
    for (const machine of machines) await machine.end('SIGTERM');
  });
});
