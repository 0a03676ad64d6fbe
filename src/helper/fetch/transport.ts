/** What carries one request: node-fetch, undici, or a function with fetch's signature. */
import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { after } from '../timer';
import { following } from './redirects';

/** A request as all transports take it. */
export interface Outgoing {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  /** What its body is still to be read from. */
  readonly source?: RequestLike;
}

/** A `Request`, Node's own, node-fetch's or undici's: of it method, headers and body count. */
export interface RequestLike {
  readonly url: string;
  readonly method: string;
  readonly headers: { forEach(visit: (value: string, name: string) => void): void };
  readonly body: unknown;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  clone(): RequestLike;
}

/** An answer with its whole body. */
export interface Incoming {
  readonly status: number;
  /** Who answered. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** The body is as it came over the wire: `content-encoding` is still to be undone. */
  readonly isEncoded: boolean;
}

/** Carries out one request, redirects left to `redirects.ts`. Rejects with what its library threw, and when `exchange` is aborted. */
export type Send = (request: Outgoing, exchange: Exchange) => Promise<Incoming>;

/** The body is longer than it may be. */
export class TooLarge extends Error {}

/**
 * What a transport and the fan-out tell each other while a request is under way. To the transport it is an AbortSignal:
 * a real one takes longer to make than all the rest of the fan-out's own work for a request.
 */
export interface Exchange {
  readonly [Symbol.toStringTag]: 'AbortSignal';
  readonly aborted: boolean;
  readonly reason: unknown;
  readonly maxBytes: number;
  /** To be called at the first byte of an answer; one that may be a redirect only counts where its status is left out. */
  answered(status?: number): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The pieces of a body, as they come. */
class Pieces {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(readonly maxBytes: number) {}

  /** @returns false when it is too much */
  add(piece: Uint8Array): boolean {
    this.#length += piece.length;
    this.#pieces.push(piece);
    return this.#length <= this.maxBytes;
  }

  /** May share its memory with the connection's buffer: to be read and let go. */
  join(): Buffer {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && Buffer.isBuffer(only)
      ? only
      : Buffer.concat(this.#pieces, this.#length);
  }
}

/** What a fan-out needs of a function with fetch's signature. */
export type FetchLike = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string | Uint8Array;
    signal: AbortSignal;
    redirect: 'manual';
  },
) => Promise<FetchLikeResponse>;

export interface FetchLikeResponse {
  readonly status: number;
  readonly url?: string;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
  /** A stream of Node or of the web. */
  readonly body?: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export type Transport = 'node-fetch' | 'undici' | FetchLike;

/** What a kept connection may be idle for. Servers mostly close theirs after 5 seconds or more. */
const IDLE_MS = 4000;
const ENCODINGS = { 'accept-encoding': 'gzip, deflate, br' };

export interface Limits {
  readonly concurrency: number;
  readonly connectTimeoutMs: number;
}

/** Loads a transport, and makes sure that it keeps as many connections as a fan-out of this size can use. */
export async function openTransport(transport: Transport, limits: Limits): Promise<Send> {
  if (transport === 'node-fetch') return following(await nodeFetch(limits));
  if (transport === 'undici') return following(await undici(limits));
  return following(fetchLike(transport));
}

// node-fetch

/** Ends a connection that doesn't come about in time. */
function limitConnecting(socket: Socket, event: 'connect' | 'secureConnect', ms: number): Socket {
  if (ms === Number.POSITIVE_INFINITY) return socket;
  const timer = after(ms, () => {
    socket.destroy(Object.assign(new Error(`no connection within ${ms} ms`), { code: 'ETIMEDOUT' }));
  });
  const stop = () => clearTimeout(timer);
  return socket.once(event, stop).once('close', stop);
}

type Connect = (...args: unknown[]) => Socket;
type AddRequest = (request: ClientRequest, ...rest: unknown[]) => void;

function keepAliveAgents(connectTimeoutMs: number) {
  const options = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const;
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);
  for (const [agent, event] of [
    [http, 'connect'],
    [https, 'secureConnect'],
  ] as const) {
    const own = agent as unknown as { createConnection: Connect; addRequest: AddRequest };
    const { createConnection: connect, addRequest } = own;
    own.addRequest = (request, ...rest) => {
      // Node leaves an answer of 101, which nobody asked for, to whoever listens; else nothing ever comes of it.
      request.once('upgrade', (_answer, socket: Socket) => {
        socket.destroy();
        request.emit(
          'error',
          Object.assign(new Error('it would change the protocol (101)'), { code: 'HPE_UPGRADE' }),
        );
      });
      addRequest.call(agent, request, ...rest);
    };
    own.createConnection = (...args) => limitConnecting(connect.apply(agent, args), event, connectTimeoutMs);
  }
  return { http, https };
}

/** Kept between calls, by `connectTimeoutMs`: their connections serve the next fan-out too. */
const agents = new Map<number, ReturnType<typeof keepAliveAgents>>();

interface NodeFetchResponse {
  status: number;
  url: string;
  headers: FetchLikeResponse['headers'];
  body: Readable;
}

async function nodeFetch({ concurrency, connectTimeoutMs }: Limits): Promise<Send> {
  const { default: fetch } = (await import('node-fetch')) as unknown as {
    default: (url: string, init: object) => Promise<NodeFetchResponse>;
  };
  const kept = agents.get(connectTimeoutMs) ?? keepAliveAgents(connectTimeoutMs);
  agents.set(connectTimeoutMs, kept);
  const { http, https } = kept;
  for (const agent of [http, https]) agent.maxFreeSockets = Math.max(agent.maxFreeSockets, concurrency);
  const agent = (url: URL) => (url.protocol === 'https:' ? https : http);
  return async ({ url, method, headers, body }, exchange) => {
    const response = await fetch(url, {
      method,
      headers: { ...ENCODINGS, ...headers },
      body,
      signal: exchange,
      agent,
      redirect: 'manual',
      // node-fetch would take half a gzip for a whole one: the body is decoded here, strictly.
      compress: false,
    });
    exchange.answered(response.status);
    return {
      status: response.status,
      url,
      headers: plain(response.headers),
      bytes: await readStream(response.body, exchange),
      isEncoded: true,
    };
  };
}

