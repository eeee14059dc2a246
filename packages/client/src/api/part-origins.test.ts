import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../failures.ts';
import type { Transport, WireReply, WireRequest } from '../ports.ts';
import { failure, reply } from '../test-server.ts';
import { PartOrigins } from './part-origins.ts';

const RECEIPT = { upload_id: 'u', part: 0, size: 1, sha256: '0'.repeat(64) };
const PUT: WireRequest = { method: 'PUT', path: '/uploads/u/part/0', headers: {} };
type Answer = () => WireReply | Promise<WireReply>;
const stored: Answer = () => reply(201, RECEIPT);

/** Notes in `sent` where each part went. @param answers of further origins; the server itself stores every part. */
function begin(answers: Readonly<Record<string, Answer>> = {}, server = 'https://a.example') {
  const sent: string[] = [];
  const clock = { ms: 0 };
  const to = (url: string, answer: Answer): Transport => ({
    send: async () => {
      sent.push(url);
      return await answer();
    },
  });
  const open = (url: string) => to(url, answers[new URL(url).hostname] ?? stored);
  const main = { answer: stored };
  const mainTransport: Transport = to('main', () => main.answer());
  const origins = new PartOrigins(mainTransport, 4, { server, open, parallel: 5 }, () => clock.ms);
  return { origins, sent, clock, main };
}

test('part origins: parts in flight are spread over all of them, the path of the server is kept', async () => {
  const gate = Promise.withResolvers<WireReply>();
  const wait = () => gate.promise;
  const { origins, sent, main } = begin({ 'b.example': wait, 'c.example': wait }, 'https://a.example/lift');
  main.answer = wait;
  assert.equal(origins.parallel, 4);
  origins.use(['https://b.example', 'https://c.example']);
  assert.equal(origins.parallel, 14);
  const sending = Array.from({ length: 14 }, () => origins.send(PUT));
  const counts = Object.groupBy(sent, (url) => url);
  assert.deepEqual(Object.fromEntries(Object.entries(counts).map(([url, all]) => [url, all?.length])), {
    main: 4,
    'https://b.example/lift': 5,
    'https://c.example/lift': 5,
  });
  gate.resolve(reply(201, RECEIPT));
  await Promise.all(sending);
});

// A token goes along.
test('part origins: only https, or http of a server that has no TLS', () => {
  const names = ['http://b.example', 'https://b.example', 'https://a.example', 'ftp://b.example', 'nonsense', ''];
  const secure = begin().origins;
  secure.use(names);
  assert.equal(secure.parallel, 4 + 5);
  const plain = begin({}, 'http://a.example').origins;
  plain.use(names);
  assert.equal(plain.parallel, 4 + 3 * 5);
});

test('part origins: a broken one rests, and the part goes to the server', async () => {
  const broken: Record<string, Answer> = {
    'refused.example': () => Promise.reject(new ConnectionError('no connection to the server')),
    'other.example': () => reply(200, { hello: 'world' }),
    'sign-in.example': () => ({ status: 200, headers: {}, body: Buffer.from('<html>') }),
    'another-cryolift.example': () => failure('upload_not_found'),
  };
  for (const name of Object.keys(broken)) {
    const { origins, sent, clock } = begin(broken);
    origins.use([`https://${name}`]);
    // The first goes to the server, and the others, while that is busy, to the other origin.
    const replies = await Promise.all([origins.send(PUT), origins.send(PUT), origins.send(PUT)]);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [201, 201, 201],
      name,
    );
    assert.ok(sent.includes(`https://${name}/`), name);
    assert.equal(origins.parallel, 4, name);
    sent.length = 0;
    await Promise.all([origins.send(PUT), origins.send(PUT)]);
    assert.deepEqual(sent, ['main', 'main'], name);
    clock.ms += 10 * 60_000;
    assert.equal(origins.parallel, 9, name);
  }
});

test('part origins: what the server says, too, is no fault of an origin', async () => {
  for (const [code, calls] of [
    ['overloaded', 1],
    ['token_expired', 2],
  ] as const) {
    const { origins, sent, main } = begin({ 'b.example': () => failure(code) });
    main.answer = () => failure(code);
    origins.use(['https://b.example']);
    const first = origins.send(PUT);
    const { status } = await origins.send(PUT);
    assert.equal(status, failure(code).status);
    await first;
    assert.equal(origins.parallel, 9, code);
    assert.equal(sent.length, 1 + calls, code);
  }
});

test('part origins: without a network, and when it is aborted, a part is not sent again', async () => {
  const offline = begin({
    'b.example': () => Promise.reject(new ConnectionError('no connection to the server', { offline: true })),
  });
  offline.origins.use(['https://b.example']);
  const controller = new AbortController();
  const aborted = begin({
    'b.example': () => {
      controller.abort(new Error('enough'));
      return Promise.reject(new ConnectionError('the request was aborted'));
    },
  });
  aborted.origins.use(['https://b.example']);
  const never = new Promise<WireReply>(() => {});
  for (const [{ origins, sent, main }, expected] of [
    [offline, /no connection/],
    [aborted, /enough/],
  ] as const) {
    main.answer = () => never;
    void origins.send(PUT);
    await assert.rejects(origins.send({ ...PUT, signal: controller.signal }), expected);
    assert.deepEqual(sent, ['main', 'https://b.example/']);
    assert.equal(origins.parallel, 9);
  }
});
