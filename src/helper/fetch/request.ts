import { after } from '../timer';
import { Attempt, type Reply } from './attempt';
import { toText } from './body';
import { isPassing, RequestError } from './errors';
import type { CheckedOptions } from './options';
import type { Incoming, Outgoing, Send } from './transport';

/** What came of one entry of a fan-out. */
export interface Fetched<B = string> {
  /** The address that was asked for. */
  readonly url: string;
  /** Where the redirects ended. */
  readonly finalUrl: string;
  readonly status: number;
  /** Names in lower case; what came several times is joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Length of the body, decoded. */
  readonly bytes: number;
  /** As `as` or `parse` made it. */
  readonly body: B;
  /** How often it was tried. */
  readonly attempts: number;
  /** Milliseconds. */
  readonly times: {
    /** From the start of the run (for an input that is not an array: from when it was pulled) to the first attempt. */
    readonly queuedMs: number;
    /** From the last attempt's start to its first byte, the status line. */
    readonly firstByteMs: number;
    /** From the first attempt's start to the end of the body, pauses and repetitions included. */
    readonly doneMs: number;
  };
}

const BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;

/** Carries out the requests of one fan-out: attempts, time limits, pauses, places on each host. */
export class Requester {
  readonly #options: CheckedOptions;
  readonly #hosts = new Map<string, { active: number; waiting: (() => void)[] }>();
  /** Attempts and pauses that are going on. */
  readonly #underWay = new Set<{ stop(reason: unknown): void }>();
  #signal: AbortSignal | undefined;

  constructor(options: CheckedOptions) {
    this.#options = options;
  }

  /**
   * Fetches one entry. Settles once, whatever the server does.
   * @param queuedMs what it has waited so far
   */
  async fetch(
    request: Outgoing,
    send: Send,
    signal: AbortSignal,
    queuedMs: number,
  ): Promise<Fetched<unknown>> {
    this.#listen(signal);
    const cameMs = performance.now();
    const leave = await this.#enterHost(request.url);
    const startMs = performance.now();
    const deadlineMs = startMs + this.#options.timeoutMs;
    try {
      for (let number = 1; ; number++) {
        signal.throwIfAborted();
        const attempt = new Attempt(request, send, this.#options, deadlineMs, number);
        this.#underWay.add(attempt);
        const outcome = await attempt.outcome;
        this.#underWay.delete(attempt);
        const isLast = number > this.#options.retries || !this.#mayRepeat(request, outcome);
        const pauseMs = isLast ? 0 : this.#pauseMs(number, outcome);
        if (isLast || performance.now() + pauseMs >= deadlineMs) {
          if (outcome instanceof RequestError) throw outcome;
          return await this.#result(request, outcome, number, {
            queuedMs: queuedMs + startMs - cameMs,
            firstByteMs: outcome.firstByteMs,
            doneMs: performance.now() - startMs,
          });
        }
        await this.#pause(pauseMs);
      }
    } finally {
      leave?.();
    }
  }

  /** One listener for all requests of the run: there may be thousands at once. */
  #listen(signal: AbortSignal): void {
    if (this.#signal) return;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      for (const each of [...this.#underWay]) each.stop(signal.reason);
      this.#underWay.clear();
      for (const { waiting } of this.#hosts.values()) for (const enter of waiting) enter();
    });
  }

  /** Waits for a place on the entry's host. */
  async #enterHost(url: string): Promise<(() => void) | undefined> {
    const { perHost } = this.#options;
    if (perHost === Number.POSITIVE_INFINITY) return undefined;
    const { host } = new URL(url);
    const gate = this.#hosts.get(host) ?? { active: 0, waiting: [] };
    this.#hosts.set(host, gate);
    const { waiting } = gate;
    if (gate.active < perHost) gate.active++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return () => {
      const next = waiting.shift();
      // The place goes from hand to hand.
      if (next) next();
      else gate.active--;
    };
  }

  #mayRepeat({ method }: Outgoing, outcome: Reply | RequestError): boolean {
    if (!this.#options.retryUnsafe && !/^(GET|HEAD|OPTIONS|TRACE)$/.test(method)) return false;
    if (outcome instanceof RequestError) return isPassing(outcome.code, outcome.cause);
    const { status } = outcome.answer;
    return status === 408 || status === 429 || status >= 500;
  }

  /** What the server asks for, else exponential backoff with jitter. */
  #pauseMs(number: number, outcome: Reply | RequestError): number {
    const asked = outcome instanceof RequestError ? undefined : retryAfterMs(outcome.answer);
    if (asked !== undefined) return Math.min(asked, this.#options.maxRetryAfterMs);
    const most = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (number - 1));
    // Equal jitter (Brooker 2015): what failed together doesn't come back together, nor at once.
    return most / 2 + (Math.random() * most) / 2;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const pause = {
        stop: (reason: unknown) => {
          clearTimeout(timer);
          this.#underWay.delete(pause);
          reject(reason);
        },
      };
      const timer = after(ms, () => {
        this.#underWay.delete(pause);
        resolve();
      });
      this.#underWay.add(pause);
    });
  }

  async #result(
    { url }: Outgoing,
    { answer, bytes }: Reply,
    attempts: number,
    times: Fetched['times'],
  ): Promise<Fetched<unknown>> {
    const { status, headers, url: finalUrl } = answer;
    const result = {
      url,
      finalUrl,
      status,
      headers,
      bytes: bytes.length,
      body: undefined as unknown,
      attempts,
      times,
    };
    const isOk = status >= 200 && status < 300;
    if (!isOk && this.#options.throwHttpErrors) {
      result.body = toText(bytes, headers['content-type']);
      throw new RequestError('status', { url, attempts, detail: String(status), response: result });
    }
    try {
      const body = this.#parse(bytes, result, isOk);
      result.body = await body;
    } catch (cause) {
      throw new RequestError('parse', { url, attempts, cause });
    }
    return result;
  }

  #parse(bytes: Buffer, result: Fetched<unknown>, isOk: boolean): unknown {
    const { as, parse } = this.#options;
    if (parse) {
      const { body: _, ...response } = result;
      return parse(new Uint8Array(bytes), response);
    }
    if (as === 'bytes') return new Uint8Array(bytes);
    const text = toText(bytes, result.headers['content-type']);
    if (as === 'text') return text;
    if (text === '') return null;
    try {
      return JSON.parse(text);
    } catch (error) {
      // The page that comes with an error is often no JSON, and better than nothing.
      if (!isOk) return text;
      throw error;
    }
  }
}

/** Milliseconds that a `Retry-After` header asks for: seconds, or a date. */
function retryAfterMs({ headers }: Incoming): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
