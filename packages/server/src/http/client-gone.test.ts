import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import fastify from 'fastify';
import { signalOf } from './client-gone.ts';

test('client signal: aborts when the client closes before the answer, and not after it', async (t) => {
  const app = fastify();
  const signals: AbortSignal[] = [];
  const called = Promise.withResolvers<void>();
  app.get('/fast', async (_, reply) => {
    signals.push(signalOf(reply));
    return 'done';
  });
  app.get('/slow', async (_, reply) => {
    const signal = signalOf(reply);
    signals.push(signal);
    called.resolve();
    await once(signal, 'abort');
    return reply.hijack();
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}/fast`, { headers: { connection: 'close' } })).text();
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
  await called.promise;
  socket.destroy();
  const [fast, slow] = signals as [AbortSignal, AbortSignal];
  if (!slow.aborted) await once(slow, 'abort');
  assert.equal(fast.aborted, false);
});
