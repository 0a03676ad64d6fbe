/** Redirects on every transport: one rule, no header to a stranger, and no server that a fan-out can be led into by its answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { fanOut, RequestError, type RequestErrorCode } from 'tslab-parallel';

const transports = { 'node-fetch': 'node-fetch', undici: 'undici', 'built-in fetch': fetch } as const;

for (const [name, transport] of Object.entries(transports)) {
  suite(name, () => {
    const options = { transport, retries: 0, headersTimeoutMs: 20_000 } as const;
    const seen: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[] = [];
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      for await (const piece of request) body += piece;
      seen.push({ method: request.method!, path: request.url!, headers: request.headers, body });
      const { pathname, searchParams } = new URL(request.url!, 'http://here');
      if (pathname !== '/go') {
        response.end('arrived');
        return;
      }
      const to = searchParams.get('to');
      response.writeHead(Number(searchParams.get('status') ?? 302), to === null ? {} : { location: to });
      response.end('look elsewhere');
    };
    const here = createServer(answer);
    const elsewhere = createServer(answer);
    let origin = '';
    let other = '';
    before(async () => {
      for (const server of [here, elsewhere]) await once(server.listen(0, '127.0.0.1'), 'listening');
      origin = `http://127.0.0.1:${(here.address() as AddressInfo).port}`;
      other = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    });
    after(() => {
      for (const server of [here, elsewhere]) server.close().closeAllConnections();
    });

    const go = (to: string, status = 302) => `${origin}/go?status=${status}&to=${encodeURIComponent(to)}`;
    const failure = async (url: string): Promise<RequestErrorCode | string> => {
      const [result] = await fanOut([url], { ...options, onError: 'collect' });
      if (result?.status === 'fulfilled') return `${result.value.status} ${result.value.body}`;
      return result?.reason instanceof RequestError ? result.reason.code : String(result?.reason);
    };

    test('followed to its end, which is told', async () => {
      const [page] = await fanOut([go('/end')], options);
      assert.deepEqual([page?.status, page?.body, page?.finalUrl], [200, 'arrived', `${origin}/end`]);
    });

    test('credentials go to the same origin only: another port is a stranger', async () => {
      const headers = {
        authorization: 'Bearer secret',
        cookie: 'a=1',
        'proxy-authorization': 'Basic secret',
        'x-api-key': 'secret',
        'x-auth-token': 'secret',
        accept: 'text/plain',
      };
      seen.length = 0;
      await fanOut([{ url: go('/same'), headers }], options);
      const kept = seen.at(-1)!;
      assert.equal(kept.path, '/same');
      for (const [header, value] of Object.entries(headers)) assert.equal(kept.headers[header], value);
      await fanOut([{ url: go(`${other}/stranger`), headers }], options);
      const stranger = seen.at(-1)!;
      assert.equal(stranger.path, '/stranger');
      assert.ok(!JSON.stringify(stranger).includes('secret') && stranger.headers.cookie === undefined);
      assert.equal(stranger.headers.accept, 'text/plain');
    });

    test('a place that is none is a redirects error at once', async () => {
      for (const to of [
        'http://user:pw@127.0.0.1/',
        'data:text/plain,hello',
        'file:///etc/hostname',
        'ftp://127.0.0.1/',
        'javascript:alert(1)',
        'http://[',
        '   ',
      ])
        assert.equal(await failure(go(to)), 'redirects', to);
    });

    test('20 redirects are followed, 21 are not', async () => {
      const chain = (left: number): string =>
        left === 0 ? '/end' : `/go?to=${encodeURIComponent(chain(left - 1))}`;
      const flat = async (hops: number) => {
        let at = 0;
        const server = createServer((_, response) => {
          if (at++ < hops) response.writeHead(302, { location: `/${at}` }).end();
          else response.end('arrived');
        });
        await once(server.listen(0, '127.0.0.1'), 'listening');
        const result = await failure(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        server.close().closeAllConnections();
        return result;
      };
      assert.equal(await failure(`${origin}${chain(3)}`), '200 arrived');
      assert.equal(await flat(20), '200 arrived');
      assert.equal(await flat(21), 'redirects');
    });

    test('a status that sends elsewhere without saying where is a result', async () => {
      assert.equal(await failure(`${origin}/go?status=302`), '302 look elsewhere');
      assert.equal(await failure(`${origin}/go?status=300&to=/end`), '300 look elsewhere');
    });

    test('what was posted is posted again only where the server says so', async () => {
      for (const [status, method, body] of [
        [301, 'GET', ''],
        [302, 'GET', ''],
        [303, 'GET', ''],
        [307, 'POST', 'text'],
        [308, 'POST', 'text'],
      ] as const) {
        await fanOut([{ url: go('/end', status), method: 'POST', body: 'text' }], options);
        const last = seen.at(-1)!;
        assert.deepEqual([last.path, last.method, last.body], ['/end', method, body], `${status}`);
      }
      await fanOut([{ url: go('/end', 303), method: 'HEAD' }], options);
      assert.equal(seen.at(-1)!.method, 'HEAD');
    });

    test('an answer that would change the protocol fails by name, at once', async () => {
      const server = createRawServer((socket) => {
        socket.once('data', () =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
        );
        socket.on('error', () => {});
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const before_ = performance.now();
      const result = await failure(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      server.close();
      assert.equal(result, 'protocol');
      assert.ok(performance.now() - before_ < 15_000, 'long before its headers are late');
    });
  });
}
