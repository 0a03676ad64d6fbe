/** Several machines: workers that the network is between, what they lack, how they come and go. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createPool } from 'tslab-parallel';
import { RedisServer, SECRET, WorkerProcess } from '../harness/cluster';
import { redisServer } from '../harness/requirements';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const machinesOf = (lanes: Iterable<string>) => new Set([...lanes].map((lane) => lane.replace(/\/\d+$/, '')));

describe('machines', { skip: redisServer().skip }, () => {
  let redis: RedisServer;
  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
  });
  after(() => redis.stop());

  test('lanes are host, process and worker; more machines may come in mid-run', async () => {
    const first = new WorkerProcess(redis.url, { workers: 1 });
    const pool = createPool('cluster');
    const run = pool.map(numbers(60), async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return n;
    });
    await first.up();
    await sleep(300);
    const second = new WorkerProcess(redis.url, { workers: 2 });
    await run;
    const lanes = [...run.record.spans].map(({ lane }) => lane);
    assert.ok(
      lanes.every((lane) => /^[^/]+\/\d+\/[12]$/.test(lane)),
      lanes.join(' '),
    );
    assert.equal(machinesOf(lanes).size, 2);
    assert.equal(run.record.workers, 3);
    assert.equal(pool.workers, 3);
    assert.match(first.output, /run "run" begins here[\s\S]*/);
    // SIGTERM: what was begun is finished, nothing is lost, and it says good-bye.
    const more = pool.map(numbers(40), async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return n;
    });
    await sleep(300);
    await second.end('SIGTERM');
    assert.deepEqual(await more, numbers(40));
    assert.match(second.output, /finishing what was begun[\s\S]*batches done, good-bye/);
    assert.ok([...more.record.spans].every(({ status }) => status === 'ok'));
    await pool.close();
    await first.end('SIGTERM');
  });

  test('at most as many workers as were asked for', async () => {
    const machine = new WorkerProcess(redis.url, { workers: 3 });
    await machine.up();
    const pool = createPool('cluster', { workers: 1 });
    const run = pool.map(numbers(6), () => new Promise((resolve) => setTimeout(resolve, 30)), {
      chunkSize: 1,
    });
    await run;
    const spans = [...run.record.spans].sort((a, b) => a.startMs - b.startMs);
    for (const [at, span] of spans.entries()) {
      assert.ok(at === 0 || span.startMs >= spans[at - 1]!.endMs, 'two at once');
    }
    await pool.close();
    await machine.end('SIGTERM');
  });

  test('items that wait share a worker, as many as concurrency says', async () => {
    const machine = new WorkerProcess(redis.url, { workers: 1 });
    await machine.up();
    const pool = createPool('cluster', { concurrency: 4 });
    await pool.ready();
    const run = pool.map(numbers(8), () => new Promise((resolve) => setTimeout(resolve, 300)), {
      chunkSize: 1,
    });
    await run;
    const sorted = [...run.record.spans].sort((a, b) => a.startMs - b.startMs);
    assert.ok(
      sorted.some((span, at) => at > 0 && span.startMs < sorted[at - 1]!.endMs),
      'never two at once',
    );
    await pool.close();
    await machine.end('SIGTERM');
  });

  test('imports are resolved on the machine; what it lacks is named before anything runs', async () => {
    // A package that is here and not there: a folder of its own with that package in it.
    const folder = mkdtempSync(join(tmpdir(), 'machine-'));
    const here = join(folder, 'here');
    const there = join(folder, 'there');
    mkdirSync(join(here, 'node_modules', 'only-here'), { recursive: true });
    mkdirSync(there);
    writeFileSync(
      join(here, 'node_modules', 'only-here', 'package.json'),
      '{"name":"only-here","main":"index.js"}',
    );
    writeFileSync(join(here, 'node_modules', 'only-here', 'index.js'), 'exports.twice = (n) => 2 * n;');
    const machine = new WorkerProcess(redis.url, { cwd: there });
    await machine.up();
    const folderBefore = process.cwd();
    process.chdir(here);
    const { twice } = createRequire(join(here, 'notebook.js'))('only-here') as { twice(n: number): number };
    const pool = createPool('cluster');
    let began = 0;
    const run = pool.map(
      (function* () {
        began++;
        yield 1;
      })(),
      (n) => twice(n),
    );
    await assert.rejects(
      run,
      /The machine \S+ has no "only-here", which the function imports: install it there, in \S+there/,
    );
    assert.equal(began, 0);
    await machine.end('SIGTERM');
    const other = new WorkerProcess(redis.url, { cwd: here });
    await other.up();
    assert.deepEqual(await pool.map([1, 2], (n) => twice(n)), [2, 4]);
    await other.end('SIGTERM');
    await pool.close();
    process.chdir(folderBefore);
    rmSync(folder, { recursive: true });
  });

  test('the command says what is wrong with its arguments', () => {
    const cli = require.resolve('#src/cli/index');
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [cli, 'worker', ...args], { encoding: 'utf8', env: process.env });
    assert.match(
      run('--redis', 'localhost').stderr,
      /--redis needs an address like redis:\/\/localhost:6379, got localhost/,
    );
    assert.match(run('--workers', 'two').stderr, /--workers needs a whole number, 1 or more, got two/);
    assert.match(run('--name', 'a:b').stderr, /--name takes letters/);
    assert.match(run('--wrong').stderr, /Unknown option '--wrong'[\s\S]*worker \[--redis URL\]/);
    const help = run('--help');
    assert.equal(help.status, 0);
    assert.match(help.stdout, /worker \[--redis URL\]/);
  });
});

