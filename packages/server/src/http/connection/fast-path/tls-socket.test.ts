/** Connections with TLS that read into a buffer of the server. The client is one of `node:tls`, on this machine. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createServer, TLSSocket } from 'node:tls';
import { makeCertificate } from '../../../../../../suites/certificate.ts';
import { makeFolder } from '../../../db/test-rows.ts';
import { adopt, worksOverTls } from './socket.ts';
import { BROKEN } from './test-broken-sockets.ts';

const BLOCK = Buffer.alloc(256 * 1024);

async function makePair(t: TestContext) {
  const { cert, key } = makeCertificate(await makeFolder(t), 'fast');
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** @returns both ends of a connection; the server's is not adopted yet. */
async function open(
  t: TestContext,
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<{ client: TLSSocket; accepted: TLSSocket }> {
  const server = createServer({ ...(await makePair(t)), allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: version });
  const [accepted] = (await once(server, 'secureConnection')) as [TLSSocket];
  t.after(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, accepted };
}

test('fast path, TLS: this version of Node works as expected', async (t) => {
  assert.equal(await worksOverTls(await makePair(t)), true);
});

test('fast path, TLS: a Node that behaves otherwise is detected', async (t) => {
  const pair = await makePair(t);
  const broken: Record<string, typeof adopt> = { ...BROKEN, 'never reads': (accepted) => accepted };
  for (const [name, tried] of Object.entries(broken)) assert.equal(await worksOverTls(pair, tried), false, name);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`fast path, ${version}: nothing is delivered while the connection is paused, and nothing is lost`, async (t) => {
    const { client, accepted } = await open(t, version);
    const sent = randomBytes(4 * 1024 * 1024);
    const received: Buffer[] = [];
    let isPaused = false;
    const socket: Socket = adopt(accepted, {
      buffer: () => BLOCK,
      callback(count, bytes) {
        assert.equal(isPaused, false, 'bytes while it is paused');
        received.push(Buffer.from(bytes.subarray(0, count)));
        if (received.length % 3 > 0) return true;
        isPaused = true;
        socket.pause();
        setTimeout(() => {
          isPaused = false;
          socket.resume();
        }, 1);
        return true;
      },
    });
    const ended = once(socket, 'end');
    // The end comes with the last bytes.
    client.end(sent);
    await ended;
    assert.ok(Buffer.concat(received).equals(sent));
  });
}

test('fast path, TLS: what comes with the end of the handshake is read', async (t) => {
  const { client, accepted } = await open(t, 'TLSv1.3');
  client.write('early');
  // Into the buffer of the stream.
  while (accepted.readableLength < 5) await sleep(5);
  const received: string[] = [];
  const late = Promise.withResolvers<void>();
  adopt(accepted, {
    buffer: () => BLOCK,
    callback(count, bytes) {
      received.push(Buffer.from(bytes.subarray(0, count)).toString());
      if (received.length === 2) late.resolve();
      return true;
    },
  });
  await sleep(20);
  client.write('late');
  await late.promise;
  assert.deepEqual(received, ['early', 'late']);
});

test('fast path, TLS: a client that goes away while the connection is paused closes it', async (t) => {
  const { client, accepted } = await open(t, 'TLSv1.3');
  const first = Promise.withResolvers<void>();
  const socket: Socket = adopt(accepted, {
    buffer: () => BLOCK,
    callback() {
      socket.pause();
      first.resolve();
      return true;
    },
  });
  socket.on('error', () => {});
  client.write(randomBytes(1024 * 1024));
  await first.promise;
  // `once` would report the error.
  const closed = Promise.withResolvers<void>();
  socket.once('close', () => closed.resolve());
  client.destroy();
  socket.write('an answer');
  socket.resume();
  await closed.promise;
  assert.ok(socket instanceof TLSSocket);
});
