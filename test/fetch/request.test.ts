/** `fanOut` takes what other code has made for fetch: a Request, of Node's or of node-fetch's. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, suite, test } from 'node:test';
import { fanOut } from 'tslab-parallel';

suite('a Request as an entry', () => {
  let server: Server;
  let address: string;
  before(async () => {
    server = createServer(async (request, response) => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk as Buffer);
      response.end(`${request.method} ${request.headers['x-mine'] ?? '-'} ${Buffer.concat(body).toString()}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  });
  after(() => server.close());

  test('method, headers and body arrive, on every transport; the Request stays whole', async () => {
    const { Request: Theirs } = await import('node-fetch');
    for (const Class of [Request, Theirs as unknown as typeof Request]) {
      for (const transport of ['node-fetch', 'undici', fetch] as const) {
        const requests = [
          new Class(address),
          new Class(address, { method: 'POST', headers: { 'X-Mine': 'yes' }, body: 'some words' }),
        ];
        const pages = await fanOut(requests, { transport: transport as 'undici' });
        assert.deepEqual(
          pages.map(({ body }) => body),
          ['GET - ', 'POST yes some words'],
        );
        assert.equal(requests[1]!.bodyUsed, false);
        assert.equal(await requests[1]!.text(), 'some words');
      }
    }
  });

  test('one whose body has been read, and one for a file, are refused by their place', async () => {
    const used = new Request(address, { method: 'POST', body: 'x' });
    await used.text();
    assert.throws(() => fanOut([address, used]), /entry 1: the body of this Request has been read already/);
    assert.throws(
      () => fanOut([new Request('data:,x')]),
      /entry 0: 'data:,x' is not an http or https address/,
    );
  });
});
