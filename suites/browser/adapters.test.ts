/** The SDK's adapters for browsers in a real browser: the transport, and files as request bodies. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { startBlankPages, visit } from './blank-page.ts';

const BODY_BYTES = 16 * 1024 * 1024;

const pages = await startBlankPages();
const page = await pages.open();

/** Answers a request. The server answers preflight requests itself. */
let serve: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  response.setHeader('access-control-allow-origin', pages.origin);
  response.setHeader('access-control-allow-headers', 'x-part');
  response.setHeader('access-control-allow-methods', 'PUT');
  response.setHeader('access-control-expose-headers', 'Retry-After');
  if (request.method === 'OPTIONS') response.end();
  else serve(request, response);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(async () => {
  await pages.discard();
  server.close();
  server.closeAllConnections();
});

beforeEach(async () => {
  serve = (request, response) => request.resume().on('end', () => response.end());
  await visit(page, pages.origin);
});

interface Sending {
  readonly server: string;
  readonly bodyBytes?: number;
  readonly maxReplyBytes?: number;
  readonly abortAfterMs?: number;
}

/** Sends one request from the page, with a watchdog of 300 ms. */
function send(sending: Partial<Sending> = {}) {
  return page.evaluate(
    async ({ server, bodyBytes, maxReplyBytes, abortAfterMs }) => {
      const { ConnectionError, XhrTransport } = globalThis.sdk;
      const transport = new XhrTransport(server, { stallMs: 300, replyMs: 300 });
      const sent: number[] = [];
      try {
        const reply = await transport.send({
          method: bodyBytes === undefined ? 'GET' : 'PUT',
          path: '/below/the root?x=1',
          headers: bodyBytes === undefined ? {} : { 'x-part': '1' },
          body: bodyBytes === undefined ? undefined : new Uint8Array(bodyBytes).fill(7),
          maxReplyBytes,
          onSent: (bytes) => sent.push(bytes),
          signal: abortAfterMs === undefined ? undefined : AbortSignal.timeout(abortAfterMs),
        });
        return { kind: 'reply' as const, ...reply, body: [...reply.body], sent };
      } catch (error) {
        const known = error instanceof ConnectionError;
        return { kind: 'error' as const, known, message: String(error), offline: known && error.offline };
      }
    },
    { server: url, ...sending },
  );
}

test('transport: a body arrives complete, and its progress is reported', async () => {
  const hash = createHash('sha256');
  let path = '';
  serve = (request, response) => {
    path = request.url ?? '';
    request.on('end', () => response.writeHead(201, { 'Retry-After': '3' }).end('ok'));
    // More than the system buffers, so that the progress is reported in several steps.
    setTimeout(() => request.on('data', (bytes) => hash.update(bytes)), 200);
  };
  const reply = await send({ server: `${url}/prefix`, bodyBytes: BODY_BYTES });
  assert.equal(reply.kind, 'reply');
  assert.equal(path, '/prefix/below/the%20root?x=1');
  assert.equal(hash.digest('hex'), createHash('sha256').update(Buffer.alloc(BODY_BYTES, 7)).digest('hex'));
  assert.deepEqual([reply.status, reply.headers['retry-after'], String.fromCharCode(...reply.body)], [201, '3', 'ok']);
  assert.equal(
    reply.sent.reduce((sum, bytes) => sum + bytes, 0),
    BODY_BYTES,
  );
  assert.ok(reply.sent.every((bytes) => bytes > 0));
});

test('source: a part of a chosen file is sent and hashed without a copy in the page', async () => {
  const hash = createHash('sha256');
  let announced: string | undefined;
  serve = (request, response) => {
    announced = request.headers['content-length'];
    request.on('data', (bytes) => hash.update(bytes)).on('end', () => response.end());
  };
  const digest = await page.evaluate(async (server) => {
    const { BlobSource, XhrTransport } = globalThis.sdk;
    const bytes = new Uint8Array(3_000_000).map((_, at) => at);
    const source = new BlobSource(new File([bytes], 'x.mrc'));
    const body = source.body(1_000_001, 1_500_000);
    await new XhrTransport(server).send({ method: 'PUT', path: '/', headers: {}, body });
    const digests = [0, 1].map(() => source.digest(1_000_001, 1_500_000));
    return (await Promise.all(digests)).map((each) => [...each]);
  }, url);
  const expected = [...hash.digest()];
  assert.equal(announced, '1500000');
  assert.deepEqual(digest, [expected, expected]);
});

