import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { UploadError } from '@cryolift/protocol/errors';
import fastify from 'fastify';
import type { Caller } from '../auth/caller.ts';
import { registerLoadShedder } from './load-shedder.ts';

/** 16 MiB of one network, 128 KiB of each stream. */
const MAX_STREAMS = 128;
/** 32 MiB of one owner. */
const ANSWER = Buffer.alloc(1024 * 1024);
const MAX_ANSWERS = 32;

test('load shedder: streams to anonymous callers are limited for a network, and a refused stream is closed', async (t) => {
  const app = fastify();
  const streams: Readable[] = [];
  registerLoadShedder(app);
  app.setErrorHandler((error: UploadError, _request, reply) => reply.code(error.status).send(error.toEnvelope('r')));
  app.get('/', (_request, reply) => {
    const stream = new Readable({ read() {} });
    stream.push('started');
    streams.push(stream);
    return reply.send(stream);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const sockets: Socket[] = [];
  const ask = async (): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    return head.toString();
  };
  for (let at = 0; at < MAX_STREAMS; at++) assert.match(await ask(), /^HTTP\/1\.1 200 /);
  assert.match(await ask(), /^HTTP\/1\.1 503 [\s\S]*"code":"overloaded"/);
  assert.equal(streams.at(-1)?.destroyed, true);
  for (const socket of sockets.splice(0)) socket.destroy();
  while (!(await ask()).startsWith('HTTP/1.1 200')) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const socket of sockets) socket.destroy();
});

test('load shedder: an answer to a client that has disconnected counts for nothing', async (t) => {
  const app = fastify();
  const answered: Promise<void>[] = [];
  app.decorateRequest<Caller>('caller', null as unknown as Caller);
  app.addHook('onRequest', async (request) => {
    request.caller = { kind: 'token', sub: 'ada', scopes: new Set(), expiresAtMs: Number.POSITIVE_INFINITY };
  });
  registerLoadShedder(app);
  app.setErrorHandler((error: UploadError, _request, reply) => reply.code(error.status).send(error.toEnvelope('r')));
  app.get('/late', async (_request, reply) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answered.push(promise);
    await once(reply.raw, 'close');
    setImmediate(resolve);
    return reply.send(ANSWER);
  });
  app.get('/', (_request, reply) => reply.send(ANSWER));
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  for (let at = 0; at < MAX_ANSWERS; at++) {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /late HTTP/1.1\r\nhost: x\r\n\r\n');
    while (answered.length <= at) await new Promise((resolve) => setTimeout(resolve, 1));
    socket.destroy();
    await answered[at];
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
});

test('load shedder: the items of lists that are gathered at the same time are limited', async (t) => {
  const app = fastify();
  app.decorateRequest<Caller>('caller', null as unknown as Caller);
  app.addHook('onRequest', async (request) => {
    request.caller = {
      kind: 'token',
      sub: String(request.headers.owner),
      scopes: new Set(),
      expiresAtMs: Number.POSITIVE_INFINITY,
    };
  });
  registerLoadShedder(app);
  app.setErrorHandler((error: UploadError, _request, reply) => reply.code(error.status).send(error.toEnvelope('r')));
  const end = Promise.withResolvers<void>();
  t.after(() => end.resolve());
  const started = new EventEmitter();
  const querystring = { type: 'object', properties: { limit: { type: 'integer' } } };
  app.get('/list', { config: { scope: 'uploads:write' }, schema: { querystring } }, async () => {
    started.emit('one');
    await end.promise;
    return 'done';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const ask = async (owner: string, limit: number) =>
    (await fetch(`http://127.0.0.1:${port}/list?limit=${limit}`, { headers: { owner } })).status;
  const waiting: Promise<number>[] = [];
  for (let at = 0; at < 4; at++) {
    const isBegun = once(started, 'one');
    waiting.push(ask('ada', 1_000));
    await isBegun;
  }
  const isStartedToo = once(started, 'one').then(() => 'started');
  assert.equal(await Promise.race([ask('ada', 1_000), isStartedToo]), 503);
  const isBegun = once(started, 'one');
  waiting.push(ask('bob', 1_000));
  await isBegun;
  end.resolve();
  assert.deepEqual(await Promise.all(waiting), [200, 200, 200, 200, 200]);
  assert.equal(await ask('ada', 1_000), 200);
});
