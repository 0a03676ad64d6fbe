import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { type Entry, fanOut, RequestError } from 'tslab-parallel';
import { type Site, type SiteOptions, startSite } from 'tslab-parallel/handbook';
import { pageBody } from '#src/handbook/site/page';
import { PATIENCE_MS } from '../harness/processes';

test('the documents’ program in one line: every page, in input order, with its times', async (t) => {
  const site = await open(t, { pages: 40, latencyMs: 30 });
  const run = fanOut(site.urls, { concurrency: 10 });
  const pages = await run;
  assert.equal(pages.length, 40);
  for (const [index, page] of pages.entries()) {
    assert.equal(page.url, site.urls[index]);
    assert.equal(page.finalUrl, page.url);
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-type'], 'text/html');
    assert.equal(page.bytes, 10_000);
    assert.equal(page.body, expectedBody(index));
    assert.equal(page.attempts, 1);
    const { queuedMs, firstByteMs, doneMs } = page.times;
    assert.ok(firstByteMs >= 29 && doneMs >= firstByteMs, inspect(page.times));
    assert.ok(index < 10 || queuedMs >= 29, `${index}: ${queuedMs}`);
  }
  // Plain data: it survives JSON, and travels to a worker.
  assert.deepEqual(JSON.parse(JSON.stringify(pages[3])), pages[3]);
  assert.deepEqual(structuredClone(pages[3]), pages[3]);

  const { record } = run;
  assert.deepEqual(
    [record.label, record.backend, record.workers, record.status, record.ok],
    ['fanOut', 'async', 10, 'done', 40],
  );
  assert.equal(new Set([...record.spans].map((span) => span.lane)).size, 10);
  assert.equal((await site.stats()).mostInProgress, 10);
});

test('perHost limits each host', async (t) => {
  const site = await open(t, { pages: 30, hosts: 2, latencyMs: 20 });
  const run = fanOut(site.urls, { concurrency: 12, perHost: 2 });
  const pages = await run;
  assert.equal((await site.stats()).mostInProgress, 4);
  assert.ok(run.record.wallMs >= (30 / 4 - 1) * 19);
  assert.ok(pages[20]!.times.queuedMs > 19);
});

test('the run is the pool’s own: completed, keep, cancel, an endless asynchronous input', async (t) => {
  const site = await open(t, { pages: 20, latencyMs: 1 });
  let pulled = 0;
  async function* endless(): AsyncGenerator<Entry> {
    while (true) yield site.urls[pulled++ % 20]!;
  }
  const run = fanOut(endless(), { concurrency: 5, keep: false });
  const seen = new Set<number>();
  for await (const { index, value } of run.completed()) {
    assert.equal(value.url, site.urls[index % 20]);
    seen.add(index);
    if (seen.size === 100) break;
  }
  await assert.rejects(run, { name: 'CancelledError' });
  assert.ok(pulled < 300, `${pulled} were pulled`);
});

test('the first failure ends the run, and closes what is under way', async (t) => {
  const site = await open(t, { pages: 30, latencyMs: 10, failures: { badStatusLine: 0.05 } });
  const slow = await open(t, { pages: 5, latencyMs: 60_000 });
  const run = fanOut([...slow.urls, ...site.urls], { concurrency: 10 });
  await assert.rejects(run, (error: RequestError) => {
    assert.ok(error instanceof RequestError);
    assert.equal(error.code, 'protocol');
    assert.equal(site.failures.get(error.url), 'badStatusLine');
    return true;
  });
  assert.ok(run.record.wallMs < PATIENCE_MS);
});

test('bad addresses in a list are refused, all at once, before anything starts', async (t) => {
  const site = await open(t, { pages: 1, latencyMs: 0 });
  const good = site.urls[0]!;
  assert.throws(
    () =>
      fanOut([
        good,
        'nonsense',
        'ftp://example.org/',
        'http://me:secret@example.org/',
        { url: good, method: 'GET', body: 'x' },
        { url: good, headers: { 'a b': 'c' } },
        { url: good, headers: { a: 'c\nd' } },
        { url: good, verb: 'GET' } as unknown as Entry,
        42 as unknown as Entry,
        { url: good, body: {} as string, method: 'POST' },
      ]),
    (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, /^9 of 10 entries can't be fetched: /);
      for (const words of [
        /entry 1: 'nonsense' is not an address/,
        /entry 2: 'ftp:\/\/example.org\/' is not an http or https address/,
        /entry 3: the address holds a password/,
        /entry 4: a GET request has no body/,
        /entry 5: .*a b/,
        /entry 6: .*"a"/,
        /entry 7: an entry has no "verb"/,
        /entry 8: 42 is neither an address nor/,
        /entry 9: body must be text or a Uint8Array/,
      ]) {
        assert.match(error.message, words);
      }
      assert.doesNotMatch(error.message, /secret/);
      return true;
    },
  );
  assert.throws(() => fanOut(Array.from({ length: 50 }, () => 'x')), /; and 40 more\.$/);
  assert.equal((await site.stats()).requests, 0);

  // From another iterable, each is its own item's failure.
  const [first, second] = await fanOut(new Set([good, 'nonsense']), { onError: 'collect' });
  assert.equal(first!.status, 'fulfilled');
  assert.equal(second!.status === 'rejected' && second!.reason.code, 'url');
});

