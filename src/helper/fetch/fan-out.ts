import { refuse } from '../arguments';
import { createPool, type Run } from '../pool';
import { RequestError } from './errors';
import { checkFanOutOptions, type Entry, type FanOutOptions, toRequest, toRequests } from './options';
import { type Fetched, Requester } from './request';
import { type Outgoing, openTransport, type RequestLike } from './transport';

/** What a result's `body` is, by the options `as` and `parse`. */
export type BodyOf<O> = O extends { parse: (...args: never[]) => infer B }
  ? Awaited<B>
  : BodyAs<Option<O, 'as'>>;

/** An option's type, undefined where it is left out. */
type Option<O, K extends string> = K extends keyof O ? O[K] : undefined;

/** Of each member of a union by itself: an option in a variable may be one or the other. */
type BodyAs<A> = A extends 'json' ? unknown : A extends 'bytes' ? Uint8Array : string;

export type ResultOf<O> = Settled<Option<O, 'onError'>, Fetched<BodyOf<O>>>;

type Settled<E, F> = E extends 'collect' ? PromiseSettledResult<F> : F;

/**
 * Fetches many addresses at once and settles every one: a result, or a {@link RequestError} with a documented `code`.
 * Connections are kept and used again, also by the next call.
 *
 * A status that is not 2xx is a result too (see `throwHttpErrors`). Passing failures are repeated twice (see
 * `retries`). The first entry that fails ends the run; with `onError: 'collect'` all are carried out.
 *
 * @param urls any iterable of addresses or `{ url, method, headers, body }`, also an asynchronous or endless one. A bad
 * one in an array is refused before the first request; in another iterable it fails when it is pulled.
 * @returns the pool's `Run`: await it for the results in input order, or see `completed()`, `cancel()`, `record`
 *
 * @example
 * const pages = await fanOut(urls, { concurrency: 20, onError: 'collect' });
 *
 * @throws TypeError for a bad option or address, before anything starts
 */
export function fanOut(
  urls: Iterable<Entry> | AsyncIterable<Entry>,
  options?: undefined,
): Run<Fetched<string>>;
export function fanOut<const O extends FanOutOptions>(
  urls: Iterable<Entry> | AsyncIterable<Entry>,
  options: O | undefined,
): Run<ResultOf<O>>;
export function fanOut(
  urls: Iterable<Entry> | AsyncIterable<Entry>,
  options: FanOutOptions = {},
): Run<unknown> {
  const { own, map } = checkFanOutOptions(options);
  checkIterable(urls);
  const list = Array.isArray(urls) ? toRequests(urls) : undefined;
  const requester = new Requester(own);
  const pool = createPool('async', {
    workers: own.concurrency,
    init: () => openTransport(own.transport, own),
  });
  const run: Run<unknown> = pool.map(
    urls,
    (entry, index, { local: send, signal }) => {
      const request = list?.[index] ?? toRequest(entry);
      if (typeof request === 'string') throw new RequestError('url', { url: String(entry), detail: request });
      const atMs = list ? run.record.now() : 0;
      return request.source
        ? withBody(request, request.source).then((whole) => requester.fetch(whole, send, signal, atMs))
        : requester.fetch(request, send, signal, atMs);
    },
    { ...map, label: map.label ?? 'fanOut' },
  );
  return run;
}

/** A Request's body is read when its turn comes; a copy of it, so that the Request stays whole. */
async function withBody(request: Outgoing, source: RequestLike): Promise<Outgoing> {
  return { ...request, body: new Uint8Array(await source.clone().arrayBuffer()) };
}

function checkIterable(urls: unknown): void {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = Object(urls);
  // A text is an iterable too, of its letters.
  if (typeof urls !== 'string' && (typeof sync === 'function' || typeof async === 'function')) return;
  refuse('urls', 'an iterable of addresses, such as [url]', urls);
}
