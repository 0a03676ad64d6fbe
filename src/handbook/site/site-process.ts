/** The process of a site: serves its pages until the kernel that started it is gone. Started by `site.ts`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { CERTIFICATE, KEY } from './certificate';
import { type FAILURES, type Failure, latencyOf, pageBody, planFailures, type SiteOptions } from './page';

/** What a site has done so far. */
export interface SiteStats {
  /** Requests that came. */
  requests: number;
  /** Pages sent whole. */
  served: number;
  /** Failures committed, by kind. What fails before it reaches the site is not seen by it. */
  failed: Partial<Record<Failure, number>>;
  /** Requests being answered now, and the most at any time. */
  inProgress: number;
  mostInProgress: number;
  /** Connections open now, and the most at any time. */
  connections: number;
  mostConnections: number;
  /** Milliseconds from a request to the end of its answer, on average over the pages served: the site's own latency. */
  meanMs: number;
}

export type ToSite = { start: Required<SiteOptions> } | { stats: number };
export type FromSite =
  | { urls: { hosts: string[]; closed: string; secure: string | undefined } }
  | { stats: number; are: SiteStats }
  | { error: string };

const stats: SiteStats = {
  requests: 0,
  served: 0,
  failed: {},
  inProgress: 0,
  mostInProgress: 0,
  connections: 0,
  mostConnections: 0,
  meanMs: 0,
};
let totalMs = 0;

const tell = (message: FromSite) => process.send?.(message);

process.on('message', (message: ToSite) => {
  if ('stats' in message)
    tell({ stats: message.stats, are: { ...stats, meanMs: totalMs / stats.served || 0 } });
  else void serve(message.start).catch((error: Error) => tell({ error: error.message }));
});

// The kernel ends: its side of the channel closes, however it ended. The second look is for a channel that somebody
// else holds open too.
process.on('disconnect', () => process.exit());
const kernel = process.ppid;
setInterval(() => process.ppid === kernel || process.exit(), 500).unref();

async function serve(options: Required<SiteOptions>): Promise<void> {
  const failures = planFailures(options);
  const handle = answer(options, failures);
  const hosts: string[] = [];
  for (let host = 0; host < options.hosts; host++) {
    hosts.push(`http://127.0.0.1:${await listen(createServer({ keepAliveTimeout: 60_000 }, handle))}`);
  }
  const needsTls = [...failures.values()].includes('badCertificate');
  const secure = needsTls
    ? `https://127.0.0.1:${await listen(createTlsServer({ key: KEY, cert: CERTIFICATE }, handle))}`
    : undefined;
  tell({ urls: { hosts, closed: await closedAddress(), secure } });
}

function listen(server: Server): Promise<number> {
  server.on('connection', (socket) => {
    stats.connections++;
    stats.mostConnections = Math.max(stats.mostConnections, stats.connections);
    socket.on('close', () => stats.connections--);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The queue of connections not yet taken is as long as the system allows: all may come at once.
    server.listen({ port: 0, host: '127.0.0.1', backlog: 65_535 }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** An address that refuses connections and that nobody else can get: one end of a connection of our own has it. */
function closedAddress(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createTcpServer(() => {}).listen(0, '127.0.0.1', () => {
      const own = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
        resolve(`http://127.0.0.1:${own.localPort}`);
      });
      own.once('error', reject);
    });
    server.once('error', reject);
  });
}

function answer(options: Required<SiteOptions>, failures: Map<number, Failure>) {
  const failedSoFar = new Map<number, number>();
  return (request: IncomingMessage, response: ServerResponse): void => {
    const startMs = performance.now();
    stats.requests++;
    stats.inProgress++;
    stats.mostInProgress = Math.max(stats.mostInProgress, stats.inProgress);
    response.once('close', () => stats.inProgress--);
    request.resume();
    const page = pageOf(request.url ?? '', options.pages);
    const respond = () => {
      if (request.socket.destroyed) return;
      if (page === undefined) {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.\n');
        return;
      }
      const failure = failures.get(page);
      const before = failedSoFar.get(page) ?? 0;
      if (failure === undefined || before >= options.recoversAfter) {
        response.once('finish', () => {
          stats.served++;
          totalMs += performance.now() - startMs;
        });
        const body = pageBody(page, options);
        response.writeHead(200, { 'content-type': 'text/html', 'content-length': body.length }).end(body);
        return;
      }
      failedSoFar.set(page, before + 1);
      stats.failed[failure] = (stats.failed[failure] ?? 0) + 1;
      fail[failure]?.(request, response, pageBody(page, options));
    };
    const latencyMs = page === undefined ? 0 : latencyOf(page, options);
    if (latencyMs > 0) setTimeout(respond, latencyMs);
    else respond();
  };
}

function pageOf(url: string, pages: number): number | undefined {
  const number = /^\/page\/(\d+)(?:[?]|$)/.exec(url)?.[1];
  return number !== undefined && Number(number) < pages ? Number(number) : undefined;
}

type Commit = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** How each failure is committed. The others never get as far as a request. */
const fail: Partial<Record<(typeof FAILURES)[number], Commit>> = {
  reset: ({ socket }) => socket.resetAndDestroy(),
  silent: () => {},
  badStatusLine: ({ socket }) => socket.end('HTTP/1.1 200abc OK\r\ncontent-length: 2\r\n\r\nok'),
  redirectLoop: (request, response) => {
    response.writeHead(302, { location: request.url, 'content-length': 0 }).end();
  },
  notFound: (_request, response) => {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
  },
  tooManyRequests: (_request, response) => {
    response.writeHead(429, { 'content-type': 'text/plain', 'retry-after': '1' }).end('Too many requests\n');
  },
  unavailable: (_request, response) => {
    response.writeHead(503, { 'content-type': 'text/plain' }).end('Unavailable\n');
  },
  resetInBody: ({ socket }, response, body) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': body.length + 1 });
    response.write(body.subarray(0, body.length / 2), () => socket.resetAndDestroy());
  },
  short: ({ socket }, response, body) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': body.length + 1 });
    response.write(body.subarray(0, body.length / 2), () => socket.end());
  },
  trickle: (_request, response, body) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': body.length + 1 });
    let at = 0;
    const timer = setInterval(() => {
      response.write(body.subarray(at, ++at));
      if (at >= body.length) clearInterval(timer);
    }, 100);
    response.once('close', () => clearInterval(timer));
  },
  endless: (_request, response, body) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    const timer = setInterval(() => {
      if (response.writableNeedDrain) return;
      response.write(body.length > 0 ? body : '\n');
    }, 5);
    response.once('close', () => clearInterval(timer));
  },
  badGzip: (_request, response, body) => {
    const headers = {
      'content-type': 'text/html',
      'content-encoding': 'gzip',
      'content-length': body.length,
    };
    response.writeHead(200, headers).end(body);
  },
};
