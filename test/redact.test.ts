import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createPool, fanOut, Recording } from 'tslab-parallel';
import { redacted } from '#src/helper/redact';

const SECRET = 'hunter2';

test('a secret in an address, a header, a field: gone, whatever holds it', () => {
  const hidden: unknown[] = [
    `http://user:${SECRET}@host/path`,
    `ftp://u:${SECRET}@host`,
    `https://${SECRET}@host/`,
    `https://user:p@${SECRET}@host/`,
    `redis://:pa/${SECRET}@localhost:6379/0`,
    `rediss://default:${SECRET}/x?y@host:1`,
    `redis://localhost:6379?password=${SECRET}`,
    `see https://host/a?x=1&token=${SECRET}&y=2 and more`,
    ...['key', 'api_key', 'apikey', 'accessToken', 'client_secret', 'X-Amz-Signature', 'sig', 'PASSWORD'].map(
      (name) => `https://host/?a=b&${name}=${SECRET}`,
    ),
    { url: 'http://h/', headers: { authorization: `Bearer ${SECRET}` } },
    { url: 'http://h/', headers: { Cookie: `a=${SECRET}`, 'X-Api-Key': SECRET } },
    { headers: [['Proxy-Authorization', SECRET]] },
    new Map([['authorization', SECRET]]),
    new Headers({ authorization: SECRET }),
    { password: SECRET, apiKey: SECRET, accessToken: SECRET },
    { password: `it's "${SECRET}"` },
    JSON.stringify({ token: SECRET }),
    `authorization: Basic ${Buffer.from(SECRET).toString('base64')}`,
    `it answered to Bearer ${SECRET}`,
  ];
  for (const value of hidden) {
    const text = typeof value === 'string' ? value : inspect(value, { depth: 4, breakLength: Infinity });
    const shown = redacted(text);
    assert.ok(!shown.includes(SECRET) && !shown.includes(Buffer.from(SECRET).toString('base64')), shown);
    assert.ok(shown.includes('…'), shown);
    assert.equal(redacted(shown), shown, 'once is enough');
  }
});

test('what is no secret stays as it is', () => {
  for (const text of [
    'https://host:8080/@user/path?page=2&monkey=1&keyboard=de&sort=key',
    'mail me@example.org',
    "{ key: 'a', name: 'b', tokens: 3, author: 'c', keys: [ 'd' ] }",
    'redis://localhost:6379',
    "[ 'a', 'b' ]",
    'a basic idea of 12 items',
    'the token is missing',
    'item 3: expected a number; got 5',
  ])
    assert.equal(redacted(text), text);
});

test('a password that is a number is one', () => {
  assert.equal(redacted(inspect({ password: 1234, id: 5 })), "{ password: '…', id: 5 }");
});

test('long text takes time in proportion', () => {
  for (const piece of ['a', '=', "'", '://', 'token', '?&', 'x@', 'Bearer ', "{ password: '", 'redis://']) {
    const text = piece.repeat(Math.ceil(300_000 / piece.length));
    const before = performance.now();
    redacted(text);
    assert.ok(performance.now() - before < 5000, `${piece}: ${performance.now() - before} ms`);
  }
});

test('a request that fails shows no secret: not its error, not its item, not its record', async () => {
  const secrets = {
    url: `http://127.0.0.1:1/?token=${SECRET}`,
    headers: { authorization: `Bearer ${SECRET}` },
  };
  for (const transport of ['node-fetch', 'undici', fetch] as const) {
    const run = fanOut([secrets], { retries: 0, transport: transport as 'undici', onError: 'collect' });
    const [result] = await run;
    const { reason } = result as PromiseRejectedResult;
    for (const text of [
      inspect(result, { depth: 9 }),
      inspect(reason),
      JSON.stringify(reason),
      String(reason.stack),
      JSON.stringify(run.record),
      run.record.toCSV(),
    ])
      assert.ok(!text.includes(SECRET), text);
  }
  const passwords = [`ftp://u:${SECRET}@h/`, `http://u:${SECRET}@h/`];
  for (const url of passwords) {
    assert.throws(
      () => fanOut([url]),
      (error: Error) => !error.message.includes(SECRET),
    );
    await assert.rejects(
      fanOut(new Set([url])),
      (error: Error) => !inspect(error, { depth: 9 }).includes(SECRET),
    );
  }
});

test('an item, a label and an error of any run show none either', async () => {
  const fail = ({ password }: { password: string }) => {
    throw new Error(`no way in with https://me:${password}@host/`);
  };
  for (const backend of ['serial', 'thread'] as const) {
    const run = createPool(backend).map([{ password: SECRET }], fail);
    await assert.rejects(run, (error: { item?: unknown }) => !String(error.item).includes(SECRET));
    assert.ok(!JSON.stringify(run.record).includes(SECRET), JSON.stringify(run.record));
  }
  const own = new Recording({ label: `http://h/?key=${SECRET}` });
  own.add({ lane: 'a', startMs: 0, endMs: 1, label: `http://h/?token=${SECRET}` });
  assert.ok(!JSON.stringify(own).includes(SECRET));
});

test('an item in an error is itself where it is a number or the like', async () => {
  const itemOf = async (item: unknown) => {
    const fail = () => {
      throw new Error('on purpose');
    };
    return createPool('serial')
      .map([item], fail)
      .then(
        () => 'nothing',
        (error) => (error as { item: unknown }).item,
      );
  };
  for (const item of [3_000_000, true, null, undefined, 5n, 'text']) assert.equal(await itemOf(item), item);
  assert.equal(await itemOf({ a: [1, 2] }), '{ a: [ 1, 2 ] }');
});
