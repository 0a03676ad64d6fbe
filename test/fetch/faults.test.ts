/** Every fault settles once, with its documented code, on every transport; and no socket is left. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { type FanOutOptions, type Fetched, fanOut, RequestError } from 'tslab-parallel';
import { type Failure, type Site, type SiteOptions, startSite } from 'tslab-parallel/handbook';
import { python } from '../harness/kernel';
import { PATIENCE_MS } from '../harness/processes';

/** What each of the site's failures must be called; a number is a status, which is a result. */
const EXPECTED: Record<Failure, RequestError['code'] | number> = {
  unknownHost: 'unknown-host',
  refused: 'refused',
  badCertificate: 'tls',
  reset: 'reset',
  silent: 'headers-timeout',
  badStatusLine: 'protocol',
  redirectLoop: 'redirects',
  notFound: 404,
  tooManyRequests: 429,
  unavailable: 503,
  resetInBody: 'truncated',
  short: 'truncated',
  trickle: 'timeout',
  endless: 'too-large',
  badGzip: 'encoding',
};

const TRANSPORTS: [string, FanOutOptions['transport']][] = [
  ['node-fetch', 'node-fetch'],
  ['undici', 'undici'],
  ['the built-in fetch', fetch],
];

for (const [name, transport] of TRANSPORTS) {
  describe(`with ${name}`, () => {
    let site: Site;
    before(async () => {
      site = await startSite({ pages: 45, latencyMs: 2, failures: 1 });
    });
    after(() => site.close());
    const options = {
      transport,
      concurrency: 50,
      headersTimeoutMs: 1500,
      timeoutMs: 3000,
      maxBytes: 300_000,
      retries: 0,
      onError: 'collect',
    } as const satisfies FanOutOptions;

    test('each of the site’s faults has its code, and its sockets are closed', async () => {
      const results = await fanOut(site.urls, options);
      assert.equal(results.length, 45);
      for (const [index, result] of results.entries()) {
        const url = site.urls[index]!;
        const failure = site.failures.get(url)!;
        if (result.status === 'fulfilled') {
          assert.equal(result.value.status, EXPECTED[failure], failure);
          assert.equal(result.value.url, url);
        } else {
          assert.ok(result.reason instanceof RequestError);
          assert.equal(result.reason.code, EXPECTED[failure], `${failure}: ${result.reason.message}`);
          assert.equal(result.reason.url, url);
          assert.match(result.reason.message, /^https?:\/\/\S+: [^\n]+\.$/);
        }
      }
      const { inProgress } = await settled(site);
      assert.equal(inProgress, 0);
    });

    test('what may pass is tried again and succeeds; what may not is not', async (t) => {
      const shaky = await open(t, {
        pages: 20,
        latencyMs: 1,
        failures: { reset: 0.2, resetInBody: 0.2, short: 0.2, unavailable: 0.2, badStatusLine: 0.2 },
        recoversAfter: 2,
      });
      const run = fanOut(shaky.urls, { ...options, retries: 2 });
      for (const [index, result] of (await run).entries()) {
        const failure = shaky.failures.get(shaky.urls[index]!);
        if (failure === 'badStatusLine') {
          assert.equal(result.status === 'rejected' && result.reason.code, 'protocol');
          assert.equal(result.status === 'rejected' && result.reason.attempts, 1);
        } else {
          assert.equal(result.status === 'fulfilled' && result.value.status, 200, failure);
          assert.equal(result.status === 'fulfilled' && result.value.attempts, 3, failure);
        }
      }
      assert.deepEqual([run.record.ok, run.record.failed], [16, 4]);
    });
  });
}

/** Connections come to rest: what is left of them is idle, kept for the next call. */
async function settled(site: Site) {
  let stats = await site.stats();
  for (let at = 0; at < 100 && stats.inProgress > 0; at++) {
    await sleep(20);
    stats = await site.stats();
  }
  return stats;
}

test('connections are kept for the next call, and leave when idle', async (t) => {
  await Promise.all(
    (['node-fetch', 'undici'] as const).map(async (transport) => {
      const site = await open(t, { pages: 40, hosts: 1, latencyMs: 5 });
      for (let call = 0; call < 3; call++) {
        await fanOut(site.urls, { transport, concurrency: 10 });
        const { connections, mostConnections } = await site.stats();
        assert.ok(connections >= 1 && mostConnections <= 10, `${transport}: ${mostConnections}`);
      }
      await sleep(6000);
      assert.equal((await site.stats()).connections, 0, transport);
    }),
  );
});

