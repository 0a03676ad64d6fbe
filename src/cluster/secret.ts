import { readFileSync, statSync } from 'node:fs';
import { ClusterError } from '../helper/errors';

/** HMAC-SHA256 is as strong as its key up to this length. */
const LEAST_BYTES = 32;
/** Sixteen is what hexadecimal has; a secret made at random has hardly ever fewer than half of them. */
const LEAST_DIFFERENT = 8;

/**
 * The secret that a notebook and its workers share.
 * @param file instead of the environment
 * @throws ClusterError without one, with one that is too short or too simple, or in a file that others can read
 */
export function readSecret(file?: string): Buffer {
  const { TSLAB_PARALLEL_SECRET: text, TSLAB_PARALLEL_SECRET_FILE: named } = process.env;
  const path = file ?? (text ? undefined : named);
  let secret: Buffer;
  let where: string;
  let isShared = false;
  if (path) {
    where = `The secret in the file ${path}`;
    try {
      secret = Buffer.from(readFileSync(path, 'utf8').trim());
      isShared = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
    } catch (error) {
      throw new ClusterError(
        `The file with the cluster's secret can't be read: ${(error as Error).message}. ${how}`,
      );
    }
  } else if (text) {
    where = 'The secret in TSLAB_PARALLEL_SECRET';
    secret = Buffer.from(text.trim());
  } else {
    throw new ClusterError(
      `A cluster needs a secret, so that its workers run nobody else's code; neither the environment's TSLAB_PARALLEL_SECRET nor a file has one. ${how}`,
    );
  }
  if (secret.length < LEAST_BYTES) {
    throw new ClusterError(`${where} has ${secret.length} bytes, it needs at least ${LEAST_BYTES}. ${how}`);
  }
  const different = new Set(secret).size;
  if (different < LEAST_DIFFERENT) {
    throw new ClusterError(
      `${where} has only ${different} different ${different === 1 ? 'character' : 'characters'}, so it can be guessed. ${how}`,
    );
  }
  if (isShared)
    throw new ClusterError(`${where} can be read by other users of this machine: chmod 600 ${path}`);
  return secret;
}

const how =
  'Make one with "(umask 077; openssl rand -hex 32 > cluster.secret)", give the file to every machine and name it in TSLAB_PARALLEL_SECRET_FILE.';