test('transport: a stalled body and a missing answer are aborted', async () => {
  serve = () => {};
  assert.match(message(await send({ bodyBytes: 16 * BODY_BYTES })), /no bytes could be sent for 0 s/);
  assert.match(message(await send()), /no answer arrived for 0 s/);
  serve = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '10' }).write('start');
  assert.match(message(await send()), /the answer stalled for 0 s/);
});

test('transport: a request that the browser queues is not aborted while other requests progress', async () => {
  // Of eight requests the browser sends six at a time. They take 3 s and progress all the time.
  serve = (request, response) => {
    const timer = setInterval(() => request.read(), 20);
    setTimeout(() => clearInterval(timer) ?? request.resume(), 3000);
    request.on('end', () => response.end()).on('close', () => clearInterval(timer));
  };
  const kinds = await page.evaluate(
    async ({ url, bytes }) => {
      const transport = new globalThis.sdk.XhrTransport(url, { stallMs: 1500 });
      const one = async () => {
        const body = new Uint8Array(bytes);
        return (await transport.send({ method: 'PUT', path: '/', headers: {}, body })).status;
      };
      const settled = await Promise.allSettled(Array.from({ length: 8 }, one));
      return settled.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)));
    },
    // Large bodies are sent as Blobs: the tools that control the browser copy arrays slowly.
    { url, bytes: 2 * BODY_BYTES + 1 },
  );
  assert.deepEqual(kinds, Array(8).fill(200));
});

test('transport: a signal aborts a request, and the server sees its end', async () => {
  const ended = Promise.withResolvers<void>();
  serve = (request) => request.once('close', ended.resolve);
  assert.match(message(await send({ abortAfterMs: 100 })), /aborted/);
  await ended.promise;
});

test('transport: a refused or broken connection is a ConnectionError', async () => {
  serve = (request) => request.socket.destroy();
  const cut = await send({ bodyBytes: 10 });
  assert.match(message(cut), /no connection/);
  assert.equal(cut.kind === 'error' && cut.offline, false);
  assert.match(message(await send({ server: 'http://127.0.0.1:1' })), /no connection/);
});

test('transport: a reply that is too long is aborted', async () => {
  serve = (_request, response) => response.end(Buffer.alloc(100_000));
  const reply = await send({ maxReplyBytes: 1000 });
  assert.deepEqual(reply.kind === 'reply' && [reply.status, reply.body.length], [200, 0]);
});

test('transport: works in a worker', async () => {
  const status = await page.evaluate(async (url) => {
    const program = `
      import { XhrTransport } from '${location.origin}/sdk.js';
      const { status } = await new XhrTransport('${url}').send({ method: 'GET', path: '/', headers: {} });
      postMessage(status);`;
    const worker = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })), {
      type: 'module',
    });
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  }, url);
  assert.equal(status, 200);
});

test('transport: resolves whenOnline when the network is back', async () => {
  const transport = await page.evaluateHandle((url) => new globalThis.sdk.XhrTransport(url), url);
  await page.context().setOffline(true);
  const failed = await send();
  assert.equal(failed.kind === 'error' && failed.offline, true);
  const back = await transport.evaluateHandle((transport) => {
    return { online: transport.whenOnline(new AbortController().signal) };
  });
  await page.context().setOffline(false);
  await back.evaluate(({ online }) => online);
});

function message(outcome: Awaited<ReturnType<typeof send>>): string {
  assert.equal(outcome.kind, 'error');
  assert.ok(outcome.known, outcome.message);
  return outcome.message;
}
