/** Redirects, followed here: one rule for all transports, so that none hands a header on that another keeps. */
import { isSecret } from '../redact';
import type { Outgoing, Send } from './transport';

const MOST = 20;
const STATUSES = [301, 302, 303, 307, 308];

/** An answer that sends elsewhere, and may still turn out to name no place. */
export function isRedirect(status: number): boolean {
  return STATUSES.includes(status);
}

/** A redirect that can't be followed; the message says why. */
export class RedirectError extends Error {}

/** The transport, with redirects followed as the Fetch standard does it, but for headers: see `nextRequest`. */
export function following(send: Send): Send {
  return async (request, exchange) => {
    let current = request;
    for (let hops = 0; ; hops++) {
      const answer = await send(current, exchange);
      const { location } = answer.headers;
      if (!isRedirect(answer.status) || location === undefined) {
        exchange.answered();
        return answer;
      }
      if (hops === MOST) throw new RedirectError(`more than ${MOST}`);
      current = nextRequest(current, answer.status, location);
    }
  };
}

/** What names somebody: it goes to the same origin (scheme, host and port) only. */
function isCredential(header: string): boolean {
  return isSecret(header, false) || header === 'host';
}

/** @throws RedirectError where the location is none that a fan-out goes to */
function nextRequest(request: Outgoing, status: number, location: string): Outgoing {
  if (location.trim() === '') throw new RedirectError('the place to go to is empty');
  let to: URL;
  try {
    to = new URL(location, request.url);
  } catch {
    throw new RedirectError(`"${location}" is no address`);
  }
  if (to.protocol !== 'http:' && to.protocol !== 'https:')
    throw new RedirectError(`it leads to ${to.protocol}, which is neither http: nor https:`);
  if (to.username || to.password) throw new RedirectError('it leads to an address with a password in it');
  // As browsers do: what was posted is not posted again, unless the server says so by 307 or 308.
  const becomesGet =
    (status === 303 && request.method !== 'HEAD') || (status < 303 && request.method === 'POST');
  const isSameOrigin = to.origin === new URL(request.url).origin;
  const headers = Object.entries(request.headers).filter(
    ([name]) => (isSameOrigin || !isCredential(name)) && !(becomesGet && name.startsWith('content-')),
  );
  return {
    url: to.href,
    method: becomesGet ? 'GET' : request.method,
    headers: Object.fromEntries(headers),
    body: becomesGet ? undefined : request.body,
  };
}
