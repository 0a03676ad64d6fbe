import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Job as BullJob, Worker as BullWorker } from 'bullmq';
import type { Redis } from 'ioredis';
import { now } from '../helper/record';
import { redacted } from '../helper/redact';
import { clockOffset, connect, isFinal, keyOf, libraries, PREFIX, REDIS_OPTIONS } from './connection';
import { Crew } from './crew';
import {
  type Answer,
  type Ask,
  type BatchBody,
  type Machine as Card,
  type Missing,
  type Note,
  type Program,
  pack,
  type Reply,
  unpack,
} from './messages';
import { Permits } from './permits';
import { Refusal, Refused, Seal, type Sealed } from './seal';

export interface MachineOptions {
  readonly redis: string;
  readonly name: string;
  /** Local workers: batches at a time. */
  readonly workers: number;
  readonly secret: Buffer;
  say(line: string): void;
}

/** A lost machine's jobs come back after the lock has run out, at the next check: 2 to 2.5 s. */
const LOCK_MS = 2000;
const CHECK_MS = 500;
/** So often may a machine be lost with the same job before it is the job's own fault. */
const MOST_LOSSES = 5;
/** How often a machine says that it is there, and for how long that holds. */
const CARD_EVERY_MS = 1000;
const CARD_LIFE_MS = 6000;
/** How often it looks whether the runs it works on still go on. */
const LOOK_EVERY_MS = 1000;
/** What a batch says is sent at most so often, or when it is so much. */
const NOTE_EVERY_MS = 25;
const NOTE_BYTES = 1024 * 1024;
const RESULT_LIFE_MS = 600_000;
/** Results that nobody has read for so long were read, or their kernel is gone. */
const EVENTS_KEPT_MS = 15_000;

interface Known {
  readonly program: Program;
  readonly missing: Missing | undefined;
  /** Batches so far. */
  batches: number;
  readonly since: number;
}

