import { validateHeaderName, validateHeaderValue } from 'node:http';
import { inspect } from 'node:util';
import { checkMilliseconds, checkOptions, checkWhole, refuse } from '../arguments';
import type { MapOptions } from '../pool';
import { checkMapOptions } from '../pool/options';
import { redacted } from '../redact';
import type { Fetched } from './request';
import type { Outgoing, RequestLike, Transport } from './transport';

/** One request of a fan-out: an address, a `Request`, or an address with method, headers and body. */
export type Entry =
  | string
  | URL
  | RequestLike
  | {
      url: string | URL;
      /** Default GET. */
      method?: string;
      headers?: Record<string, string>;
      body?: string | Uint8Array;
    };

export interface FanOutOptions<B = unknown>
  extends Pick<MapOptions, 'label' | 'progress' | 'signal' | 'onError' | 'keep'> {
  /** Requests under way at once, 1 or more. Default 20. */
  concurrency?: number;
  /**
   * Requests under way at once to one host (name and port). One that waits for its host keeps its place among the
   * `concurrency`, so an input that mixes its hosts goes fastest. Default: no limit.
   */
  perHost?: number;
  /** Milliseconds for a connection, TLS included. Not for a `transport` of your own. Default 10,000. */
  connectTimeoutMs?: number;
  /** Milliseconds from an attempt's start to its status line and headers. Default 30,000. */
  headersTimeoutMs?: number;
  /** Milliseconds for an entry from its first attempt on: repetitions, pauses and body included. Default 60,000. */
  timeoutMs?: number;
  /** Bytes of a body, decoded, 1 or more; a longer one fails. Default 100 MiB. */
  maxBytes?: number;
  /**
   * How often a request is repeated after a connection error, a time-out of its headers, or a status of 408, 429 or
   * 5xx; with growing pauses, or those that the server asks for. Default 2.
   */
  retries?: number;
  /** `true`: repeats also methods other than GET, HEAD, OPTIONS and TRACE, which may act twice then. Default false. */
  retryUnsafe?: boolean;
  /** Milliseconds: a server that asks for a longer pause (`Retry-After`) gets this one. Default 10,000. */
  maxRetryAfterMs?: number;
  /** `true`: a status that is not 2xx is a failure with code `status`. Default false: it is a result. */
  throwHttpErrors?: boolean;
  /** What `body` becomes: `text` (default; in the character set the server names), `json`, or `bytes`. */
  as?: 'text' | 'json' | 'bytes';
  /** Makes `body` from the bytes, instead of `as`. */
  parse?: (bytes: Uint8Array, response: Omit<Fetched<unknown>, 'body'>) => B | Promise<B>;
  /**
   * What carries the requests: `node-fetch` (default), `undici` (faster; a package to install), or a function with
   * fetch's signature, such as `fetch`.
   */
  transport?: Transport;
}

export type CheckedOptions = Required<
  Omit<FanOutOptions, 'label' | 'progress' | 'signal' | 'onError' | 'keep' | 'parse'>
> &
  Pick<FanOutOptions, 'parse'>;

const OWN = [
  'concurrency',
  'perHost',
  'connectTimeoutMs',
  'headersTimeoutMs',
  'timeoutMs',
  'maxBytes',
  'retries',
  'retryUnsafe',
  'maxRetryAfterMs',
  'throwHttpErrors',
  'as',
  'parse',
  'transport',
] as const;
const MAPS = ['label', 'progress', 'signal', 'onError', 'keep'] as const;

