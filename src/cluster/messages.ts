/** What a kernel and the machines say to each other. All of it is sealed (see seal.ts) and packed by V8's serializer. */
import { deserialize, serialize } from 'node:v8';
import type { Capture } from '../helper/closure';
import type { BatchOrder } from '../helper/pool/handle';
import type { Aside, DoneMessage } from '../helper/pool/protocol';

/** What workers must know of a pool to work for it. */
export interface PoolSpec {
  readonly id: string;
  readonly concurrency: number;
  readonly memoryMb: number | undefined;
  readonly idleMs: number;
  readonly init: Capture | undefined;
}

/**
 * A run's function and its pool: one key in Redis, for as long as the run goes on. The kernel keeps it from expiring;
 * when it is gone, so is the run, and nobody works on it any more.
 */
export interface Program {
  readonly label: string;
  readonly pool: PoolSpec;
  readonly fn: Capture;
  /** To be found on the machine before anything runs. */
  readonly imports: readonly string[];
  /** The largest result. */
  readonly payloadBytes: number;
}

/** One BullMQ job. */
export interface BatchBody {
  readonly order: BatchOrder;
  readonly timeoutMs: number | undefined;
  /** Must be alone on its worker. */
  readonly solo: boolean;
}

/** How long a batch has been at work, and what it said meanwhile. */
export interface Note {
  /** One time that the batch ran, and the number of this note then: each is heard once. */
  readonly attempt: string;
  readonly number: number;
  /** `host/process/worker`. */
  readonly lane: string;
  /** What to add to its times to get Redis's clock. */
  readonly clockMs: number;
  readonly startMs: number;
  /** Each packed by itself. */
  readonly asides: readonly Uint8Array[];
}

/** What came of a batch. */
export interface Reply extends Note {
  readonly end:
    | { readonly how: 'done'; readonly done: Uint8Array }
    /** The worker was ended, by the item or for it. `alone`: nothing else ran there. */
    | {
        readonly how: 'lost';
        readonly late: boolean;
        readonly message: string;
        readonly alone: boolean;
      }
    /** Too large for Redis. */
    | { readonly how: 'large'; readonly bytes: number }
    /** The function, or what `init` makes, could not be made there; as `encode` made it. */
    | { readonly how: 'broken'; readonly error: unknown }
    | { readonly how: 'missing'; readonly missing: Missing }
    /** There is no such run any more. */
    | { readonly how: 'gone' };
}

export interface Missing {
  readonly host: string;
  readonly folder: string;
  readonly specifiers: readonly string[];
}

/** A machine, by what it says of itself every second. */
export interface Machine {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly workers: number;
}

/** From a kernel to all machines. */
export type Ask =
  | { readonly ask: 'imports'; readonly specifiers: readonly string[] }
  /** Workers up, with what `init` gives them. */
  | { readonly ask: 'ready'; readonly pool: PoolSpec }
  | { readonly ask: 'stop'; readonly run: string }
  | { readonly ask: 'leave'; readonly pool: string };

/**
 * From a machine to the kernel, before anything runs: is this still wanted? Sealed under a number of its own that was never
 * used before, and so is what comes back: what was kept from earlier answers no question.
 */
export interface Claim {
  readonly machine: string;
  /** A batch's or a question's. */
  readonly id: string;
}

export interface Permit {
  readonly isWanted: boolean;
}

/** To the kernel that asked. */
export interface Answer {
  readonly machine: string;
  readonly missing?: Missing;
  /** As `encode` made it. */
  readonly error?: unknown;
}

export function pack(
  value: Program | BatchBody | Note | Reply | Machine | Ask | Answer | Claim | Permit | Aside | DoneMessage,
): Buffer {
  return serialize(value);
}

/** @param bytes from this package: their seal has been opened */
export function unpack<T>(bytes: Uint8Array): T {
  return deserialize(bytes) as T;
}
