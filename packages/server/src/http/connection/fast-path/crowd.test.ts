/** How much a connection of the fast path reads at once, alone and among many. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { receiveBody } from '../request-body.ts';
import { bodyOf } from '../standard-body.ts';
import { startFastPath } from './test-server.ts';

const BODY = Buffer.alloc(8 * 1024 * 1024, 'abcdefg');
const CROWD = 80;
const CROWD_BYTES = 64 * 1024;

// Invariant 9
test('fast path: among many connections each reads less at once, because each may have to keep it', async (t) => {
  let largest = 0;
  const { open } = await startFastPath(t, async (request, response) => {
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
