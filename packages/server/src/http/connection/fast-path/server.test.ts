/** The fast path over real sockets, in front of a plain `node:http` server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { ClientGone } from '../../errors.ts';
import { receiveBody } from '../request-body.ts';
import { bodyOf } from '../standard-body.ts';
import { FastPathBody } from './body.ts';
import { type Handler, startFastPath } from './test-server.ts';

async function start(t: TestContext, handler: Handler, times: ServerOptions = {}) {
  const { fastPath, open } = await startFastPath(t, handler, times);
  return { fastPath, open: async () => new Peer(await open()) };
}

class Peer {
  readonly socket: Socket;
  text = '';
  readonly closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1');
    });
    this.closed = Promise.race([once(socket, 'end'), once(socket, 'close')]);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Waits until the answers so far hold this. */
  async sees(part: string): Promise<void> {
    while (!this.text.includes(part)) await once(this.socket, 'data');
  }
}

function part(length: number, path = '/uploads/u/part/0'): string {
  return `PUT ${path} HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n`;
}

/** A receiver that keeps what it is given, and delays the sender as configured. */
function keep(wait: () => Promise<void> | undefined = () => undefined) {
  const chunks: Buffer[] = [];
  return {
    chunks,
    aborted: false,
    write(bytes: Buffer) {
      chunks.push(Buffer.from(bytes));
      return wait();
    },
    async commit() {
      return { size: Buffer.concat(chunks).length } as PartReceipt;
    },
    async abort() {
      this.aborted = true;
    },
  };
}

function answer(response: ServerResponse, body: string): void {
  response.end(body);
}

test('fast path: one connection carries parts, other requests and parts again', async (t) => {
  const requests: string[] = [];
  const { open } = await start(t, async (request, response) => {
    const body = bodyOf(request);
    const fastPath = body instanceof FastPathBody ? 'fast' : 'standard';
    const kept = keep();
    if (request.method === 'PUT') await receiveBody(body, kept, 1000);
    else for await (const chunk of request) kept.chunks.push(chunk as Buffer);
    requests.push(`${request.method} ${fastPath} ${Buffer.concat(kept.chunks)}`);
    answer(response, `<${requests.length}>`);
  });
  const peer = await open();
  const sent = [
    `${part(5)}hello`,
    'GET /a HTTP/1.1\r\n\r\n',
    'POST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi',
    `${part(3)}bye`,
  ];
  for (const [at, bytes] of sent.entries()) {
    peer.send(bytes);
    await peer.sees(`<${at + 1}>`);
  }
  assert.deepEqual(requests, ['PUT fast hello', 'GET standard ', 'POST standard hi', 'PUT fast bye']);
});

