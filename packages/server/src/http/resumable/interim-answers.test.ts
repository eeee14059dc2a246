import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InterimAnswers } from './interim-answers.ts';
import { readInterop } from './interop.ts';

interface Asked {
  readonly version?: string;
  readonly http?: string;
  readonly isAllowed?: boolean;
}

/** @returns all that a client gets while `act` answers its request. */
async function answer(t: TestContext, asked: Asked, act: (interim: InterimAnswers) => void): Promise<string> {
  const { version, http = 'HTTP/1.1', isAllowed = true } = asked;
  const listener: RequestListener = (raw, response) => {
    const spoken = readInterop(raw.headers);
    act(new InterimAnswers({ raw } as FastifyRequest, { raw: response } as FastifyReply, spoken, isAllowed));
    response.end('final');
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const named = version === undefined ? '' : `Upload-Draft-Interop-Version: ${version}\r\n`;
  socket.write(`POST / ${http}\r\nHost: x\r\nConnection: close\r\n${named}\r\n`);
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  return text;
}

const announce = (interim: InterimAnswers) => interim.announce('/x', 'max-size=1');

test('104: it has its name, the version of the client, the place and the limits', async (t) => {
  const text = await answer(t, { version: '8' }, (interim) => {
    assert.equal(interim.isAnnounced, false);
    announce(interim);
    assert.equal(interim.isAnnounced, true);
  });
  const head =
    'HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Draft-Interop-Version: 8\r\nLocation: /x\r\nUpload-Limit: max-size=1\r\n\r\n';
  assert.ok(text.startsWith(head), text);
});

test('104: none without a version, to HTTP/1.0, or where a proxy does not pass it on', async (t) => {
  for (const asked of [{}, { version: '7' }, { version: '8', http: 'HTTP/1.0' }, { version: '8', isAllowed: false }]) {
    const text = await answer(t, asked, (interim) => {
      announce(interim);
      interim.report(5);
      assert.equal(interim.isAnnounced, false);
    });
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/, JSON.stringify(asked));
  }
});

test('104: progress is reported at once, and then not more often than it is of use', async (t) => {
  const offsetsOf = (text: string) => text.match(/Upload-Offset: \d+/g);
  const many = (interim: InterimAnswers) => {
    for (let offset = 1; offset < 1000; offset++) interim.report(offset);
  };
  assert.deepEqual(offsetsOf(await answer(t, { version: '5' }, many)), ['Upload-Offset: 1']);
  assert.equal(offsetsOf(await answer(t, { version: '3' }, many)), null);
});