/** @returns the options with their defaults, and those for the pool; throws a TypeError that names what is wrong. */
export function checkFanOutOptions(options: FanOutOptions): { own: CheckedOptions; map: MapOptions } {
  checkOptions('fanOut options', options, [...OWN, ...MAPS]);
  const map: MapOptions = Object.fromEntries(
    MAPS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  checkMapOptions(map);
  for (const name of ['concurrency', 'perHost', 'maxBytes'] as const) {
    if (options[name] !== Number.POSITIVE_INFINITY) checkWhole(name, options[name], 1);
  }
  for (const name of ['connectTimeoutMs', 'headersTimeoutMs', 'timeoutMs', 'maxRetryAfterMs'] as const) {
    checkMilliseconds(name, options[name]);
  }
  checkWhole('retries', options.retries, 0);
  for (const name of ['retryUnsafe', 'throwHttpErrors'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean') {
      refuse(name, 'true or false', options[name]);
    }
  }
  const { as, parse, transport } = options;
  if (as !== undefined && as !== 'text' && as !== 'json' && as !== 'bytes') {
    refuse('as', '"text", "json" or "bytes"', as);
  }
  if (parse !== undefined && typeof parse !== 'function') refuse('parse', 'a function', parse);
  if (parse !== undefined && as !== undefined) refuse('as', 'left out where parse is given', as);
  const isTransport = transport === undefined || transport === 'node-fetch' || transport === 'undici';
  if (!isTransport && typeof transport !== 'function') {
    refuse('transport', '"node-fetch", "undici" or a function with fetch\'s signature', transport);
  }
  const own: CheckedOptions = {
    concurrency: options.concurrency ?? 20,
    perHost: options.perHost ?? Number.POSITIVE_INFINITY,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    headersTimeoutMs: options.headersTimeoutMs ?? 30_000,
    timeoutMs: options.timeoutMs ?? 60_000,
    maxBytes: options.maxBytes ?? 100 * 2 ** 20,
    retries: options.retries ?? 2,
    retryUnsafe: options.retryUnsafe ?? false,
    maxRetryAfterMs: options.maxRetryAfterMs ?? 10_000,
    throwHttpErrors: options.throwHttpErrors ?? false,
    as: as ?? 'text',
    parse,
    transport: transport ?? 'node-fetch',
  };
  return { own, map };
}

const NO_HEADERS = {};

/** @returns the request, or in words why it can't be made. */
export function toRequest(entry: unknown): Outgoing | string {
  if (typeof entry === 'string' || entry instanceof URL) {
    return checkUrl(entry) ?? { url: String(entry), method: 'GET', headers: NO_HEADERS, body: undefined };
  }
  if (typeof entry !== 'object' || entry === null) {
    return `${inspect(entry)} is neither an address nor { url, method, headers, body }`;
  }
  if (isRequest(entry)) return fromRequest(entry);
  const {
    url,
    method = 'GET',
    headers = NO_HEADERS,
    body,
    ...rest
  } = entry as Exclude<Entry, string | URL | RequestLike>;
  const wrong = checkUrl(url);
  if (wrong) return wrong;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `an entry has no "${unknown}"; it takes url, method, headers, body`;
  if (typeof method !== 'string' || !/^[a-z]+$/i.test(method)) return `${inspect(method)} is not a method`;
  if (typeof headers !== 'object' || headers === null) return 'headers must be an object';
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      return (error as Error).message;
    }
    lower[name.toLowerCase()] = String(value);
  }
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return 'body must be text or a Uint8Array (JSON.stringify makes text of an object)';
  }
  if (body !== undefined && /^(GET|HEAD)$/i.test(method)) return `a ${method} request has no body`;
  return { url: String(url), method: method.toUpperCase(), headers: lower, body };
}

function isRequest(entry: object): entry is RequestLike {
  const { url, headers, arrayBuffer } = entry as Partial<RequestLike>;
  return (
    typeof url === 'string' && typeof arrayBuffer === 'function' && typeof headers?.forEach === 'function'
  );
}

/** Of its own class: method, headers and body are what counts. */
function fromRequest(request: RequestLike): Outgoing | string {
  const wrong = checkUrl(request.url);
  if (wrong) return wrong;
  if (request.bodyUsed)
    return 'the body of this Request has been read already: give a new one, or request.clone()';
  const headers: Record<string, string> = {};
  request.headers.forEach((value, name) => {
    headers[name.toLowerCase()] = value;
  });
  const { url, method } = request;
  const outgoing = { url, method: method.toUpperCase(), headers, body: undefined };
  return request.body ? { ...outgoing, source: request } : outgoing;
}

function checkUrl(url: unknown): string | undefined {
  if (typeof url !== 'string' && !(url instanceof URL)) return `${inspect(url)} is not an address`;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return `${inspect(String(url))} is not an address`;
  }
  const { protocol, username, password } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') {
    return `${inspect(String(url))} is not an http or https address`;
  }
  // Fetch refuses these, since they end up in logs.
  if (username || password) return 'the address holds a password: give it in headers, as "authorization"';
  return undefined;
}

/** @returns the requests of a list; throws a TypeError that names every entry that is none. */
export function toRequests(entries: readonly unknown[]): Outgoing[] {
  const requests: Outgoing[] = [];
  const wrong: string[] = [];
  for (let index = 0; index < entries.length; index++) {
    const request = toRequest(entries[index]);
    if (typeof request === 'string') wrong.push(`entry ${index}: ${request}`);
    else requests.push(request);
  }
  if (wrong.length === 0) return requests;
  const more = wrong.length > 10 ? `; and ${wrong.length - 10} more` : '';
  const which = redacted(wrong.slice(0, 10).join('; '));
  throw new TypeError(`${wrong.length} of ${entries.length} entries can't be fetched: ${which}${more}.`);
}
