import type * as BullMQ from 'bullmq';
import type { Redis, RedisOptions } from 'ioredis';
import { ClusterError } from '../helper/errors';
import { now } from '../helper/record';
import { redacted } from '../helper/redact';

/** All keys in Redis begin with this; BullMQ's own too. */
export const PREFIX = 'tslab-parallel';

export function keyOf(name: string, what: string): string {
  return `${PREFIX}:${name}:${what}`;
}

/** BullMQ and its connection to Redis are a choice of those who want a cluster: loaded when one is asked for. */
export function libraries(): { bullmq: typeof BullMQ; Redis: typeof Redis } {
  try {
    const { Redis: Client } = require('ioredis') as { Redis: typeof Redis };
    return { bullmq: require('bullmq') as typeof BullMQ, Redis: Client };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new ClusterError(
      'A cluster runs on BullMQ, which is not installed here: npm install bullmq ioredis (and on every machine).',
    );
  }
}

/** The address from the environment, where none is given. */
export function defaultRedis(): string {
  return process.env.REDIS_URL || 'redis://localhost:6379';
}

export const REDIS_OPTIONS: RedisOptions = {
  // Commands wait for a Redis that comes back; who waits too long is told by us.
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(50 * 2 ** times, 1000),
  connectTimeout: 5000,
};

/** What no further try would mend: a wrong password, a certificate that can't be trusted. */
export function isFinal(error: Error): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return (
    /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL/.test(code) || /NOAUTH|WRONGPASS|NOPERM/.test(error.message)
  );
}

/**
 * A connection that is up.
 * @param patienceMs how long Redis may take for its first answer
 * @throws ClusterError when it isn't there, or turns us away
 */
export function connect(url: string, patienceMs: number, onError: (error: Error) => void): Promise<Redis> {
  const { Redis: Client } = libraries();
  const redis = new Client(url, REDIS_OPTIONS);
  return new Promise((resolve, reject) => {
    let last: Error | undefined;
    const giveUp = () => {
      clearTimeout(timer);
      redis.disconnect();
      const why = last ? words(last) : `no answer in ${patienceMs} ms`;
      reject(
        new ClusterError(
          `Redis at ${redacted(url)} can't be used: ${why}. Start one with "redis-server", or give another address (redis).`,
        ),
      );
    };
    const timer = setTimeout(giveUp, patienceMs);
    redis.on('error', (error: Error) => {
      last = error;
      if (isFinal(error)) giveUp();
      onError(error);
    });
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve(redis);
    });
  });
}

/** What Redis itself answered to a command, such as `OOM command not allowed …`; undefined where it couldn't be asked. */
export function replyOf(error: unknown): string | undefined {
  const { name, message = '' } = (error ?? {}) as Error;
  // Within BullMQ's scripts ioredis's ReplyError is made anew as an Error.
  return name === 'ReplyError' || /^[A-Z]{2,}[A-Z ]* /.test(message) ? message : undefined;
}

/** What to do about it. */
export function remedy(reply: string): string {
  if (/maxmemory|^OOM/.test(reply)) return 'Give it more memory (maxmemory), or smaller items.';
  if (/NOPERM|no permissions|unknown command/i.test(reply))
    return 'Its user needs BullMQ\'s scripts: see "Many machines" in the README.';
  if (/READONLY/.test(reply)) return 'It is a replica: give the address of the master.';
  if (/MISCONF|LOADING|BUSY/.test(reply)) return 'Look into its log.';
  return '';
}

function words(error: Error): string {
  const { code, errors } = error as NodeJS.ErrnoException & { errors?: Error[] };
  return error.message || errors?.[0]?.message || code || error.name;
}

/** What to add to this process's `now()` to get Redis's clock: the one clock that all machines can see. */
export async function clockOffset(redis: Redis): Promise<number> {
  let best = { tookMs: Number.POSITIVE_INFINITY, offset: 0 };
  for (let tries = 0; tries < 5; tries++) {
    const sent = now();
    const [seconds, micros] = (await redis.time()) as unknown as [string | number, string | number];
    const tookMs = now() - sent;
    // The quickest answer is the one that tells the time best.
    if (tookMs < best.tookMs) {
      best = { tookMs, offset: Number(seconds) * 1000 + Number(micros) / 1000 - (sent + tookMs / 2) };
    }
  }
  return best.offset;
}
