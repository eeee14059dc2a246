/** How much a connection of the fast path reads at once, alone and among many. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { ConnectionLimiter } from '../connection-limiter.ts';
import { receiveBody } from '../request-body.ts';
import { bodyOf } from '../standard-body.ts';
import { FastPathServer } from './server.ts';

const BODY = Buffer.alloc(8 * 1024 * 1024, 'abcdefg');
const CROWD = 80;
const CROWD_BYTES = 64 * 1024;

// Invariant 9
test('fast path: among many connections each reads less at once, because each may have to keep it', async (t) => {
  let largest = 0;
  const standard = createServer({ requireHostHeader: false }, async (request, response) => {
    const receiver = {
      async write(bytes: Buffer) {
        largest = Math.max(largest, bytes.length);
        // The socket fills meanwhile.
        await delay(1);
      },
      commit: async () => ({}) as PartReceipt,
      async abort() {},
    };
    await receiveBody(bodyOf(request), receiver, 10_000);
    response.end('stored');
  });
  const fastPath = new FastPathServer(standard, new ConnectionLimiter(1000));
  await fastPath.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    const closed = fastPath.close();
    fastPath.closeAllConnections();
    await closed;
  });
  const open = async () => {
    const socket = connect((fastPath.address() as AddressInfo).port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const send = async () => {
    largest = 0;
    const socket = await open();
    socket.write(`PUT /uploads/u/part/0 HTTP/1.1\r\nContent-Length: ${BODY.length}\r\n\r\n`);
    socket.write(BODY);
    await once(socket, 'data');
    return largest;
  };

  assert.ok((await send()) > CROWD_BYTES, 'alone it reads much at once');
  await Promise.all(Array.from({ length: CROWD }, open));
  assert.ok((await send()) <= CROWD_BYTES, `${largest} bytes`);
});