function plain(headers: FetchLikeResponse['headers']): Record<string, string> {
  const plain: Record<string, string> = {};
  headers.forEach((value, name) => {
    const lower = name.toLowerCase();
    plain[lower] = lower in plain ? `${plain[lower]}, ${value}` : value;
  });
  return plain;
}

function readStream(stream: Readable, { maxBytes }: Exchange): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces = new Pieces(maxBytes);
    stream.on('data', (piece: Buffer) => {
      if (!pieces.add(piece)) stream.destroy(new TooLarge());
    });
    stream.on('end', () => resolve(pieces.join()));
    stream.on('error', reject);
    stream.on('close', () => {
      if (!stream.readableEnded)
        reject(Object.assign(new Error('the connection was closed'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }));
    });
  });
}

// undici

/** The parts of undici 7 that are used. */
interface Undici {
  Agent: new (options: object) => Dispatcher;
}

interface Dispatcher {
  dispatch(options: object, handler: DispatchHandler): boolean;
}

interface DispatchController {
  abort(reason: Error): void;
}

interface DispatchHandler {
  onRequestStart(controller: DispatchController): void;
  onResponseStart(controller: DispatchController, status: number, headers: UndiciHeaders): void;
  onResponseData(controller: DispatchController, piece: Buffer): void;
  onResponseEnd(): void;
  onResponseError(controller: DispatchController, error: Error): void;
}

type UndiciHeaders = Record<string, string | string[] | undefined>;

/** Kept between calls, by their limits. */
const dispatchers = new Map<string, Dispatcher>();

async function undici(limits: Limits): Promise<Send> {
  const key = `${limits.connectTimeoutMs} ${limits.concurrency}`;
  const kept = dispatchers.get(key) ?? (await openDispatcher(limits));
  dispatchers.set(key, kept);
  return (request, exchange) => dispatch(kept, request, exchange);
}

async function openDispatcher({ concurrency, connectTimeoutMs }: Limits): Promise<Dispatcher> {
  let loaded: Undici;
  try {
    // By a variable: TypeScript must not ask for the types of a package that may be absent.
    const name = 'undici';
    loaded = (await import(name)) as Undici;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      'transport "undici" needs the package undici, which is not installed: npm install undici@7',
    );
  }
  return new loaded.Agent({
    connect: { timeout: connectTimeoutMs === Number.POSITIVE_INFINITY ? 0 : connectTimeoutMs },
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS, // also where the server allows more
    // Without a limit it opens twice as many, since a connection is announced as free a moment after its answer.
    connections: concurrency === Number.POSITIVE_INFINITY ? null : concurrency,
    // Both are watched by the fan-out itself, the same for all transports.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** undici's own door below `request`: the pieces of the body come without a stream in between. */
function dispatch(
  to: Dispatcher,
  { url, method, headers, body }: Outgoing,
  exchange: Exchange,
): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const { origin, pathname, search } = new URL(url);
    const pieces = new Pieces(exchange.maxBytes);
    let answer: Omit<Incoming, 'bytes'>;
    let controller: DispatchController | undefined;
    const abort = () => {
      controller?.abort(new Error('aborted'));
      reject(exchange.reason);
    };
    exchange.addEventListener('abort', abort);
    const options = {
      origin,
      path: pathname + search,
      method,
      headers: { ...ENCODINGS, ...headers },
      ...(body === undefined ? {} : { body }),
    };
    to.dispatch(options, {
      onRequestStart(its) {
        controller = its;
        if (exchange.aborted) abort();
      },
      onResponseStart(_controller, status, headers) {
        exchange.answered(status);
        answer = { status, url, headers: joined(headers), isEncoded: true };
      },
      onResponseData(its, piece) {
        if (pieces.add(piece)) return;
        its.abort(new TooLarge());
      },
      onResponseEnd() {
        exchange.removeEventListener('abort', abort);
        resolve({ ...answer, bytes: pieces.join() });
      },
      onResponseError(_controller, error) {
        exchange.removeEventListener('abort', abort);
        reject(error);
      },
    });
  });
}

function joined(headers: UndiciHeaders): Record<string, string> {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) headers[name] = value.join(', ');
  }
  return headers as Record<string, string>;
}

// Any other

function fetchLike(fetch: FetchLike): Send {
  return async ({ url, method, headers, body }, exchange) => {
    const controller = new AbortController();
    exchange.addEventListener('abort', () => controller.abort(exchange.reason));
    const response = await fetch(url, {
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      signal: controller.signal,
      redirect: 'manual',
    });
    exchange.answered(response.status);
    return {
      status: response.status,
      url: response.url || url,
      headers: plain(response.headers),
      bytes: await readAny(response, exchange),
      isEncoded: false,
    };
  };
}

async function readAny(response: FetchLikeResponse, { maxBytes }: Exchange): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0);
  const pieces = new Pieces(maxBytes);
  for await (const piece of isIterable(response.body) ? response.body : whole(response)) {
    if (!pieces.add(piece)) throw new TooLarge();
  }
  return pieces.join();
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof (body as AsyncIterable<unknown> | null | undefined)?.[Symbol.asyncIterator] === 'function';
}

async function* whole(response: FetchLikeResponse): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(await response.arrayBuffer());
}
