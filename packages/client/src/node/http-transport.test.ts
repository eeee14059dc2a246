import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, mock, test } from 'node:test';
import { ConnectionError } from '../failures.ts';
import type { WireReply, WireRequest } from '../ports.ts';
import { HttpTransport } from './http-transport.ts';

const PART = new Uint8Array(8 * 1024 * 1024).fill(7);

let server: Server | undefined;
let transport: HttpTransport;

afterEach(async () => {
  mock.timers.reset();
  transport.close();
  server?.closeAllConnections();
  if (server) await new Promise((resolve) => server?.close(resolve));
  server = undefined;
});

async function start(listener: RequestListener, path = ''): Promise<Server> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  connect((server.address() as AddressInfo).port, path);
  return server;
}

function connect(port: number, path = ''): void {
  transport = new HttpTransport(`http://127.0.0.1:${port}${path}`);
}

function send(request: Partial<WireRequest> = {}): Promise<WireReply> {
  return transport.send({ method: 'GET', path: '/x', headers: {}, ...request });
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}

function failed(pattern: RegExp) {
  return (error: unknown) => error instanceof ConnectionError && pattern.test(error.message);
}

test('transport: sends a request below the path of the server, and reads the reply', async () => {
  await start(async (request, response) => {
    const body = await readAll(request);
    const { method, url, headers } = request;
    response.writeHead(201, { 'X-Seen': headers['x-sent'] });
    response.end(JSON.stringify({ method, url, length: headers['content-length'], same: body.equals(PART) }));
  }, '/lift');
  const reply = await send({ method: 'PUT', path: '/uploads/a?b=c', headers: { 'x-sent': 'yes' }, body: PART });
  assert.equal(reply.status, 201);
  assert.equal(reply.headers['x-seen'], 'yes');
  assert.deepEqual(JSON.parse(Buffer.from(reply.body).toString()), {
    method: 'PUT',
    url: '/lift/uploads/a?b=c',
    length: String(PART.length),
    same: true,
  });
});

test('transport: reuses its connection', async () => {
  let connections = 0;
  (await start((_request, response) => response.end())).on('connection', () => connections++);
  await send();
  await send();
  assert.equal(connections, 1);
});

for (const reads of [true, false]) {
  test(`transport: reads an early answer of a server that ${reads ? 'continues to read' : 'stops reading'}, and closes the connection`, async () => {
    const hasty = createTcpServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', () => {
          socket.write('HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}');
          if (reads) socket.resume();
          else socket.pause();
        });
    }).listen(0, '127.0.0.1');
    await once(hasty, 'listening');
    connect((hasty.address() as AddressInfo).port);
    for (let sent = 0; sent < 5; sent++) {
      const reply = await send({ method: 'PUT', body: new Uint8Array(64 * 1024 * 1024) });
      assert.deepEqual([reply.status, Buffer.from(reply.body).toString()], [409, '{}']);
    }
    hasty.close();
  });
}

test('transport: with Expect, sends no byte of a body that the server refuses', async () => {
  let received = 0;
  const listening = await start(() => {});
  listening.on('checkContinue', (request: IncomingMessage, response) => {
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    response.writeHead(200, { connection: 'close' }).end('{}');
  });
  assert.equal((await send({ method: 'PUT', body: PART, expectContinue: true })).status, 200);
  assert.equal(received, 0);
});

test('transport: sends the body after 100 Continue', async () => {
  const listening = await start(() => {});
  listening.on('checkContinue', async (request: IncomingMessage, response) => {
    response.writeContinue();
    response.end(String((await readAll(request)).length));
  });
  const reply = await send({ method: 'PUT', body: PART, expectContinue: true });
  assert.equal(Buffer.from(reply.body).toString(), String(PART.length));
});