// Invariant 9
test('fast path: parallel bodies arrive completely in any chunks, while the storage is slow', async (t) => {
  const bodies = new Map<string, Buffer>();
  let tooEarly = 0;
  const { open } = await start(t, async (request, response) => {
    let turn = 0;
    let isBusy = false;
    const kept = keep(() => {
      if (isBusy) tooEarly++;
      if (++turn % 3 !== 0) return undefined;
      isBusy = true;
      return new Promise((resolve) =>
        setTimeout(() => {
          isBusy = false;
          resolve();
        }, 2),
      );
    });
    await receiveBody(bodyOf(request), kept, 1000);
    bodies.set(request.url as string, Buffer.concat(kept.chunks));
    answer(response, 'done');
  });
  const peers = await Promise.all([1, 2, 3, 4].map(open));
  const whole = peers.map((_, at) => Buffer.alloc(700_000 + at, `${at}abcdefg`));
  await Promise.all(
    peers.map(async (peer, at) => {
      const bytes = whole[at] as Buffer;
      peer.send(part(bytes.length, `/uploads/u/part/${at}`));
      for (let from = 0; from < bytes.length; ) {
        const to = from + 1 + ((from * 7919) % 60_000);
        peer.send(bytes.subarray(from, to));
        from = to;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await peer.sees('done');
    }),
  );
  for (const [at, bytes] of whole.entries()) assert.ok(bodies.get(`/uploads/u/part/${at}`)?.equals(bytes));
  assert.equal(tooEarly, 0, 'a storage that is busy is not given more');
});

test('fast path: a request before the last answer is served after it, on the standard path', async (t) => {
  const isFast: boolean[] = [];
  const { open } = await start(t, async (request, response) => {
    const body = bodyOf(request);
    isFast.push(body instanceof FastPathBody);
    await receiveBody(body, keep(), 1000);
    answer(response, `<${isFast.length}>`);
  });
  const late = await open();
  late.send(part(200_000));
  late.send(Buffer.concat([Buffer.alloc(200_000), Buffer.from(`${part(2)}ok`)]));
  await late.sees('<2>');
  assert.deepEqual(isFast, [true, false]);
  const together = await open();
  together.send(`${part(2)}ok${part(2)}ok`);
  await together.sees('<4>');
  assert.deepEqual(isFast.slice(2), [false, false]);
});

test('fast path: a refused body is read to its end, and the connection goes on', async (t) => {
  const { open } = await start(t, (request, response) => answer(response, request.method === 'PUT' ? 'no' : 'yes'));
  const peer = await open();
  peer.send(part(1_000_000));
  await peer.sees('no');
  peer.send(Buffer.alloc(1_000_000));
  peer.send('GET / HTTP/1.1\r\n\r\n');
  await peer.sees('yes');
});

test('fast path: a client that closes in the middle, and one that stops sending', async (t) => {
  const failures: unknown[] = [];
  const failed = Promise.withResolvers<void>();
  const { open } = await start(t, async (request, response) => {
    const kept = keep();
    await receiveBody(bodyOf(request), kept, 50).catch((error: unknown) => failures.push(error, kept.aborted));
    response.writeHead(408, { connection: 'close' }).end('late');
    if (failures.length === 4) failed.resolve();
  });
  const silent = await open();
  silent.send(`${part(9)}abc`);
  await silent.closed;
  assert.match(silent.text, /late/);
  const gone = await open();
  gone.send(`${part(9)}abc`);
  gone.socket.destroy();
  await failed.promise;
  assert.ok(failures[0] instanceof UploadError && failures[0].code === 'body_timeout');
  assert.ok(failures[2] instanceof ClientGone);
  assert.deepEqual([failures[1], failures[3]], [true, true]);
});

test('fast path: time that the storage takes does not count for the time-out', async (t) => {
  const { open } = await start(t, async (request, response) => {
    const kept = keep(() => new Promise((resolve) => setTimeout(resolve, 150)));
    await receiveBody(bodyOf(request), kept, 50);
    answer(response, 'stored');
  });
  const peer = await open();
  peer.send(`${part(4)}abcd`);
  await peer.sees('stored');
});

test('fast path: a head that does not arrive is answered 408, and idle connections are closed', async (t) => {
  const { open } = await start(t, (_request, response) => answer(response, 'ok'), {
    headersTimeout: 1_000,
    keepAliveTimeout: 1,
  });
  for (const started of ['', 'GET / HT']) {
    const peer = await open();
    peer.send(started);
    await peer.closed;
    assert.match(peer.text, /^HTTP\/1\.1 408 .*body_timeout/s);
  }
  const used = await open();
  used.send('GET / HTTP/1.1\r\n\r\n');
  await used.sees('ok');
  await used.closed;
  assert.ok(!used.text.includes('408'));
});

test('fast path: a connection that was handed over has the time-outs of heads and idle time, counted anew', async (t) => {
  const { fastPath, open } = await start(
    t,
    async (request, response) => {
      if (request.url === '/slow') await new Promise((resolve) => setTimeout(resolve, 1_400));
      answer(response, `<${request.url}>`);
    },
    { headersTimeout: 1_000, keepAliveTimeout: 500, connectionsCheckingInterval: 50 },
  );
  const chunked = (path: string) => `POST ${path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
  const started = await open();
  started.send('GET / HTTP/1.0\r\nX: 1\r\n');
  const used = await open();
  used.send(chunked('/a'));
  await used.sees('</a>');
  // Its keep-alive time would be over in the middle of the next one.
  const slow = await open();
  slow.send('GET /plain HTTP/1.1\r\n\r\n');
  await slow.sees('</plain>');
  slow.send(chunked('/slow'));
  await slow.sees('</slow>');
  await started.closed;
  await used.closed;
  const idle = await open();
  idle.send(chunked('/b'));
  await idle.sees('</b>');
  await fastPath.close();
});

test('fast path: a stop ends idle connections at once and lets requests finish', async (t) => {
  const { fastPath, open } = await start(t, async (request, response) => {
    await receiveBody(bodyOf(request), keep(), 1000);
    answer(response, 'stored');
  });
  const [idle, busy] = [await open(), await open()];
  busy.send(`${part(6)}abc`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = fastPath.close();
  await idle.closed;
  busy.send('def');
  await busy.sees('stored');
  await busy.closed;
  await stopped;
});