describe('faults that need a server of their own', () => {
  let server: Server;
  let address: string;
  const sockets = new Set<Socket>();
  const text = 'A page of text, again and again. '.repeat(500);
  const encoded = {
    gzip: gzipSync(text),
    br: brotliCompressSync(text),
    deflate: deflateSync(text),
    raw: deflateRawSync(text),
  };

  before(async () => {
    server = createServer((request, response) => {
      const send = (encoding: string, body: Buffer) =>
        response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length }).end(body);
      switch (request.url) {
        case '/gzip':
          return send('gzip', encoded.gzip);
        case '/br':
          return send('br', encoded.br);
        case '/deflate':
          return send('deflate', encoded.deflate);
        case '/raw':
          return send('deflate', encoded.raw);
        case '/half-gzip': // well-formed as HTTP, but cut short
          return send('gzip', encoded.gzip.subarray(0, encoded.gzip.length - 20));
        case '/bomb':
          return send('gzip', gzipSync(Buffer.alloc(50_000_000)));
        case '/cut-chunked': // the end of a chunked body is missing
          response.writeHead(200);
          response.write('some');
          return void setTimeout(() => response.socket!.end(), 20);
        case '/to-https':
          return response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end();
        case '/to-nowhere':
          return response.writeHead(302, { location: 'http://[bad' }).end();
        default:
          return response.writeHead(500).end();
      }
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const one = async (path: string, options: FanOutOptions = {}): Promise<Fetched<unknown> | RequestError> => {
    const [result] = await fanOut([address + path], {
      retries: 0,
      maxBytes: 1_000_000,
      ...options,
      onError: 'collect',
    });
    return result!.status === 'fulfilled' ? (result!.value as Fetched<unknown>) : result!.reason;
  };

  for (const transport of ['node-fetch', 'undici'] as const) {
    test(`encodings are undone, and strictly (${transport})`, async () => {
      for (const path of ['/gzip', '/br', '/deflate', '/raw']) {
        const result = await one(path, { transport });
        assert.ok(!(result instanceof RequestError), String(result));
        assert.equal(result.body, text, path);
        assert.equal(result.bytes, text.length);
      }
      for (const [path, code] of [
        ['/half-gzip', 'encoding'],
        ['/bomb', 'too-large'],
        ['/cut-chunked', 'truncated'],
      ] as const) {
        const result = await one(path, { transport });
        assert.ok(result instanceof RequestError, path);
        assert.equal(result.code, code, `${path}: ${result.message}`);
      }
    });

    test(`a redirect that fails is a failure of its own kind (${transport})`, async () => {
      const refused = await one('/to-https', { transport });
      assert.equal(refused instanceof RequestError && refused.code, 'refused');
      const nowhere = await one('/to-nowhere', { transport });
      assert.equal(nowhere instanceof RequestError && nowhere.code, 'redirects');
    });

    test(`connectTimeoutMs (${transport})`, { skip: process.platform !== 'linux' }, async () => {
      // A server that never accepts: Linux drops what comes when its short queue is full.
      const silent = spawn(python, [
        '-c',
        `
import socket, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0)
waiting = []
for _ in range(4):
    s = socket.socket(); s.setblocking(False); s.connect_ex(server.getsockname()); waiting.append(s)
print(server.getsockname()[1], flush=True)
time.sleep(60)`,
      ]);
      try {
        const [port] = await once(silent.stdout, 'data');
        const startMs = performance.now();
        const [result] = await fanOut([`http://127.0.0.1:${Number(port)}/`], {
          transport,
          connectTimeoutMs: 300,
          retries: 0,
          onError: 'collect',
        });
        assert.equal(result!.status === 'rejected' && result!.reason.code, 'connect-timeout');
        const took = performance.now() - startMs;
        assert.ok(took >= 290 && took < PATIENCE_MS, `${took}`); // undici looks at its clocks once a second
      } finally {
        silent.kill();
      }
    });
  }

  test('a transport that throws, never answers or never listens settles all the same', async () => {
    const thrown = await one('/gzip', {
      transport: () => {
        throw new Error('no');
      },
    });
    assert.ok(thrown instanceof RequestError);
    assert.equal(thrown.code, 'network');
    assert.match(thrown.message, /the request failed: no\.$/);
    const deaf = await one('/gzip', { transport: () => new Promise(() => {}), headersTimeoutMs: 50 });
    assert.equal(deaf instanceof RequestError && deaf.code, 'headers-timeout');
    const late = await one('/gzip', { transport: () => new Promise(() => {}), timeoutMs: 50 });
    assert.equal(late instanceof RequestError && late.code, 'timeout');
  });

  test('a cancelled run closes its sockets', async (t) => {
    const site = await open(t, { pages: 40, latencyMs: 60_000 });
    for (const transport of ['node-fetch', 'undici', fetch] as const) {
      const run = fanOut(site.urls, { transport, concurrency: 40 });
      run.catch(() => {});
      while ((await site.stats()).inProgress < 40) await sleep(10);
      const startMs = performance.now();
      run.cancel();
      await assert.rejects(run, { name: 'CancelledError' });
      assert.ok(performance.now() - startMs < PATIENCE_MS); // the pages take a minute
      let { connections, inProgress } = await site.stats();
      while (connections + inProgress > 0 && performance.now() - startMs < PATIENCE_MS) {
        await sleep(10);
        ({ connections, inProgress } = await site.stats());
      }
      assert.deepEqual({ connections, inProgress }, { connections: 0, inProgress: 0 });
    }
  });
});

/** A site for one test. */
async function open(t: TestContext, options?: SiteOptions): Promise<Site> {
  const site = await startSite(options);
  t.after(() => site.close());
  return site;
}