/** A machine of a cluster: takes batches from the queue, has its workers run them, answers. */
export class Machine {
  readonly #options: MachineOptions;
  readonly #seal: Seal;
  readonly #refused: Refused;
  readonly #crew: Crew;
  readonly #id = randomBytes(6).toString('hex');
  readonly #permits: Permits;
  readonly #host = hostname();
  readonly #runs = new Map<string, Promise<Known | undefined>>();
  readonly #asked = new Map<string, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #redis!: Redis;
  #subscriber!: Redis;
  #worker!: BullWorker;
  /** What to add to `now()` to get Redis's clock. */
  #clockMs = Date.now() - now();
  #isDown = false;
  #done = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#seal = new Seal(options.secret, options.name, () => now() + this.#clockMs);
    this.#permits = new Permits(this.#id, this.#seal, () => this.#redis);
    this.#refused = new Refused(options.say);
    this.#crew = new Crew(options.workers, `${this.#host}/${process.pid}`);
  }

  /** Batches finished so far. */
  get done(): number {
    return this.#done;
  }

  /** @throws ClusterError when Redis can't be reached in the first 30 s, or turns us away */
  async start(): Promise<void> {
    const { redis: url, name, workers, say } = this.#options;
    const { bullmq } = libraries();
    let complained = false;
    this.#redis = await connect(url, 30_000, (error) => {
      if (!complained && !isFinal(error)) say(`waiting for Redis at ${redacted(url)} ...`);
      complained = true;
    });
    this.#subscriber = await connect(url, 30_000, () => {});
    this.#clockMs = await clockOffset(this.#redis);
    this.#redis.on('close', () => {
      if (!this.#isDown) say('Redis is gone, trying to reach it again');
      this.#isDown = true;
    });
    this.#redis.on('ready', () => {
      if (this.#isDown) say('Redis is back');
      this.#isDown = false;
    });
    this.#subscriber.on('message', (channel: string, text: string) => this.#hear(channel, text));
    await this.#subscriber.subscribe(keyOf(name, 'asks'), this.#permits.channel);
    await this.#showCard();
    this.#worker = new bullmq.Worker(name, (job: BullJob) => this.#work(job), {
      connection: { url, ...REDIS_OPTIONS } as never,
      prefix: PREFIX,
      concurrency: workers,
      lockDuration: LOCK_MS,
      stalledInterval: CHECK_MS,
      maxStalledCount: MOST_LOSSES,
      runRetryDelay: 500,
      // Nothing stays behind, whatever a job says of itself.
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => {
      // A batch that was taken for lost: somebody else has it by now, and its result will count.
      if (/lock|could not renew/i.test(error.message)) say('a batch of mine was given to another worker');
      else if (!this.#isDown && (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') say(error.message);
    });
    await this.#worker.waitUntilReady();
    this.#every(CARD_EVERY_MS, () => this.#showCard());
    this.#every(LOOK_EVERY_MS, () => this.#look());
    this.#every(10_000, async () => {
      this.#clockMs = await clockOffset(this.#redis);
    });
  }

  /** Finishes what it has, takes nothing new, and leaves. */
  async stop(): Promise<void> {
    await this.#worker.close();
    await this.#leave();
  }

  /** Leaves at once: what it has will run elsewhere. */
  async abandon(): Promise<void> {
    this.#crew.close();
    await this.#worker.close(true);
    await this.#leave();
  }

  async #leave(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#crew.close();
    this.#refused.tell();
    if (!this.#isDown) await this.#redis.hdel(keyOf(this.#options.name, 'workers'), this.#id);
    this.#redis.disconnect();
    this.#subscriber.disconnect();
  }

  /** Never twice at the same time, and never in vain while Redis is away. */
  #every(ms: number, work: () => Promise<void>): void {
    let isBusy = false;
    this.#timers.push(
      setInterval(() => {
        if (isBusy || this.#isDown) return;
        isBusy = true;
        work().then(
          () => {
            isBusy = false;
          },
          () => {
            isBusy = false;
          },
        );
      }, ms),
    );
  }

  async #showCard(): Promise<void> {
    const { name, workers } = this.#options;
    const key = keyOf(name, 'workers');
    const card: Card = { id: this.#id, host: this.#host, pid: process.pid, workers };
    const sealed = this.#seal.close('worker', this.#id, '', pack(card), CARD_LIFE_MS);
    const oldest = Math.floor(now() + this.#clockMs - EVENTS_KEPT_MS);
    await this.#redis
      .multi()
      .hset(key, this.#id, JSON.stringify(sealed))
      .pexpire(key, 60_000)
      .xtrim(keyOf(name, 'events'), 'MINID', '~', oldest)
      .exec();
    // Now and then somebody clears away machines that left without a word.
    if (Math.random() > 0.03) return;
    for (const [id, text] of Object.entries(await this.#redis.hgetall(key))) {
      const expires = Number(/"expires":(\d+)/.exec(text)?.[1] ?? 0);
      if (expires < now() + this.#clockMs - 10 * CARD_LIFE_MS) await this.#redis.hdel(key, id);
    }
  }

  /** One BullMQ job. What can't be trusted is given back empty, unread. */
  async #work(job: BullJob): Promise<Sealed | null> {
    const sealed = job.data as Sealed;
    // Whoever forged it chose its name, too.
    const what = `job ${String(job.id)
      .slice(0, 60)
      .replace(/[^\w-]/g, '?')}`;
    let body: Buffer;
    try {
      body = this.#seal.open(sealed, { kind: 'batch', id: job.id ?? '' });
    } catch (error) {
      this.#refused.add(error, what);
      return null;
    }
    const { run, id } = sealed;
    const answer = (reply: Reply) => this.#seal.close('result', run, id, pack(reply), RESULT_LIFE_MS);
    const known = await this.#know(run);
    if (!known) return answer(this.#reply({ how: 'gone' }));
    const isOver = () => !this.#runs.has(run);
    const isWanted = await this.#permits.ask(known.program.pool.id, id, isOver);
    if (!isWanted || isOver()) {
      if (!isOver()) this.#refused.add(new Refusal('replayed'), what);
      return answer(this.#reply({ how: 'gone' }));
    }
    const reply = await this.#run(job, run, known, unpack<BatchBody>(body));
    this.#done++;
    return answer(reply);
  }

  #reply(end: Reply['end'], note?: Partial<Note>): Reply {
    const none = { attempt: '', number: 0, lane: '', startMs: now(), asides: [] };
    return { ...none, ...note, clockMs: this.#clockMs, end };
  }

  async #run(job: BullJob, run: string, known: Known, { order, timeoutMs, solo }: BatchBody): Promise<Reply> {
    const { program } = known;
    if (known.missing) return this.#reply({ how: 'missing', missing: known.missing });
    if (known.batches++ === 0) {
      this.#options.say(`run "${program.label}" begins here`);
      this.#makeRoom();
    }
    const note = { attempt: randomBytes(6).toString('hex'), number: 0, lane: '', startMs: now() };
    let asides: Buffer[] = [];
    let bytes = 0;
    let tooLarge = 0;
    let timer: NodeJS.Timeout | undefined;
    // One after another, and all before the result.
    let told: Promise<unknown> = Promise.resolve();
    const tell = () => {
      clearTimeout(timer);
      timer = undefined;
      note.number++;
      const body = pack({ ...note, clockMs: this.#clockMs, asides });
      asides = [];
      bytes = 0;
      const sealed = this.#seal.close('note', run, job.id ?? '', body, RESULT_LIFE_MS);
      // A note that is lost is made good by the result.
      told = told.then(() => job.updateProgress(sealed as never)).catch(() => {});
    };
    const end = await new Promise<Reply['end']>((resolve) => {
      this.#crew.take({
        run,
        pool: program.pool,
        fn: program.fn,
        order,
        timeoutMs,
        solo,
        began: (lane, startMs) => {
          Object.assign(note, { lane, startMs });
          timer = setTimeout(tell, NOTE_EVERY_MS);
        },
        aside: (aside) => {
          const packed = pack(aside);
          if (packed.length > program.payloadBytes) tooLarge = packed.length;
          if (tooLarge > 0) return;
          asides.push(packed);
          bytes += packed.length;
          if (bytes >= NOTE_BYTES) tell();
          else timer ??= setTimeout(tell, NOTE_EVERY_MS);
        },
        ended: resolve,
      });
    });
    if (end.how === 'done' && end.done.length > program.payloadBytes) tooLarge ||= end.done.length;
    if (bytes > NOTE_BYTES / 2) tell();
    clearTimeout(timer);
    await told;
    note.number++;
    return this.#reply(tooLarge > 0 ? { how: 'large', bytes: tooLarge } : end, { ...note, asides });
  }

  /** The run's program, if there still is one. Read once. */
  #know(run: string): Promise<Known | undefined> {
    let known = this.#runs.get(run);
    if (!known) {
      known = this.#fetch(run);
      this.#runs.set(run, known);
      const forget = () => this.#runs.delete(run);
      known.then((found) => {
        if (!found) forget();
      }, forget);
    }
    return known;
  }

  async #fetch(run: string): Promise<Known | undefined> {
    const text = await this.#redis.get(keyOf(this.#options.name, `run-${run}`));
    if (text === null) return undefined;
    let program: Program;
    try {
      program = unpack<Program>(this.#seal.open(parsed(text), { kind: 'program', run }));
    } catch (error) {
      this.#refused.add(error, `the program of run ${run.slice(0, 30)}`);
      return undefined;
    }
    return { program, missing: this.#missing(program.imports), batches: 0, since: now() };
  }

  /** Functions that wait may run several at a time in one worker. */
  #makeRoom(): void {
    void Promise.all(this.#runs.values()).then((all) => {
      const most = Math.max(1, ...all.map((known) => known?.program.pool.concurrency ?? 1));
      this.#worker.concurrency = this.#options.workers * most;
    });
  }

  #missing(specifiers: readonly string[]): Missing | undefined {
    const require = createRequire(join(process.cwd(), 'notebook.js'));
    const missing = specifiers.filter((specifier) => {
      try {
        require.resolve(specifier);
        return false;
      } catch {
        return true;
      }
    });
    return missing.length === 0
      ? undefined
      : { host: this.#host, folder: process.cwd(), specifiers: missing };
  }

  /** Runs that are over: their kernel took the program away, or can no longer keep it. */
  async #look(): Promise<void> {
    const runs = [...this.#runs.keys()];
    if (runs.length === 0) return;
    const keys = runs.map((run) => keyOf(this.#options.name, `run-${run}`));
    const found = await this.#redis.pipeline(keys.map((key) => ['exists', key])).exec();
    for (const [at, run] of runs.entries()) {
      const [error, exists] = found?.[at] ?? [null, 1];
      if (!error && exists === 0) await this.#over(run);
    }
  }

  async #over(run: string): Promise<void> {
    const known = await this.#runs.get(run)?.catch(() => undefined);
    if (!this.#runs.delete(run)) return;
    this.#crew.stop(run);
    if (!known?.batches) return;
    const { program, batches, since } = known;
    this.#options.say(
      `run "${program.label}" is over: ${batches} batches here in ${((now() - since) / 1000).toFixed(1)} s`,
    );
    this.#makeRoom();
  }

  #hear(channel: string, text: string): void {
    let sealed: Sealed;
    let ask: Ask;
    try {
      sealed = parsed(text) as Sealed;
      if (channel === this.#permits.channel) {
        this.#permits.hear(sealed);
        return;
      }
      const body = this.#seal.open(sealed, { kind: 'ask' });
      const at = now() + this.#clockMs;
      for (const [id, expires] of this.#asked) if (expires < at - 60_000) this.#asked.delete(id);
      if (this.#asked.has(sealed.id)) throw new Refusal('replayed');
      this.#asked.set(sealed.id, sealed.expires);
      ask = unpack<Ask>(body);
    } catch (error) {
      this.#refused.add(error, 'a question');
      return;
    }
    switch (ask.ask) {
      case 'imports':
        void this.#answer(sealed, { machine: this.#id, missing: this.#missing(ask.specifiers) });
        break;
      case 'ready':
        // It runs the pool's `init`.
        void this.#permits.ask(ask.pool.id, sealed.id).then(async (isWanted) => {
          if (!isWanted) this.#refused.add(new Refusal('replayed'), 'a question');
          else await this.#answer(sealed, { machine: this.#id, error: await this.#crew.ready(ask.pool) });
        });
        break;
      case 'stop':
        void this.#over(ask.run);
        break;
      case 'leave':
        this.#crew.leave(ask.pool);
        break;
    }
  }

  async #answer({ run, id }: Sealed, answer: Answer): Promise<void> {
    const sealed = this.#seal.close('answer', run, id, pack(answer), 60_000);
    const channel = keyOf(this.#options.name, `answers-${run}`);
    await this.#redis.publish(channel, JSON.stringify(sealed)).catch(() => {});
  }
}

/** JSON, or nothing that could be signed. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
