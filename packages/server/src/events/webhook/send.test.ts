import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { sendEvent } from './send.ts';

const KEY = Buffer.from('key');
const NOW_MS = Date.parse('2026-11-23T12:00:00Z');

async function receive(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    listener(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function send(url: string, signal = new AbortController().signal) {
  return await sendEvent(url, KEY, '{"id":"1"}', NOW_MS, signal);
}

async function answer(t: TestContext, status: number, headers: Record<string, string> = {}, body = '') {
  return await send(await receive(t, (_request, response) => response.writeHead(status, headers).end(body)));
}

test('send: 2xx accepts; 410 is final; all other answers, also redirects, are retried', async (t) => {
  for (const status of [200, 204, 299]) assert.equal((await answer(t, status)).kind, 'accepted');
  for (const status of [301, 307, 400, 410, 500]) {
    const attempt = await answer(t, status, { location: '/elsewhere' });
    assert.deepEqual(attempt, {
      kind: 'refused',
      isFinal: status === 410,
      trouble: `answered ${status}`,
      waitMs: null,
    });
  }
  const endless = await receive(t, (_request, response) => void response.writeHead(200).write('and'));
  assert.equal((await send(endless)).kind, 'accepted');
});

test('send: the status counts without the rest of the answer', async (t) => {
  const url = await receive(t, (_request, response) => {
    response.writeHead(410, { 'content-length': '10' }).flushHeaders();
    setImmediate(() => response.destroy());
  });
  const attempt = await send(url);
  assert.ok(attempt.kind === 'refused' && attempt.isFinal, JSON.stringify(attempt));
});

test('send: Retry-After is seconds or a date; other values are ignored', async (t) => {
  for (const [value, waitMs] of [
    ['120', 120_000],
    ['0', 0],
    ['Mon, 23 Nov 2026 12:02:00 GMT', 120_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
    ['', null],
  ] as const) {
    const attempt = await answer(t, 503, { 'retry-after': value });
    assert.equal(attempt.kind === 'refused' && attempt.waitMs, waitMs, value);
  }
});

test('send: one line of the answer is stored', async (t) => {
  const attempt = await answer(t, 500, {}, `\u001b[31mred\r\n\u0000\u202eand ${'long '.repeat(50_000)}`);
  assert.ok(attempt.kind === 'refused');
  assert.match(attempt.trouble, /^answered 500: \[31mred and long /);
  assert.doesNotMatch(attempt.trouble, /\p{C}/u);
  assert.ok(attempt.trouble.length < 250);
});

test('send: an unreachable receiver is retried; a stop is no failure', async (t) => {
  const gone = await receive(t, (request) => request.socket.resetAndDestroy());
  const reset = await send(gone);
  assert.deepEqual([reset.kind, reset.kind === 'refused' && reset.isFinal], ['refused', false]);
  const stopping = new AbortController();
  const silent = await receive(t, () => stopping.abort());
  await assert.rejects(send(silent, stopping.signal), { name: 'AbortError' });
});
