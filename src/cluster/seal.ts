/**
 * Whoever can write to Redis could put code there. So nothing that comes from there is looked into before its seal is
 * found to be right: HMAC-SHA256 with the secret, over what it is, for whom, for which run, until when, and the body.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What is sealed; one kind never passes for another. */
export type Kind = 'program' | 'batch' | 'note' | 'result' | 'ask' | 'answer' | 'claim' | 'permit' | 'worker';

/** Of messages and of what their bodies hold: it goes up when either changes. */
export const VERSION = 2;

/** As it lies in Redis, as JSON. */
export interface Sealed {
  readonly version: number;
  readonly kind: Kind;
  /** The name that the pool and its workers share. */
  readonly name: string;
  /** The run (or pool) that it belongs to. */
  readonly run: string;
  /** The one message: a BullMQ job's id, or a number of its own. */
  readonly id: string;
  /** Milliseconds since 1970, on Redis's clock. */
  readonly expires: number;
  /** Base64. */
  readonly body: string;
  /** Base64. */
  readonly mac: string;
}

export type Reason = 'unsigned' | 'altered' | 'version' | 'foreign' | 'expired' | 'replayed';

export class Refusal extends Error {
  override name = 'Refusal';
  constructor(readonly reason: Reason) {
    super(
      {
        unsigned: 'it is not signed',
        altered: 'it was altered, or signed with another secret',
        version: 'it comes from another version of tslab-parallel',
        foreign: 'it is for another queue, run or purpose',
        expired: 'it has expired',
        replayed: 'it has been there before',
      }[reason],
    );
  }
}

/** Everybody reads Redis's clock, but not in the same instant. */
const SKEW_MS = 5000;

export class Seal {
  readonly #secret: Buffer;
  readonly #clock: () => number;

  /** @param clock Redis's, so that those of the machines need not agree */
  constructor(
    secret: Buffer,
    readonly name: string,
    clock: () => number = Date.now,
  ) {
    this.#secret = secret;
    this.#clock = clock;
  }

  close(kind: Kind, run: string, id: string, bytes: Uint8Array, lifeMs: number): Sealed {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    const expires = Math.round(this.#clock() + lifeMs);
    const head = { version: VERSION, kind, name: this.name, run, id, expires };
    return { ...head, body, mac: this.#mac(head, body).toString('base64') };
  }

  /**
   * The body, where everything about it is right.
   * @param of what it must be: its kind, and where these are known its run and its id
   * @throws Refusal
   */
  open(value: unknown, of: { kind: Kind; run?: string; id?: string }): Buffer {
    const sealed = value as Sealed | null | undefined;
    if (
      typeof sealed !== 'object' ||
      sealed === null ||
      typeof sealed.mac !== 'string' ||
      typeof sealed.body !== 'string' ||
      typeof sealed.expires !== 'number' ||
      typeof sealed.version !== 'number' ||
      [sealed.kind, sealed.name, sealed.run, sealed.id].some((text) => typeof text !== 'string')
    ) {
      throw new Refusal('unsigned');
    }
    const mac = Buffer.from(sealed.mac, 'base64');
    const right = this.#mac(sealed, sealed.body);
    if (mac.length !== right.length || !timingSafeEqual(mac, right)) throw new Refusal('altered');
    if (sealed.version !== VERSION) throw new Refusal('version');
    const isOurs =
      sealed.kind === of.kind &&
      sealed.name === this.name &&
      (of.run === undefined || sealed.run === of.run) &&
      (of.id === undefined || sealed.id === of.id);
    if (!isOurs) throw new Refusal('foreign');
    if (this.#clock() > sealed.expires + SKEW_MS) throw new Refusal('expired');
    return Buffer.from(sealed.body, 'base64');
  }

  #mac({ version, kind, name, run, id, expires }: Omit<Sealed, 'body' | 'mac'>, body: string): Buffer {
    // JSON has no bare newline, so where the head ends is never in doubt.
    const head = JSON.stringify([version, kind, name, run, id, expires]);
    return createHmac('sha256', this.#secret).update(`${head}\n`).update(body).digest();
  }
}

/** Counts what was refused, and says so without filling the screen. */
export class Refused {
  readonly counts = new Map<Reason, number>();
  #said = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly say: (line: string) => void) {}

  add(error: unknown, what: string): void {
    // The seal was right, and what it held could not be read.
    const { reason, message } = error instanceof Refusal ? error : new Refusal('version');
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    if (++this.#said <= 5) this.say(`refused ${what}: ${message}`);
    else this.#timer ??= setTimeout(() => this.tell(), 1000).unref();
  }

  /** All of them so far, in a line. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#said === 0) return;
    const parts = [...this.counts].map(([reason, count]) => `${count} ${reason}`);
    this.say(`refused so far: ${parts.join(', ')}`);
  }
}
