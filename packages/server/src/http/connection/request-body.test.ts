import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { BodyPump, receiveBody } from './request-body.ts';
import { bodyOf } from './standard-body.ts';

/** A receiver that delays writes: the earlier ones as configured, the last one for a short time. */
function keepWaiting(bytes: number, before: () => Promise<void> | undefined = () => undefined) {
  const events: string[] = [];
  let taken = 0;
  return {
    events,
    write(chunk: Buffer) {
      taken += chunk.length;
      if (taken < bytes) return before();
      return new Promise<void>((resolve) => setTimeout(resolve, 50)).then(() => void events.push('written'));
    },
    async commit() {
      events.push('committed');
      return {} as PartReceipt;
    },
    async abort() {},
  };
}

test('request body: it is committed only when the storage has taken the last of it', async (t) => {
  const { promise: events, resolve, reject } = Promise.withResolvers<string[]>();
  const server = createServer((incoming, response) => {
    // All has come, and lies in the stream, when its last chunk is read: then Node says 'end' although it is paused.
    const whole = async () => {
      while (!incoming.complete) await new Promise((next) => setImmediate(next));
    };
    const receiver = keepWaiting(100_000, whole);
    receiveBody(bodyOf(incoming), receiver, 1000).then(() => resolve(receiver.events), reject);
    incoming.once('close', () => response.destroy());
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sent = request({ port, method: 'PUT', headers: { 'content-length': 100_000 } });
  sent.on('error', () => {}).end(Buffer.alloc(100_000));
  assert.deepEqual(await events, ['written', 'committed']);
  sent.destroy();
});

test('request body: an end that arrives while the storage is slow waits, too', async () => {
  const receiver = keepWaiting(3);
  const pump = new BodyPump(receiver, 1000);
  const done = pump.done.then(() => receiver.events.push('done'));
  void pump.write(Buffer.from('abc'));
  pump.commit();
  await done;
  assert.deepEqual(receiver.events, ['written', 'done']);
});
