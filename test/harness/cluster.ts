/** A Redis and workers of the test's own, as a user would start them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = require.resolve('#src/cli/index');

/** The secret of tests: their Redis is gone a moment later. */
export const SECRET = 'a secret for tests, and for nothing else';

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'redis-'));
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly extra: readonly string[],
    readonly command: readonly string[],
  ) {}

  /**
   * @param extra arguments of redis-server
   * @param command what comes before it, such as `ip netns exec name`
   */
  static async start(extra: readonly string[] = [], command: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), extra, command);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = [
      ...['--port', String(this.port), '--dir', this.#folder, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', ...this.extra],
    ];
    const [program, ...rest] = [...this.command, 'redis-server', ...args];
    this.#child = spawn(program!, rest, { stdio: 'ignore' });
    const started = once(this.#child, 'spawn'); // rejects where the program isn't there
    await started.catch((error: Error) => {
      throw new Error(`${program} can't be started (${error.message}): install redis-server.`);
    });
    if (this.command.length === 0 && !this.extra.includes('--tls-port')) await this.#answers();
    else await new Promise((resolve) => setTimeout(resolve, 500));
  }

  async #answers(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const isUp = await new Promise<boolean>((resolve) => {
        const socket = connect(this.port, '127.0.0.1');
        socket.once('connect', () => socket.write('PING\r\n'));
        socket.once('data', (data) => {
          socket.destroy();
          resolve(data.toString().startsWith('+PONG'));
        });
        socket.once('error', () => resolve(false));
      });
      if (isUp) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('redis-server did not start');
  }

  /** Its answer to a command, by redis-cli. */
  ask(...command: string[]): string {
    return execFileSync('redis-cli', ['-p', String(this.port), ...command], { encoding: 'utf8' }).trim();
  }

  /** Ends at once, as by a power cut; what its file holds stays. */
  async kill(): Promise<void> {
    const child = this.#child!;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** `npx tslab-parallel worker`, on this machine or in a network namespace of it. */
export class WorkerProcess {
  readonly child: ChildProcess;
  output = '';

  constructor(
    redis: string,
    options: {
      name?: string;
      workers?: number;
      secret?: string;
      cwd?: string;
      env?: object;
      command?: readonly string[];
    } = {},
  ) {
    const { name = 'tslab', workers = 2, secret = SECRET, cwd, env, command = [] } = options;
    const args = [cli, 'worker', '--redis', redis, '--name', name, '--workers', String(workers)];
    const [program, ...rest] = [...command, process.execPath, ...args];
    this.child = spawn(program!, rest, {
      cwd,
      env: { ...process.env, TSLAB_PARALLEL_SECRET: secret, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  /** Waits until it has said something. */
  async says(words: RegExp, patienceMs = 15_000): Promise<void> {
    const until = performance.now() + patienceMs;
    while (!words.test(this.output)) {
      if (performance.now() > until) throw new Error(`It never said ${words}, but: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  up(): Promise<void> {
    return this.says(/ works for /);
  }

  end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        resolve();
        return;
      }
      this.child.once('exit', () => resolve());
      this.child.kill(signal);
    });
  }
}

/** Where `createPool('cluster')` looks by itself: a Redis, one machine with two workers. */
export async function startCluster(): Promise<() => Promise<void>> {
  const redis = await RedisServer.start();
  process.env.REDIS_URL = redis.url;
  process.env.TSLAB_PARALLEL_SECRET = SECRET;
  const worker = new WorkerProcess(redis.url, { workers: 2 });
  await worker.up();
  return async () => {
    await worker.end('SIGTERM');
    await redis.stop();
  };
}