test('bad options are refused', () => {
  for (const [options, expected] of [
    [{ concurrency: 0 }, /concurrency must be a whole number, 1 or more; got 0/],
    [{ concurrency: 1.5 }, /concurrency must be/],
    [{ perHost: Number.NaN }, /perHost must be/],
    [{ timeoutMs: -1 }, /timeoutMs must be/],
    [{ maxBytes: 0 }, /maxBytes must be/],
    [{ retries: -1 }, /retries must be/],
    [{ as: 'xml' }, /as must be "text", "json" or "bytes"/],
    [{ as: 'text', parse: () => 1 }, /as must be left out/],
    [{ transport: 'axios' }, /transport must be "node-fetch", "undici" or a function/],
    [{ chunkSize: 2 }, /no "chunkSize"/],
    [{ onError: 'ignore' }, /onError must be/],
  ] as const) {
    assert.throws(
      () => fanOut([], options as never),
      (error: Error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, expected);
        return true;
      },
    );
  }
  for (const urls of [5, null, 'http://127.0.0.1/', {}]) {
    assert.throws(
      () => fanOut(urls as never),
      /^TypeError: urls must be an iterable of addresses, such as \[url\]/,
    );
  }
});

describe('against a server that tells what it got', () => {
  let server: Server;
  let address: string;
  let respond: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  let cameAt: number[] = [];
  before(async () => {
    server = createServer(async (request, response) => {
      cameAt.push(performance.now());
      let body = '';
      for await (const piece of request) body += piece;
      respond(request, response, body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  for (const transport of ['node-fetch', 'undici'] as const) {
    test(`methods, headers and bodies arrive (${transport})`, async () => {
      respond = ({ method, headers, url }, response, body) =>
        response
          .setHeader('set-cookie', ['a=1', 'b=2'])
          .end(JSON.stringify({ method, url, body, special: headers['x-special'] }));
      const [get, post, put] = await fanOut(
        [
          new URL(`${address}/a?b=c#d`),
          { url: `${address}/b`, method: 'post', body: '한글', headers: { 'X-Special': 'yes' } },
          { url: `${address}/c`, method: 'PUT', body: new TextEncoder().encode('bytes') },
        ],
        { as: 'json', transport },
      );
      assert.deepEqual(get!.body, { method: 'GET', url: '/a?b=c', body: '' });
      assert.deepEqual(post!.body, { method: 'POST', url: '/b', body: '한글', special: 'yes' });
      assert.deepEqual(put!.body, { method: 'PUT', url: '/c', body: 'bytes' });
      assert.equal(get!.headers['set-cookie'], 'a=1, b=2');
    });

    test(`redirects are followed, and the end is told (${transport})`, async () => {
      respond = ({ url, method }, response) => {
        if (url === '/end') response.end(method);
        else response.writeHead(url === '/see-other' ? 303 : 302, { location: '/end' }).end();
      };
      const [get, post] = await fanOut(
        [`${address}/start`, { url: `${address}/see-other`, method: 'POST', body: 'x' }],
        { transport },
      );
      assert.deepEqual([get!.url, get!.finalUrl, get!.body], [`${address}/start`, `${address}/end`, 'GET']);
      assert.deepEqual([post!.finalUrl, post!.body], [`${address}/end`, 'GET']);
    });

    test(`HEAD and answers without a body (${transport})`, async () => {
      respond = ({ method }, response) => {
        if (method === 'HEAD') response.setHeader('content-encoding', 'gzip').end();
        else response.writeHead(204).end();
      };
      const [head, none] = await fanOut([{ url: address, method: 'HEAD' }, address], { transport });
      assert.deepEqual([head!.status, head!.bytes, head!.body], [200, 0, '']);
      assert.deepEqual([none!.status, none!.bytes, none!.body], [204, 0, '']);
    });
  }

  test('as text in the character set that the server names, as bytes, as JSON, parsed', async () => {
    const korean = Buffer.from('b0a1b3aab4d9', 'hex'); // 가나다 in EUC-KR
    respond = ({ url }, response) => {
      if (url === '/euc-kr') response.setHeader('content-type', 'text/html; charset=EUC-KR').end(korean);
      else if (url === '/bom') response.end(Buffer.from('\ufeffhello'));
      else if (url === '/unknown')
        response.setHeader('content-type', 'text/html; charset=klingon').end('nuqneH');
      else if (url === '/error') response.writeHead(400).end('<p>not JSON</p>');
      else response.end('{"a": [1]}');
    };
    const texts = await fanOut(['/euc-kr', '/bom', '/unknown'].map((path) => address + path));
    assert.deepEqual(
      texts.map(({ body }) => body),
      ['가나다', 'hello', 'nuqneH'],
    );
    const [bytes] = await fanOut([`${address}/euc-kr`], { as: 'bytes' });
    assert.deepEqual(bytes!.body, new Uint8Array(korean));
    const [json] = await fanOut([address], { as: 'json' });
    assert.deepEqual(json!.body, { a: [1] });
    const [parsed] = await fanOut([address], {
      parse: async (body, { status, url }) => `${body.length} ${status} ${url}`,
    });
    assert.equal(parsed!.body satisfies string, `10 200 ${address}`);

    const [error] = await fanOut([`${address}/error`], { as: 'json' });
    assert.deepEqual([error!.status, error!.body], [400, '<p>not JSON</p>']);
    const [notJson, thrown] = await fanOut([`${address}/bom`, `${address}/bom`], {
      parse: (body) => {
        if (body.length === 0) return 1;
        throw new RangeError('I do not like it');
      },
      onError: 'collect',
    });
    for (const result of [notJson!, thrown!]) {
      assert.equal(result.status === 'rejected' && result.reason.code, 'parse');
      assert.ok(result.status === 'rejected' && result.reason.cause instanceof RangeError);
      assert.match(result.reason.message, /can't be parsed: I do not like it/);
    }
  });

  test('a status that isn’t 2xx is a result; with throwHttpErrors a failure that holds the answer', async () => {
    respond = (_request, response) => response.writeHead(404, { 'x-a': 'b' }).end('nothing here');
    const [result] = await fanOut([address]);
    assert.deepEqual([result!.status, result!.body], [404, 'nothing here']);
    await assert.rejects(fanOut([address], { throwHttpErrors: true }), (error: RequestError) => {
      assert.equal(error.code, 'status');
      assert.match(error.message, /the status is not 2xx \(throwHttpErrors\): 404\.$/);
      assert.deepEqual([error.response!.status, error.response!.body], [404, 'nothing here']);
      assert.equal(error.response!.headers['x-a'], 'b');
      return true;
    });
  });

  test('Retry-After is obeyed, and capped', async () => {
    const answers = (...list: [number, Record<string, string>][]) => {
      cameAt = [];
      respond = (_request, response) => {
        const [status, headers] = list.shift() ?? [200, {}];
        response.writeHead(status, headers).end();
      };
    };
    const pauses = () => cameAt.slice(1).map((at, index) => at - cameAt[index]!);

    answers([429, { 'retry-after': '1' }], [503, { 'retry-after': '0' }]);
    const [result] = await fanOut([address]);
    assert.deepEqual([result!.status, result!.attempts], [200, 3]);
    assert.ok(pauses()[0]! >= 990 && pauses()[0]! < 2000, `${pauses()}`);
    assert.ok(pauses()[1]! < 500);
    assert.ok(result!.times.doneMs >= 990);

    answers([503, { 'retry-after': '3600' }]);
    await fanOut([address], { maxRetryAfterMs: 200 });
    assert.ok(pauses()[0]! >= 190 && pauses()[0]! < PATIENCE_MS, `${pauses()}`);

    answers([503, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }]);
    await fanOut([address], { maxRetryAfterMs: 200 });
    assert.ok(pauses()[0]! >= 190 && pauses()[0]! < PATIENCE_MS, `${pauses()}`);

    // A pause that would outlast the time limit is not begun: what came is the result.
    answers([503, { 'retry-after': '3600' }]);
    const startMs = performance.now();
    const [given] = await fanOut([address], { timeoutMs: 60_000, maxRetryAfterMs: 120_000 });
    assert.deepEqual([given!.status, given!.attempts], [503, 1]);
    assert.ok(performance.now() - startMs < PATIENCE_MS);
  });

  test('pauses grow, and vary', async () => {
    respond = (_request, response) => response.writeHead(500).end();
    cameAt = [];
    const [result] = await fanOut([address], { retries: 4 });
    assert.deepEqual([result!.status, result!.attempts], [500, 5]);
    const pauses = cameAt.slice(1).map((at, index) => at - cameAt[index]!);
    for (const [index, pause] of pauses.entries()) {
      const most = 100 * 2 ** index;
      assert.ok(pause >= most / 2 - 2 && pause < most + 300, `${pauses}`);
    }
  });

  test('what may act twice is repeated only when told', async () => {
    respond = (_request, response) => response.writeHead(503).end();
    const post = { url: address, method: 'POST', body: 'x' };
    const [once] = await fanOut([post]);
    assert.equal(once!.attempts, 1);
    const [twice] = await fanOut([post], { retryUnsafe: true, retries: 1 });
    assert.equal(twice!.attempts, 2);
    respond = (_request, response) => response.writeHead(404).end();
    const [never] = await fanOut([address]);
    assert.equal(never!.attempts, 1);
  });
});

const SITE: Required<SiteOptions> = {
  pages: 160,
  hosts: 2,
  latencyMs: 50,
  jitterMs: 0,
  bytes: 10_000,
  failures: 0,
  recoversAfter: 0,
  seed: 1,
};
const expectedBody = (page: number) => pageBody(page, SITE).toString();

/** A site for one test. */
async function open(t: TestContext, options?: SiteOptions): Promise<Site> {
  const site = await startSite(options);
  t.after(() => site.close());
  return site;
}
