import { after } from '../timer';
import { decode } from './body';
import { classify, RequestError, type RequestErrorCode } from './errors';
import type { CheckedOptions } from './options';
import { isRedirect, RedirectError } from './redirects';
import { type Exchange, type Incoming, type Outgoing, type Send, TooLarge } from './transport';

/** An answer, its body decoded. */
export interface Reply {
  readonly answer: Incoming;
  readonly bytes: Buffer;
  /** Milliseconds from the attempt's start to its status line. */
  readonly firstByteMs: number;
}

/**
 * One try at one request. `outcome` is its reply, or the error that says why there is none; it rejects only when the run
 * is stopped. A class rather than closures, because a fan-out makes thousands of them a second.
 */
export class Attempt implements Exchange {
  readonly outcome: Promise<Reply | RequestError>;
  aborted = false;
  reason: unknown;
  readonly #request: Outgoing;
  readonly #options: CheckedOptions;
  readonly #number: number;
  readonly #startMs = performance.now();
  readonly #deadlineMs: number;
  readonly #listeners: (() => void)[] = [];
  #firstByteMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: (outcome: Reply | RequestError) => void;
  #reject!: (reason: unknown) => void;

  /**
   * @param deadlineMs `performance.now()` at which the whole entry is out of time
   * @param number 1 for the first
   */
  constructor(request: Outgoing, send: Send, options: CheckedOptions, deadlineMs: number, number: number) {
    this.#request = request;
    this.#options = options;
    this.#deadlineMs = deadlineMs;
    this.#number = number;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#watch();
    void this.#carryOut(send);
  }

  async #carryOut(send: Send): Promise<void> {
    const { maxBytes } = this.#options;
    try {
      const answer = await send(this.#request, this);
      const encoding = answer.isEncoded ? answer.headers['content-encoding'] : undefined;
      const bytes = encoding === undefined ? answer.bytes : await decode(answer.bytes, encoding, maxBytes);
      clearTimeout(this.#timer);
      this.#resolve({ answer, bytes, firstByteMs: this.#firstByteMs });
    } catch (error) {
      if (this.aborted) return; // settled before
      const isTooLarge =
        error instanceof TooLarge || (error as NodeJS.ErrnoException | null)?.code === 'ERR_BUFFER_TOO_LARGE';
      if (error instanceof RedirectError) this.#fail('redirects', error.message);
      else if (isTooLarge) this.#fail('too-large', `more than ${maxBytes} bytes`);
      else this.#fail(classify(error, this.#firstByteMs > 0), undefined, error);
    }
  }

  /** One timer for both limits: most requests are through before it looks even once. */
  #watch(): void {
    const { headersTimeoutMs, timeoutMs } = this.#options;
    const nowMs = performance.now();
    const forHeadersMs =
      this.#firstByteMs > 0 ? Number.POSITIVE_INFINITY : this.#startMs + headersTimeoutMs - nowMs;
    const forAllMs = this.#deadlineMs - nowMs;
    if (forHeadersMs <= 0) this.#fail('headers-timeout', `${headersTimeoutMs} ms`);
    else if (forAllMs <= 0) this.#fail('timeout', `${timeoutMs} ms`);
    else this.#timer = after(Math.min(forHeadersMs, forAllMs), () => this.#watch());
  }

  #fail(code: RequestErrorCode, detail?: string, cause?: unknown): void {
    this.#resolve(new RequestError(code, { url: this.#request.url, attempts: this.#number, detail, cause }));
    // A transport that doesn't listen may go on: its outcome is settled all the same.
    this.#abort(new Error(code));
  }

  /** The run is over: nobody wants this any more. */
  stop(reason: unknown): void {
    this.#reject(reason);
    this.#abort(reason);
  }

  #abort(reason: unknown): void {
    clearTimeout(this.#timer);
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of [...this.#listeners]) listener();
  }

  // What the transport sees

  get [Symbol.toStringTag](): 'AbortSignal' {
    return 'AbortSignal';
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  answered(status = 0): void {
    if (this.#firstByteMs === 0 && !isRedirect(status)) this.#firstByteMs = performance.now() - this.#startMs;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }
}
