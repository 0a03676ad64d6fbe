import { parseArgs } from 'node:util';
import { machine } from '../cluster';
import { availableCores } from '../helper/pool';
import { isQueueName } from '../helper/pool/options';
import { CliError } from './step';

export const WORKER_USAGE = `worker [--redis URL] [--name NAME] [--workers N] [--secret-file FILE]
    Works for notebooks that ask for createPool('cluster', { redis, name }), with N workers (default: one a core) on
    the Redis at URL (default: REDIS_URL of the environment, else redis://localhost:6379). Imports are looked for from this
    folder. Both sides need the same secret: TSLAB_PARALLEL_SECRET or TSLAB_PARALLEL_SECRET_FILE in the environment.
    Ctrl-C or SIGTERM: finishes what it has, then leaves; a second one: leaves at once.`;

const OPTIONS = {
  redis: { type: 'string' },
  name: { type: 'string' },
  workers: { type: 'string' },
  'secret-file': { type: 'string' },
} as const;

/** `worker`: a machine of a cluster, until it is told to stop. */
export async function work(args: string[]): Promise<number> {
  const { redis, name, workers, 'secret-file': file } = read(args);
  const { Machine, readSecret } = machine();
  const secret = orCliError(() => readSecret(file));
  // The functions that run here needn't find it.
  delete process.env.TSLAB_PARALLEL_SECRET;
  const say = (line: string) => console.log(`${new Date().toTimeString().slice(0, 8)} ${line}`);
  const one = new Machine({ redis, name, workers, secret, say });
  try {
    await one.start();
  } catch (error) {
    throw asCliError(error);
  }
  const { hostname } = require('node:os') as typeof import('node:os');
  say(`${hostname()}/${process.pid} works for "${name}" with ${workers} worker${workers === 1 ? '' : 's'}`);
  let isStopping = false;
  await new Promise<void>((resolve) => {
    const stop = () => {
      if (isStopping) {
        say('leaving at once: what was begun here runs elsewhere');
        void one.abandon().then(resolve, () => resolve());
        return;
      }
      isStopping = true;
      say('finishing what was begun; once more to leave at once');
      void one.stop().then(resolve, () => resolve());
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
  say(`${one.done} batches done, good-bye`);
  // BullMQ's own connections need not be waited for.
  process.exit(0);
}

function read(args: string[]) {
  let values: Record<string, string | undefined>;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }) as { values: Record<string, string | undefined> });
  } catch (error) {
    throw new CliError(`${(error as Error).message}\n\n  ${WORKER_USAGE}`);
  }
  const redis = values.redis ?? (process.env.REDIS_URL || 'redis://localhost:6379');
  if (!/^rediss?:\/\/./.test(redis)) {
    throw new CliError(`--redis needs an address like redis://localhost:6379, got ${redis}.`);
  }
  const name = values.name ?? 'tslab';
  if (!isQueueName(name)) throw new CliError(`--name takes letters, digits, ".", "_" and "-", got ${name}.`);
  const workers = values.workers === undefined ? availableCores() : Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1) {
    throw new CliError(`--workers needs a whole number, 1 or more, got ${values.workers}.`);
  }
  return { redis, name, workers, 'secret-file': values['secret-file'] };
}

function orCliError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asCliError(error);
  }
}

function asCliError(error: unknown): unknown {
  return error instanceof Error && error.name === 'ClusterError' ? new CliError(error.message) : error;
}
