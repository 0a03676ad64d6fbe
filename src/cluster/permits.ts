/**
 * A seal tells who wrote a message, not that it is still meant: whoever can read Redis could keep a run's program and jobs, and put
 * them back when it is over. So a machine asks the kernel itself, each time under a number of its own, before anything runs.
 * Neither clocks nor what Redis holds count: a kernel that has ended, or a run, permits nothing.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keyOf } from './connection';
import { type Claim, type Permit, pack, unpack } from './messages';
import type { Seal, Sealed } from './seal';

/** A question may be lost on the way. */
const AGAIN_MS = 500;
/** A kernel that computes is waited for as long as its runs are kept without it. */
const PATIENCE_MS = 30_000;
/** With nobody listening: a kernel finds its way back to Redis in that time. */
const NOBODY_MS = 5000;
/** The longest that an answer is of use to anyone. */
const LIFE_MS = 60_000;

/** A machine's side. */
export class Permits {
  readonly #open = new Map<string, (isWanted: boolean) => void>();

  constructor(
    readonly machine: string,
    readonly seal: Seal,
    readonly redis: () => Redis,
  ) {}

  /** Where the answers come. */
  get channel(): string {
    return channelOf(this.seal.name, this.machine);
  }

  /**
   * Whether the pool's kernel still waits for the batch, or for an answer to its question.
   * @param isOver stops asking
   * @returns undefined when nobody answered
   */
  async ask(pool: string, id: string, isOver: () => boolean = () => false): Promise<boolean | undefined> {
    const began = performance.now();
    let heardOf = began;
    for (;;) {
      const nonce = randomBytes(16).toString('hex');
      const claim: Claim = { machine: this.machine, id };
      const sealed = this.seal.close('claim', pool, nonce, pack(claim), LIFE_MS);
      const answer = new Promise<boolean | undefined>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), AGAIN_MS);
        this.#open.set(nonce, (isWanted) => {
          clearTimeout(timer);
          resolve(isWanted);
        });
      });
      const listeners = this.redis()
        .publish(keyOf(this.seal.name, `answers-${pool}`), JSON.stringify(sealed))
        .catch(() => 1);
      const isWanted = await answer;
      this.#open.delete(nonce);
      if (isWanted !== undefined) return isWanted;
      if (isOver()) return undefined;
      const at = performance.now();
      if ((await listeners) > 0) heardOf = at;
      if (at - heardOf > NOBODY_MS || at - began > PATIENCE_MS) return undefined;
    }
  }

  /** @throws Refusal */
  hear(value: unknown): void {
    const body = this.seal.open(value, { kind: 'permit', run: this.machine });
    this.#open.get((value as Sealed).id)?.(unpack<Permit>(body).isWanted);
  }
}

/** The kernel's side: answers a machine's question. */
export function permit(seal: Seal, redis: Redis, question: Sealed, claim: Claim, isWanted: boolean): void {
  const answer: Permit = { isWanted };
  const sealed = seal.close('permit', claim.machine, question.id, pack(answer), LIFE_MS);
  // If it is lost, the machine asks again.
  redis.publish(channelOf(seal.name, claim.machine), JSON.stringify(sealed)).catch(() => {});
}

function channelOf(name: string, machine: string): string {
  return keyOf(name, `permits-${machine}`);
}