test('transport: aborts a connection on which no byte can be sent', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const stuck = createTcpServer((socket) => socket.pause()).listen(0, '127.0.0.1');
  await once(stuck, 'listening');
  connect((stuck.address() as AddressInfo).port);
  const sending = send({ method: 'PUT', body: new Uint8Array(64 * 1024 * 1024) });
  let over = false;
  sending
    .catch(() => {})
    .finally(() => {
      over = true;
    });
  await once(stuck, 'connection');
  while (!over) {
    await new Promise(setImmediate);
    mock.timers.tick(1000);
  }
  await assert.rejects(sending, failed(/no bytes could be sent for 20 s/));
  stuck.close();
});

test('transport: aborts a request without an answer', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  await start(() => mock.timers.tick(91_000));
  await assert.rejects(send(), failed(/no answer arrived for 90 s/));
});

test('transport: aborts an answer that stalls', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  await start((_request, response) => response.write('{'));
  const sending = send();
  let over = false;
  sending
    .catch(() => {})
    .finally(() => {
      over = true;
    });
  while (!over) {
    await new Promise(setImmediate);
    mock.timers.tick(1);
  }
  await assert.rejects(sending, failed(/the answer stalled for 20 s/));
});

test('transport: an incomplete reply is a ConnectionError', async () => {
  await start((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{', () => response.destroy());
  });
  await assert.rejects(send(), failed(/no connection/));
});

test('transport: a refused connection is a ConnectionError', async () => {
  const gone = createTcpServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  connect(port);
  await assert.rejects(send(), failed(/ECONNREFUSED/));
});

test('transport: reports the sent bytes of a body', async () => {
  await start(async (request, response) => void response.end(String((await readAll(request)).length)));
  const sent: number[] = [];
  await send({ method: 'PUT', body: PART, onSent: (bytes) => sent.push(bytes) });
  assert.equal(
    sent.reduce((sum, bytes) => sum + bytes, 0),
    PART.length,
  );
  assert.ok(sent.length > 8);
});

test('transport: waits for its bandwidth limit without a time-out', async () => {
  const listening = await start(
    async (request, response) => void response.end(String((await readAll(request)).length)),
  );
  let allowed = 0;
  const pace = async (bytes: number) => {
    allowed += bytes;
    // Longer than the stall time: a wait for the limit is not a stall.
    await new Promise((resolve) => setTimeout(resolve, allowed === bytes ? 150 : 0));
  };
  transport = new HttpTransport(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`, {
    stallMs: 100,
    pace,
  });
  const reply = await send({ method: 'PUT', body: PART });
  assert.equal(Buffer.from(reply.body).toString(), String(PART.length));
  assert.equal(allowed, PART.length);
});

test('transport: the head is sent before the body waits for the bandwidth limit', async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const server = await start(async (request, response) => {
    resolve();
    await readAll(request);
    response.end();
  });
  transport.close();
  const { port } = server.address() as AddressInfo;
  // The body waits until the server has the head.
  transport = new HttpTransport(`http://127.0.0.1:${port}`, { pace: () => arrived });
  assert.equal((await send({ method: 'PUT', body: new Uint8Array(1000) })).status, 200);
});

test('transport: a missing network, an unknown name and a silent server are different errors', async () => {
  connect(1);
  await assert.rejects(send(), (error) => error instanceof ConnectionError && !error.offline && !error.nameUnknown);
  transport = new HttpTransport('http://no-such-host.invalid');
  await assert.rejects(send(), (error) => error instanceof ConnectionError && error.offline && error.nameUnknown);
});

test('transport: reads at most `maxReplyBytes` of a reply', async () => {
  await start((_request, response) => response.end(PART));
  assert.equal((await send({ maxReplyBytes: 1000 })).body.length, 1000);
  assert.equal((await send({ maxReplyBytes: PART.length })).body.length, PART.length);
});

test('transport: an aborted request ends, also before it started', async () => {
  const controller = new AbortController();
  await start(() => controller.abort(new Error('enough')));
  await assert.rejects(send({ signal: controller.signal }), failed(/aborted/));
  await assert.rejects(send({ signal: controller.signal }), /enough/);
});