/** Machines of a sort: network namespaces on a bridge. */
class Network {
  readonly id = `tp${process.pid % 100_000}`;
  readonly net = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`;
  readonly names: string[] = [];

  constructor(count: number) {
    sh(`ip link add ${this.id} type bridge`);
    sh(`ip addr add ${this.net}.1/24 dev ${this.id}`);
    sh(`ip link set ${this.id} up`);
    for (let n = 1; n <= count; n++) {
      const name = `${this.id}-${n}`;
      this.names.push(name);
      sh(`ip netns add ${name}`);
      sh(`ip link add ${name} type veth peer name eth0 netns ${name}`);
      sh(`ip link set ${name} master ${this.id} up`);
      sh(`ip -n ${name} addr add ${this.net}.${n + 1}/24 dev eth0`);
      sh(`ip -n ${name} link set eth0 up`);
      sh(`ip -n ${name} link set lo up`);
    }
  }

  /** The cable is out. */
  cut(name: string): void {
    sh(`ip link set ${name} down`);
  }

  mend(name: string): void {
    sh(`ip link set ${name} up`);
  }

  static isPermitted(): boolean {
    const network = `tp-try-${process.pid}`;
    try {
      sh(`ip netns add ${network}`);
      return true;
    } catch {
      return false;
    } finally {
      spawnSync('ip', ['netns', 'del', network]);
    }
  }

  end(): void {
    for (const name of this.names) spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['link', 'del', this.id]);
  }
}

/** A wire that takes its time, each way. Not every kernel has one of its own to offer (netem). */
function wire(from: string, port: number, delayMs: number): Promise<Server> {
  const delayed = (source: Socket, target: Socket) => {
    source.on('data', (data) => setTimeout(() => target.write(data), delayMs));
    source.on('close', () => setTimeout(() => target.destroy(), delayMs));
    source.on('error', () => {});
  };
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    delayed(near, far);
    delayed(far, near);
  });
  return new Promise((resolve) => server.listen(0, from, () => resolve(server)));
}

function sh(command: string): void {
  const [program, ...args] = command.split(' ');
  execFileSync(program!, args, { stdio: 'pipe' });
}

describe('three machines on a network', { skip: redisServer().skip || !Network.isPermitted() }, () => {
  let network: Network;
  let redis: RedisServer;
  const machines: WorkerProcess[] = [];
  const wires: Server[] = [];

  before(async () => {
    process.env.TSLAB_PARALLEL_SECRET = SECRET;
    network = new Network(3);
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
    for (const name of network.names) {
      const command = ['ip', 'netns', 'exec', name];
      const server = await wire(`${network.net}.1`, redis.port, 2);
      wires.push(server);
      const { port } = server.address() as AddressInfo;
      machines.push(new WorkerProcess(`redis://${network.net}.1:${port}`, { workers: 1, command }));
    }
    for (const machine of machines) await machine.up();
  });
  after(async () => {
    for (const machine of machines) await machine.end();
    await redis?.stop();
    for (const server of wires) server.close();
    network?.end();
  });

  test('all of them work, and one whose cable is out for a while changes nothing', {
    timeout: 60_000,
  }, async () => {
    const pool = createPool('cluster');
    await pool.ready();
    const run = pool.map(numbers(300), async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return n;
    });
    await sleep(1000);
    network.cut(network.names[0]!);
    await sleep(4000);
    network.mend(network.names[0]!);
    assert.deepEqual(await run, numbers(300));
    const spans = [...run.record.spans].filter(({ status }) => status === 'ok');
    assert.equal(machinesOf(spans.map(({ lane }) => lane)).size, 3);
    assert.equal(
      spans.reduce((sum, { count }) => sum + count, 0),
      300,
    );
    for (const { startMs, endMs } of spans)
      assert.ok(startMs >= 0 && endMs >= startMs && endMs <= run.record.wallMs);
    await pool.close();
  });
});
