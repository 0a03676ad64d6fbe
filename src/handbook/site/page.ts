/** What a site's pages are, computed from its seed: the same in the site's process and wherever a test looks. */

/** Ways a page can fail, each at the place in an exchange where it happens. */
export const FAILURES = [
  'unknownHost', // the name doesn't resolve
  'refused', // nobody listens
  'badCertificate', // https, with a certificate that nobody signed
  'reset', // the connection is reset before an answer
  'silent', // headers never come
  'badStatusLine', // the answer is not HTTP
  'redirectLoop',
  'notFound', // 404
  'tooManyRequests', // 429 with Retry-After: 1
  'unavailable', // 503
  'resetInBody', // the connection is reset in mid-body
  'short', // the connection closes before the promised length
  'trickle', // a byte every 100 ms
  'endless', // the body never ends
  'badGzip', // the body is not the gzip it says
] as const;

/** A way to fail: see `FAILURES`. */
export type Failure = (typeof FAILURES)[number];

export interface SiteOptions {
  /** Pages in all, taken in turn from the hosts. Default 160, as in the documents. */
  pages?: number;
  /** Servers, each on a port of its own. Default 2. */
  hosts?: number;
  /** Milliseconds from a request to its answer. Default 50. */
  latencyMs?: number;
  /** Each page takes up to so many milliseconds more, the same page always the same. Default 0. */
  jitterMs?: number;
  /** Bytes a page. Default 10,000. */
  bytes?: number;
  /**
   * Pages that fail, as a share of all: one number for all ways together (0.1: one page in ten, the ways in turn), or
   * a share for each way, such as `{ unavailable: 0.1, reset: 0.05 }`. Default 0.
   */
  failures?: number | Partial<Record<Failure, number>>;
  /** A failing page answers properly after so many failures. Default: never. */
  recoversAfter?: number;
  /** Another seed: other pages fail, other jitter. Default 1. */
  seed?: number;
}

/** A number in [0, 1) that depends on nothing but the arguments (the finaliser of MurmurHash3, Appleby 2011). */
function random(...parts: number[]): number {
  let hash = 0x9747b28c;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0xcc9e2d51);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return (hash >>> 0) / 2 ** 32;
}

/** Which pages fail and how: exactly the shares asked for, spread by the seed. */
export function planFailures(options: Required<SiteOptions>): Map<number, Failure> {
  const { pages, failures, seed } = options;
  const ways: Failure[] = [];
  if (typeof failures === 'number') {
    for (let at = 0; at < Math.round(failures * pages); at++) ways.push(FAILURES[at % FAILURES.length]!);
  } else {
    for (const way of FAILURES) {
      const count = Math.round((failures[way] ?? 0) * pages);
      for (let at = 0; at < count; at++) ways.push(way);
    }
  }
  const shuffled = Array.from({ length: pages }, (_, page) => page);
  const order = shuffled.map((page) => random(seed, page));
  shuffled.sort((a, b) => order[a]! - order[b]!);
  return new Map(ways.slice(0, pages).map((way, at) => [shuffled[at]!, way]));
}

/** Milliseconds from a request for the page to its answer. */
export function latencyOf(page: number, { latencyMs, jitterMs, seed }: Required<SiteOptions>): number {
  return latencyMs + jitterMs * random(seed, page, 1);
}

const LINE = 64;
const FILLER = Buffer.from(
  Array.from({ length: 1024 }, (_, line) =>
    Array.from({ length: LINE - 1 }, (_, at) =>
      String.fromCharCode(97 + Math.floor(26 * random(line, at))),
    ).join(''),
  ).join('\n'),
);

/** The page itself: text, no two pages alike. */
export function pageBody(page: number, { bytes, seed }: Required<SiteOptions>): Buffer {
  const body = Buffer.alloc(bytes);
  let at = body.write(`<!doctype html><title>Page ${page} of site ${seed}</title>\n`, 'latin1');
  let from = Math.floor(FILLER.length * random(seed, page, 2));
  while (at < bytes) {
    at += FILLER.copy(body, at, from);
    from = 0;
  }
  return body;
}
