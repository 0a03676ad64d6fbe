import { OwnError } from '../errors';
import { redacted } from '../redact';
import type { Fetched } from './request';

/** Why a request failed, in the order of an exchange. */
const REASONS = {
  /** The entry is not a request that can be made: a bad address, scheme, method, header or body. */
  url: 'this is not a request that can be made',
  /** The host's name doesn't resolve. */
  'unknown-host': "the host's name doesn't resolve",
  /** Nobody listens at that address. */
  refused: 'the connection was refused',
  /** No way to the host's network. */
  unreachable: "the host can't be reached",
  /** No connection within `connectTimeoutMs`. */
  'connect-timeout': 'no connection came about in time (connectTimeoutMs)',
  /** The certificate, or what else belongs to TLS, is not in order. */
  tls: "the server's certificate or TLS is not in order",
  /** The connection was closed or reset before an answer. */
  reset: 'the connection was closed before an answer',
  /** No status line and headers within `headersTimeoutMs`. */
  'headers-timeout': 'no answer came in time (headersTimeoutMs)',
  /** The answer is not valid HTTP. */
  protocol: 'the answer is not valid HTTP',
  /** More than 20 redirects, or one that leads nowhere. */
  redirects: "the redirects can't be followed",
  /** The status is not 2xx; only with `throwHttpErrors`. */
  status: 'the status is not 2xx (throwHttpErrors)',
  /** The connection was closed or reset in the middle of the body. */
  truncated: 'the body ended before its end',
  /** The body is not in the encoding that its `content-encoding` names. */
  encoding: 'the body is not what its content-encoding says',
  /** The body has more than `maxBytes`. */
  'too-large': 'the body is too large (maxBytes)',
  /** The body is not JSON, or `parse` threw; `cause` is what it threw. */
  parse: "the body can't be parsed",
  /** Not through within `timeoutMs`, pauses and repetitions included. */
  timeout: 'it was not through in time (timeoutMs)',
  /** Something else; `cause` tells. */
  network: 'the request failed',
} as const;

/**
 * Why a request failed, in the order of an exchange: `url`, `unknown-host`, `refused`, `unreachable`,
 * `connect-timeout`, `tls`, `reset`, `headers-timeout`, `protocol`, `redirects`, `status`, `truncated`, `encoding`,
 * `too-large`, `parse`, `timeout`; `network` is anything else.
 */
export type RequestErrorCode = keyof typeof REASONS;

/** A request of a fan-out that failed, after all its attempts. */
export class RequestError extends OwnError {
  override name = 'RequestError';
  readonly code: RequestErrorCode;
  /** The address that was asked for, with `…` for what looks like a secret in it. */
  readonly url: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** What came all the same, with `throwHttpErrors`. */
  readonly response?: Fetched<unknown>;

  /** @internal */
  constructor(
    code: RequestErrorCode,
    of: { url: string; attempts?: number; detail?: string; cause?: unknown; response?: Fetched<unknown> },
  ) {
    const { attempts = 1, detail, cause, response } = of;
    const url = redacted(of.url);
    const more = detail ?? (cause instanceof Error ? causeWords(cause) : undefined);
    super(
      `${url}: ${REASONS[code]}${more ? `: ${redacted(more)}` : ''}${attempts > 1 ? `, ${attempts} times` : ''}.`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.url = url;
    this.attempts = attempts;
    if (response) this.response = response;
    // Long, and mostly said already: not printed below the message.
    for (const key of ['cause', 'response']) {
      if (Object.hasOwn(this, key)) Object.defineProperty(this, key, { enumerable: false });
    }
  }
}

interface SystemError extends Error {
  code?: unknown;
  type?: unknown;
}

/** The error that started a chain of causes: the transports wrap theirs once or twice. */
function root(error: unknown): SystemError {
  let at = error as SystemError;
  for (let depth = 0; depth < 5; depth++) {
    // A host with several addresses: one error for each, all much the same.
    const inner = at instanceof AggregateError ? at.errors[0] : at?.cause;
    if (!(inner instanceof Error)) break;
    at = inner;
  }
  return at;
}

function causeWords(error: Error): string {
  const { code } = root(error);
  const message = root(error).message.replace(/^request to \S+ failed, reason: /, ''); // node-fetch's
  return typeof code === 'string' && !message.includes(code) ? `${message} (${code})` : message;
}

const SYSTEM_CODES: Readonly<Record<string, RequestErrorCode>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENOTFOUND: 'unknown-host',
  ETIMEDOUT: 'connect-timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  UND_ERR_HEADERS_TIMEOUT: 'headers-timeout',
  ERR_STREAM_PREMATURE_CLOSE: 'truncated',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'truncated',
};

/** Finds the code for what a transport threw, by the codes of the system, of Node, of node-fetch and of undici. */
export function classify(error: unknown, inBody: boolean): RequestErrorCode {
  const { code, name, message } = root(error);
  if (name === 'HTTPParserError' || message === 'bad upgrade') return 'protocol'; // undici's words for 101
  if (typeof code !== 'string') return 'network';
  const known = SYSTEM_CODES[code];
  if (known) return known === 'reset' && inBody ? 'truncated' : known;
  if (code.startsWith('EAI_')) return 'unknown-host';
  if (code.startsWith('HPE_')) return 'protocol';
  if (code.startsWith('Z_') || code.startsWith('ERR__ERROR_FORMAT')) return 'encoding';
  if (/CERT|^ERR_TLS_|^ERR_SSL_|^UNABLE_TO_|^EPROTO$/.test(code)) return 'tls';
  return 'network';
}

/** Whether a failure may be a passing one, so that another attempt makes sense. */
export function isPassing(code: RequestErrorCode, error: unknown): boolean {
  switch (code) {
    case 'refused':
    case 'unreachable':
    case 'connect-timeout':
    case 'reset':
    case 'headers-timeout':
    case 'truncated':
      return true;
    case 'unknown-host':
      return root(error).code === 'EAI_AGAIN'; // the name server was not reached; otherwise it said no
    default:
      return false;
  }
}
