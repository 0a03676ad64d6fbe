import { randomBytes } from 'node:crypto';
import type { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { type AnyFunction, type Capture, capture, decode, importsOf } from '../helper/closure';
import { ClusterError, TimeoutError, WorkerLostError } from '../helper/errors';
import { inNotebook } from '../helper/notebook';
import type { Batch, Outcome } from '../helper/pool/batch';
import type { Engine } from '../helper/pool/engine';
import type { Job } from '../helper/pool/job';
import { tellLate } from '../helper/pool/late';
import { encodeItems, fromMessage } from '../helper/pool/message';
import type { CheckedPoolOptions } from '../helper/pool/options';
import type { Aside, DoneMessage } from '../helper/pool/protocol';
import { now } from '../helper/record';
import { redacted } from '../helper/redact';
import { after } from '../helper/timer';
import {
  clockOffset,
  connect,
  defaultRedis,
  keyOf,
  libraries,
  PREFIX,
  REDIS_OPTIONS,
  remedy,
  replyOf,
} from './connection';
import {
  type Answer,
  type Ask,
  type BatchBody,
  type Claim,
  type Machine,
  type Missing,
  type Note,
  type PoolSpec,
  type Program,
  pack,
  type Reply,
  unpack,
} from './messages';
import { clipped, translated } from './outcome';
import { permit } from './permits';
import { Refusal, Refused, Seal, type Sealed } from './seal';
import { readSecret } from './secret';

/** A run's key lives so long without its kernel, which refreshes it in time: also one that computes for a while. */
const LEASE_MS = 30_000;
const REFRESH_TICKS = 8;
const TICK_MS = 1000;
/** Who is not heard of for so many milliseconds is looked for. */
const QUIET_MS = 5000;
/** A program or a job that lies in Redis for longer is sealed anew in time. */
const SEALED_MS = 120_000;
/** How often Redis's clock is read again. */
const CLOCK_TICKS = 10;
/** Without a word from any worker: said after so long, given up after so long. */
const NOBODY_SAID_MS = 2000;
const NOBODY_MS = 60_000;
/** A Redis without an answer for so many ticks is spoken of. */
const SILENT_SAID_TICKS = 3;
/** A Redis that never answered isn't there: no use in waiting for it as for one that was. */
const FIRST_MS = 1500;
/** So often may answers to the same items be unusable. */
const MOST_REFUSED = 3;
/** A program that has nothing more to do is kept by the connection for so long at the most. */
const PROGRAM_LINGERS_MS = 300;
/** Messages of this size carry well. */
const GOOD_BYTES = 1024 * 1024;

interface Running {
  /** Names the run in Redis. */
  readonly run: string;
  readonly fn: Capture;
  readonly startedMs: number;
  program: Buffer;
  /** When it was last sealed. */
  sealedMs: number;
  /** Its batches may go. */
  isReady: boolean;
  saidNobody: boolean;
  refused: number;
}

/** A batch that is a BullMQ job now. */
interface Sent {
  readonly id: string;
  readonly batch: Batch;
  readonly run: string;
  readonly body: Buffer;
  readonly sentMs: number;
  heardMs: number;
  sealedMs: number;
  /** The last note of each time that it ran. */
  readonly notes: Map<string, number>;
  /** Who has it, and since when, by what it said. */
  lane?: string;
  startMs?: number;
  /** Redis didn't know it when last asked. */
  isMissing?: boolean;
  /** Somebody answered who doesn't have the secret. */
  isDistrusted?: boolean;
}

interface Link {
  readonly redis: Redis;
  readonly answers: Redis;
  readonly queue: Queue;
  readonly events: QueueEvents;
  /** What to add to `now()` to get Redis's clock. */
  clockMs: number;
}

/**
 * The cluster backend: a run's batches go through a BullMQ queue to whichever machine takes them. A batch may run more
 * than once, when its worker is lost; its first outcome counts, and no other.
 */
export class Cluster implements Engine<Capture> {
  readonly backend = 'cluster';
  readonly #options: CheckedPoolOptions<unknown>;
  readonly #url: string;
  readonly #seal: Seal;
  readonly #refused: Refused;
  readonly #spec: PoolSpec;
  readonly #running = new Map<Job, Running>();
  readonly #sent = new Map<string, Sent>();
  readonly #machines = new Map<string, Machine>();
  readonly #asks = new Map<string, { missing: Set<string>; answers: Answer[]; done: () => void }>();
  /** Imports that a machine is known to have. */
  readonly #checked = new Set<string>();
  #link: Promise<Link> | undefined;
  #up: Link | undefined;
  #unsent: Sent[] = [];
  #turn = 0;
  #lastId = 0;
  #isFeeding = false;
  #ticker: NodeJS.Timeout | undefined;
  #ticks = 0;
  #silentTicks = 0;
  #isTicking = false;
  #leaving: NodeJS.Timeout | undefined;
  #bytesAnItem = 8;
  #isPaused = false;
  #isClosed = false;
  /** What is still to be tidied up in Redis. */
  readonly #tidying = new Set<Promise<unknown>>();

  /** @throws ClusterError without BullMQ or without a secret */
  constructor(options: CheckedPoolOptions<unknown>) {
    this.#options = options;
    this.#url = options.redis ?? defaultRedis();
    libraries();
    const clock = () => (this.#up ? now() + this.#up.clockMs : Date.now());
    this.#seal = new Seal(readSecret(options.secretFile), options.name, clock);
    this.#refused = new Refused((line) => void process.stderr.write(`Cluster "${options.name}": ${line}\n`));
    const { concurrency, memoryMb, idleMs, init } = options;
    this.#spec = {
      id: randomBytes(9).toString('hex'),
      concurrency,
      memoryMb,
      idleMs,
      init: init && capture(init, { target: 'cluster', name: 'init' }),
    };
  }

  readonly packsNumbers = true;

  /** Workers that are there, or as many as may be used. */
  get workers(): number {
    let there = 0;
    for (const { workers } of this.#machines.values()) there += workers;
    const { workers } = this.#options;
    return Math.min(workers, there || (workers === Number.POSITIVE_INFINITY ? 1 : workers));
  }

  /** So long that the notebook and Redis, which have about 0.5 ms of work a batch, keep up: see SCALE.md. */
  get batchMs(): number {
    return Math.max(100, this.workers);
  }

  /** Large items go fewer at a time. */
  get mostItems(): number {
    return Math.max(1, Math.floor(Math.min(GOOD_BYTES, this.#payloadBytes / 2) / this.#bytesAnItem));
  }

  get #payloadBytes(): number {
    return this.#options.payloadMb * 1024 * 1024;
  }

  prepare(fn: AnyFunction): Capture {
    return capture(fn, { target: 'cluster' });
  }

  start(job: Job, fn: Capture): void {
    const running: Running = {
      run: randomBytes(12).toString('hex'),
      fn,
      startedMs: now(),
      program: Buffer.alloc(0),
      sealedMs: Number.NEGATIVE_INFINITY,
      isReady: false,
      saidNobody: false,
      refused: 0,
    };
    this.#running.set(job, running);
    clearTimeout(this.#leaving);
    this.#begin(job, running).catch((error: unknown) => {
      const reply = replyOf(error);
      if (!job.ended) job.fail(reply === undefined ? error : this.#refusal(reply));
    });
  }

  async #begin(job: Job, running: Running): Promise<void> {
    const link = await this.#open();
    if (job.ended) return;
    const imports = importsOf(running.fn);
    const program: Program = {
      label: job.record.label,
      pool: this.#spec,
      fn: running.fn,
      imports,
      payloadBytes: this.#payloadBytes,
    };
    const body = pack(program);
    if (body.length > this.#payloadBytes)
      throw this.#tooLarge('The function, with all that it uses,', body.length);
    running.program = body;
    await this.#refresh(link, running);
    await this.#lookAround(link);
    await this.#checkImports(imports);
    if (job.ended) {
      this.#tidyUp(running.run, []);
      return;
    }
    job.record.workers = this.workers;
    running.isReady = true;
    this.wake();
  }

  #tooLarge(what: string, bytes: number): ClusterError {
    const mb = (bytes / 1024 / 1024).toFixed(1);
    return new ClusterError(
      `${what} has ${mb} MiB, and no more than ${this.#options.payloadMb} MiB may go through Redis (payloadMb). Let the workers read large data themselves, in init.`,
    );
  }

  /** Packages that a machine lacks are found out before anything runs. */
  async #checkImports(imports: readonly string[]): Promise<void> {
    const specifiers = imports.filter((specifier) =>
      [...this.#machines.keys()].some((id) => !this.#checked.has(`${id} ${specifier}`)),
    );
    if (specifiers.length === 0) return;
    for (const { machine, missing } of await this.#ask({ ask: 'imports', specifiers }, 2000)) {
      if (missing) throw lacks(missing);
      for (const specifier of specifiers) this.#checked.add(`${machine} ${specifier}`);
    }
  }

  wake(): void {
    const link = this.#up;
    // What is taken may end a job, and that wakes again.
    if (!link || this.#isFeeding) return;
    this.#isFeeding = true;
    while (this.#sent.size < this.#window) {
      const batch = this.#next();
      if (!batch) break;
      this.#send(batch);
    }
    this.#isFeeding = false;
    this.#flush(link);
  }

  /** Batches in Redis: each worker's next one lies ready, unless so many workers were asked for and no more. */
  get #window(): number {
    if (this.#machines.size === 0) return 0;
    const ahead = this.#options.workers === Number.POSITIVE_INFINITY ? 2 : 1;
    return ahead * this.workers * this.#options.concurrency;
  }

  #next(): Batch | undefined {
    const jobs = [...this.#running.keys()].filter((job) => this.#running.get(job)!.isReady);
    for (let tried = 0; tried < jobs.length; tried++) {
      const batch = jobs[this.#turn++ % jobs.length]!.take(true);
      if (batch) return batch;
    }
    return undefined;
  }

  #send(batch: Batch): void {
    const { job } = batch;
    const { run } = this.#running.get(job)!;
    let body: Buffer;
    try {
      const order: BatchBody['order'] = {
        run: job.id,
        batch: batch.id,
        first: batch.first,
        items: encodeItems(batch, 'cluster', []),
        spread: job.spread,
        budgetMs: job.budgetMs,
        handOverMs: this.batchMs,
        prefix: job.options.prefix ?? false,
      };
      body = pack({ order, timeoutMs: job.options.timeoutMs, solo: batch.solo });
      this.#bytesAnItem = Math.max(8, body.length / batch.items.length);
      if (body.length > this.#payloadBytes) throw this.#tooLarge('The item', body.length);
    } catch (error) {
      queueMicrotask(() => {
        job.refuse(batch, error, 'not sent');
        this.wake();
      });
      return;
    }
    this.#post(batch, run, body);
  }

  #post(batch: Batch, run: string, body: Buffer): void {
    const id = `${run}-${++this.#lastId}`;
    const at = now();
    const sent: Sent = { id, batch, run, body, sentMs: at, heardMs: at, sealedMs: at, notes: new Map() };
    this.#sent.set(id, sent);
    this.#unsent.push(sent);
  }

  #flush({ queue }: Link): void {
    if (this.#unsent.length === 0) return;
    const jobs = this.#unsent.map(({ id, run, body }) => ({
      name: 'batch',
      data: this.#seal.close('batch', run, id, body, SEALED_MS),
      opts: { jobId: id, removeOnComplete: true, removeOnFail: true },
    }));
    this.#unsent = [];
    // If Redis is away the commands wait; if it stays away, `#tick` says so.
    queue.addBulk(jobs).catch((error: unknown) => this.#refusedBy(error));
  }

  /** Redis is there and won't do what it was asked: waiting mends nothing. */
  #refusedBy(error: unknown): void {
    const reply = replyOf(error);
    if (reply === undefined) return;
    const refusal = this.#refusal(reply);
    for (const job of [...this.#running.keys()]) if (!job.ended) job.fail(refusal);
  }

  #refusal(reply: string): ClusterError {
    return new ClusterError(
      `Redis at ${redacted(this.#url)} refuses the cluster's work: ${reply}. ${remedy(reply)}`.trim(),
    );
  }

  // ---- what comes back

  #completed(id: string, value: unknown): void {
    const sent = this.#sent.get(id);
    // Late, or a copy: its items have their outcome.
    if (!sent) return;
    let reply: Reply;
    try {
      reply = unpack<Reply>(this.#seal.open(value, { kind: 'result', run: sent.run, id }));
    } catch (error) {
      this.#distrust(sent, error);
      return;
    }
    this.#take(sent, reply, true);
    this.#sent.delete(id);
    const { job } = sent.batch;
    const lane = reply.lane || sent.lane || 'cluster';
    const startMs = this.#here(reply, reply.startMs, sent);
    switch (reply.end.how) {
      case 'done':
        this.#settle(sent, unpack<DoneMessage>(reply.end.done), reply, true);
        break;
      case 'lost': {
        const { late, message, alone } = reply.end;
        const error = late ? new TimeoutError(message) : message ? new WorkerLostError(message) : undefined;
        job.lost(sent.batch, error, lane, alone, startMs, error === undefined);
        break;
      }
      case 'large': {
        const alone = sent.batch.settled === sent.batch.end - 1;
        job.lost(sent.batch, this.#tooLarge('The result', reply.end.bytes), lane, alone, startMs, false);
        break;
      }
      case 'broken':
        if (!job.ended) job.fail(decode(reply.end.error));
        break;
      case 'missing':
        if (!job.ended) job.fail(lacks(reply.end.missing));
        break;
      case 'gone':
        job.lost(sent.batch, undefined, lane, false, startMs, true);
        break;
    }
    this.wake();
  }

  #progress(id: string, value: unknown): void {
    const sent = this.#sent.get(id);
    if (!sent) return;
    let note: Note;
    try {
      note = unpack<Note>(this.#seal.open(value, { kind: 'note', run: sent.run, id }));
      if (note.number <= (sent.notes.get(note.attempt) ?? 0)) throw new Refusal('replayed');
      sent.notes.set(note.attempt, note.number);
    } catch (error) {
      this.#refused.add(error, 'a note from a worker');
      return;
    }
    this.#take(sent, note, false);
  }

  /** BullMQ gave it up: machine after machine was lost with it. */
  #failed(id: string): void {
    const sent = this.#sent.get(id);
    if (!sent) return;
    this.#sent.delete(id);
    const error = new WorkerLostError(
      'The machine that had this item was lost, and so were the next ones that got it.',
    );
    sent.batch.job.lost(sent.batch, error, sent.lane ?? 'cluster', true, sent.startMs ?? sent.sentMs, false);
    this.wake();
  }

  /** What a batch said on its way. */
  #take(sent: Sent, note: Note, isLast: boolean): void {
    sent.heardMs = now();
    if (note.lane) {
      const startMs = this.#here(note, note.startMs, sent);
      if (sent.lane !== undefined && sent.lane !== note.lane) this.#showLost(sent, startMs);
      if (!isLast || sent.lane !== note.lane) Object.assign(sent, { lane: note.lane, startMs });
    }
    for (const bytes of note.asides) {
      const aside = unpack<Aside>(bytes);
      if (aside.aside === 'print') sent.batch.job.print(aside, note.lane);
      else if (aside.aside === 'late') tellLate(aside.from, decode(aside.error));
      else this.#settle(sent, aside.done, note, false);
    }
  }

  /** Another worker has the batch now: what the lost one did shows in the record. */
  #showLost({ batch, lane, startMs }: Sent, endMs: number): void {
    if (batch.job.ended) return;
    const { record } = batch.job;
    const start = startMs! - record.origin;
    record.add({
      index: batch.first + batch.settled,
      count: Math.max(1, batch.end - batch.settled),
      lane: lane!,
      queuedMs: Math.max(0, start - batch.readyMs),
      startMs: start,
      endMs: Math.max(start, endMs - record.origin),
      status: 'cancelled',
      attempt: batch.attempt,
      error: 'this worker was lost, and another one took over',
    });
  }

  #settle(sent: Sent, done: DoneMessage, note: Note, isLast: boolean): void {
    const { batch } = sent;
    const { job } = batch;
    if (job.ended) return;
    const whole: Outcome = fromMessage(done);
    const outcome = clipped(whole, batch.settled, batch.end);
    if (outcome) {
      const spans = translated(outcome.spans, (ms) => this.#here(note, ms, sent));
      job.settle(
        batch,
        { ...outcome, spans },
        note.lane,
        isLast && outcome.offset + outcome.count >= outcome.end,
      );
      if (!isLast || outcome.offset + outcome.count >= outcome.end) return;
    }
    // Something in between was lost on the way: it runs once more.
    if (isLast) job.lost(batch, undefined, note.lane, false, sent.sentMs, true);
  }

  /** A time of another machine on this one's clock. The clocks agree to a millisecond or so, cause and effect always. */
  #here({ clockMs }: Note, ms: number, sent: Sent): number {
    const here = ms + clockMs - (this.#up?.clockMs ?? clockMs);
    return Math.min(Math.max(here, sent.sentMs), now());
  }

  /** A forger's words change nothing. But where the job is gone as well, it was a worker's, and the job is sent again. */
  #distrust(sent: Sent, error: unknown): void {
    this.#refused.add(error, 'an answer');
    sent.heardMs = Number.NEGATIVE_INFINITY;
    sent.isMissing = true;
    sent.isDistrusted = true;
  }

  #sendAgain(sent: Sent): void {
    const { batch, run, body, isDistrusted } = sent;
    this.#sent.delete(sent.id);
    const running = this.#running.get(batch.job);
    if (running && isDistrusted && ++running.refused > MOST_REFUSED * Math.max(1, this.workers)) {
      batch.job.fail(
        new ClusterError(
          `Workers of "${this.#options.name}" gave answers without the right signature: they refuse this notebook's jobs. Do all of them have the same secret?`,
        ),
      );
      return;
    }
    this.#post(batch, run, body);
  }

  // ---- Redis

  #open(): Promise<Link> {
    if (this.#isClosed)
      return Promise.reject(new ClusterError('This pool is closed; make another with createPool.'));
    if (!this.#link) {
      const link = this.#connect();
      this.#link = link;
      link.catch(() => {
        if (this.#link === link) this.#link = undefined;
      });
    }
    return this.#link;
  }

  async #connect(): Promise<Link> {
    const { bullmq } = libraries();
    const { name, reconnectMs } = this.#options;
    const patienceMs = Math.min(FIRST_MS, reconnectMs);
    const redis = await connect(this.#url, patienceMs, () => {});
    const answers = await connect(this.#url, patienceMs, () => {}).catch((error: unknown) => {
      redis.disconnect();
      throw error;
    });
    answers.on('message', (_channel: string, text: string) => this.#hear(text));
    await answers.subscribe(keyOf(name, `answers-${this.#spec.id}`));
    const clockMs = await clockOffset(redis);
    const queue = new bullmq.Queue(name, {
      connection: redis as never,
      prefix: PREFIX,
      skipVersionCheck: true,
    });
    const events = new bullmq.QueueEvents(name, {
      connection: { url: this.#url, ...REDIS_OPTIONS } as never,
      prefix: PREFIX,
      skipVersionCheck: true,
      // From now on: what is sent in a moment must not be missed.
      lastEventId: `${Math.floor(now() + clockMs)}-0`,
    });
    queue.on('error', () => {});
    events.on('error', () => {});
    events.on('completed', ({ jobId, returnvalue }) => this.#completed(jobId, returnvalue));
    events.on('progress', ({ jobId, data }) => this.#progress(jobId, data));
    events.on('failed', ({ jobId }) => this.#failed(jobId));
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    const link = { redis, answers, queue, events, clockMs };
    this.#up = link;
    this.#silentTicks = 0;
    this.#keepAlive(link, true);
    for (const one of [redis, answers]) {
      one.on('ready', () => this.#keepAlive(link, this.#running.size > 0));
    }
    this.#ticker ??= setInterval(() => void this.#tick(), TICK_MS).unref();
    return link;
  }

  /** A program must not end under a run; when there is none, or in a notebook, connections keep nothing from ending. */
  #keepAlive({ redis, answers, events }: Link, isBusy: boolean): void {
    const change = isBusy && !inNotebook() ? 'ref' : 'unref';
    type Client = { stream?: { ref?(): void; unref?(): void } };
    const apply = (client: Client) => client.stream?.[change]?.();
    apply(redis as unknown as Client);
    apply(answers as unknown as Client);
    const { connection } = events.getBackend() as unknown as { connection?: { client: Promise<Client> } };
    connection?.client.then(apply, () => {});
  }

  #disconnect(): void {
    const link = this.#up;
    this.#up = undefined;
    this.#link = undefined;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#machines.clear();
    if (!link) return;
    link.events.close().catch(() => {});
    link.redis.disconnect();
    link.answers.disconnect();
  }

  /** Every second: who is there, what has become of what is not heard of, is Redis still there. */
  async #tick(): Promise<void> {
    const link = this.#up;
    if (!link) return;
    if (this.#isTicking) {
      // Ticks and not time: a kernel that computes for long doesn't hear Redis meanwhile.
      if (++this.#silentTicks * TICK_MS >= this.#options.reconnectMs) this.#giveUp();
      else if (this.#silentTicks === SILENT_SAID_TICKS)
        this.#sayAll(
          `Redis at ${redacted(this.#url)} has not answered for ${SILENT_SAID_TICKS} s; the run waits for it, up to ${this.#options.reconnectMs / 1000} s (reconnectMs).`,
        );
      return;
    }
    if (this.#running.size === 0) return;
    this.#isTicking = true;
    try {
      await this.#lookAround(link);
      if (this.#ticks % CLOCK_TICKS === 0) link.clockMs = await clockOffset(link.redis);
      if (this.#ticks++ % REFRESH_TICKS === 0 || this.#silentTicks > 0) {
        for (const running of this.#running.values())
          if (running.program.length > 0) await this.#refresh(link, running);
      }
      await this.#lookFor(link);
      await this.#lookForPause(link);
      this.#silentTicks = 0;
      this.#waitForSomebody();
    } catch (error) {
      // Disconnected meanwhile, or refused.
      this.#refusedBy(error);
    }
    this.#isTicking = false;
    this.wake();
  }

  #sayAll(sentence: string): void {
    for (const job of this.#running.keys()) job.write.stderr(`${sentence}\n`);
  }

  /** Somebody may have told BullMQ to hand out nothing. */
  async #lookForPause({ queue }: Link): Promise<void> {
    const isPaused = this.#sent.size > 0 && (await queue.isPaused());
    if (isPaused && !this.#isPaused) {
      this.#sayAll(
        `The queue "${this.#options.name}" is paused: its workers get nothing until somebody resumes it (BullMQ's queue.resume()).`,
      );
    }
    this.#isPaused = isPaused;
  }

  #giveUp(): void {
    const seconds = Math.round(this.#options.reconnectMs / 100) / 10;
    const error = new ClusterError(
      `Redis at ${redacted(this.#url)} has been away for ${seconds} s (reconnectMs), so the run was given up.`,
    );
    this.#isTicking = false;
    this.#silentTicks = 0;
    this.#sent.clear();
    const jobs = [...this.#running.keys()];
    this.#disconnect();
    for (const job of jobs) job.fail(error);
  }

  async #lookAround({ redis }: Link): Promise<void> {
    const cards = await redis.hgetall(keyOf(this.#options.name, 'workers'));
    this.#machines.clear();
    for (const [id, text] of Object.entries(cards)) {
      try {
        const body = this.#seal.open(JSON.parse(text), { kind: 'worker', run: id });
        this.#machines.set(id, unpack<Machine>(body));
      } catch {
        // One that is gone, or not one of ours.
      }
    }
    for (const [job, { isReady }] of this.#running) if (isReady) job.record.workers = this.workers;
  }

  #waitForSomebody(): void {
    const { name } = this.#options;
    for (const [job, running] of this.#running) {
      if (this.#machines.size > 0) {
        running.saidNobody = false;
        continue;
      }
      const waitedMs =
        now() - Math.max(running.startedMs, ...[...this.#sent.values()].map(({ heardMs }) => heardMs));
      const start = `npx tslab-parallel worker --redis ${redacted(this.#url)} --name ${name}`;
      if (waitedMs > NOBODY_MS) {
        job.fail(
          new ClusterError(`No worker of "${name}" has come in ${NOBODY_MS / 1000} s. Start one: ${start}`),
        );
      } else if (waitedMs > NOBODY_SAID_MS && !running.saidNobody) {
        running.saidNobody = true;
        job.write.stderr(
          `No worker of "${name}" is there, waiting for one (with the same secret): ${start}\n`,
        );
      }
    }
  }

  /** Tells Redis that the run goes on. */
  async #refresh({ redis }: Link, running: Running): Promise<void> {
    const { run, program } = running;
    const key = keyOf(this.#options.name, `run-${run}`);
    const isFresh = now() - running.sealedMs < SEALED_MS / 2;
    if (isFresh && (await redis.pexpire(key, LEASE_MS)) === 1) return;
    const sealed = this.#seal.close('program', run, '', program, SEALED_MS);
    await redis.set(key, JSON.stringify(sealed), 'PX', LEASE_MS);
    running.sealedMs = now();
  }

  /** Batches of which Redis knows nothing, twice in a row, are sent again: it may have lost them, or their results. */
  async #lookFor({ redis, queue }: Link): Promise<void> {
    const quiet = [...this.#sent.values()].filter(({ heardMs }) => now() - heardMs > QUIET_MS);
    if (quiet.length === 0) return;
    const found = await redis.pipeline(quiet.map(({ id }) => ['exists', queue.toKey(id)])).exec();
    for (const [at, sent] of quiet.entries()) {
      const [error, exists] = found?.[at] ?? [null, 1];
      if (error || !this.#sent.has(sent.id)) continue;
      if (exists !== 0) {
        sent.isMissing = false;
        if (now() - sent.sealedMs > SEALED_MS / 2) await this.#sealAnew(queue, sent);
      } else if (!sent.isMissing) sent.isMissing = true;
      else this.#sendAgain(sent);
    }
  }

  async #sealAnew(queue: Queue, sent: Sent): Promise<void> {
    const job = await queue.getJob(sent.id);
    await job?.updateData(this.#seal.close('batch', sent.run, sent.id, sent.body, SEALED_MS));
    sent.sealedMs = now();
  }

  // ---- asking the machines

  async #ask(ask: Ask, patienceMs: number): Promise<Answer[]> {
    const { redis } = await this.#open();
    const id = randomBytes(9).toString('hex');
    const missing = new Set(this.#machines.keys());
    const answers: Answer[] = [];
    if (missing.size === 0) return answers;
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#asks.set(id, {
        missing,
        answers,
        done: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
    const sealed = this.#seal.close('ask', this.#spec.id, id, pack(ask), 60_000);
    await redis.publish(keyOf(this.#options.name, 'asks'), JSON.stringify(sealed));
    await done;
    this.#asks.delete(id);
    return answers;
  }

  #tell(ask: Ask): Promise<unknown> {
    const { redis } = this.#up!;
    const id = randomBytes(9).toString('hex');
    const sealed = this.#seal.close('ask', this.#spec.id, id, pack(ask), 60_000);
    return redis.publish(keyOf(this.#options.name, 'asks'), JSON.stringify(sealed));
  }

  #hear(text: string): void {
    try {
      const sealed = JSON.parse(text) as Sealed;
      if (sealed?.kind === 'claim') {
        this.#permit(sealed);
        return;
      }
      const body = this.#seal.open(sealed, { kind: 'answer', run: this.#spec.id });
      const asked = this.#asks.get(sealed.id);
      if (!asked) return;
      const answer = unpack<Answer>(body);
      if (!asked.missing.delete(answer.machine)) return;
      asked.answers.push(answer);
      if (asked.missing.size === 0 || answer.missing || answer.error) asked.done();
    } catch (error) {
      if (!(error instanceof SyntaxError)) this.#refused.add(error, 'an answer');
    }
  }

  /** A machine asks before it runs something. Only what is waited for here and now is wanted. */
  #permit(question: Sealed): void {
    const claim = unpack<Claim>(this.#seal.open(question, { kind: 'claim', run: this.#spec.id }));
    const sent = this.#sent.get(claim.id);
    if (sent) sent.heardMs = now();
    const isWanted = sent ? !sent.batch.job.ended : this.#asks.has(claim.id);
    if (this.#up) permit(this.#seal, this.#up.redis, question, claim, isWanted);
  }

  /** Enough workers there, and up. */
  async ready(): Promise<void> {
    const link = await this.#open();
    const untilMs = now() + NOBODY_MS;
    const { workers, name } = this.#options;
    const wanted = workers === Number.POSITIVE_INFINITY ? 1 : workers;
    const there = () => [...this.#machines.values()].reduce((sum, machine) => sum + machine.workers, 0);
    for (await this.#lookAround(link); there() < wanted && !this.#isClosed; await this.#lookAround(link)) {
      if (now() > untilMs) {
        throw new ClusterError(
          `${there()} of ${wanted} workers of "${name}" are there after ${NOBODY_MS / 1000} s. Start more: npx tslab-parallel worker --redis ${redacted(this.#url)} --name ${name}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    for (const { error } of await this.#ask({ ask: 'ready', pool: this.#spec }, 30_000)) {
      if (error) throw decode(error);
    }
    this.#rest();
  }

  // ---- the end

  stopped(job: Job, graceMs: number): void {
    const running = this.#running.get(job);
    if (!running) return;
    this.#running.delete(job);
    const mine = [...this.#sent.values()].filter(({ batch }) => batch.job === job);
    for (const { batch, lane, startMs, sentMs } of mine) {
      job.cutOff(batch, lane ?? 'not begun', startMs ?? sentMs);
    }
    const end = () => {
      const left = mine.filter(({ id }) => this.#sent.delete(id)).map(({ id }) => id);
      this.#unsent = this.#unsent.filter(({ id }) => !left.includes(id));
      this.#tidyUp(running.run, left);
      this.wake();
    };
    // A warm worker is worth a moment: what is about to end may do so.
    if (graceMs === 0 || mine.length === 0) end();
    else setTimeout(end, graceMs);
    this.#rest();
  }

  /** After a run Redis holds what it held before. */
  #tidyUp(run: string, ids: readonly string[]): void {
    const link = this.#up;
    if (!link) return;
    const { redis, queue } = link;
    const { name } = this.#options;
    const work = async () => {
      await redis.del(keyOf(name, `run-${run}`));
      if (ids.length === 0) return;
      await this.#tell({ ask: 'stop', run });
      // What a worker has just begun is its own to remove.
      await Promise.allSettled(ids.map((id) => queue.remove(id)));
    };
    const tidying: Promise<unknown> = work()
      .catch(() => {})
      .finally(() => this.#tidying.delete(tidying));
    this.#tidying.add(tidying);
  }

  /** Without a run the connection is not kept for long. */
  #rest(): void {
    if (this.#running.size > 0 || !this.#up) return;
    this.#keepAlive(this.#up, false);
    clearTimeout(this.#leaving);
    const { idleMs } = this.#options;
    // BullMQ's listener has a timer that would keep a program from ending.
    const lingerMs = inNotebook() ? idleMs : Math.min(idleMs, PROGRAM_LINGERS_MS);
    this.#leaving = after(lingerMs, () => {
      if (this.#running.size === 0) this.#disconnect();
    }).unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#leaving);
    if (!this.#up) return;
    await Promise.race([
      Promise.all([...this.#tidying, this.#tell({ ask: 'leave', pool: this.#spec.id })]).catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 2000).unref()),
    ]);
    this.#refused.tell();
    this.#disconnect();
  }
}

function lacks({ host, folder, specifiers }: Missing): ClusterError {
  const names = specifiers.map((specifier) => `"${specifier}"`).join(', ');
  return new ClusterError(
    `The machine ${host} has no ${names}, which the function imports: install it there, in ${folder}.`,
  );
}
