/** What the SDK's adapters for browsers owe the SDK, in a real browser: connections, files, resume store. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { startBlankPages, visit } from './blank-page.ts';

const BODY_BYTES = 16 * 1024 * 1024;

const pages = await startBlankPages();
const page = await pages.open();

/** What the server does with a request; it answers those of other origins by itself. */
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

test('a body arrives whole, and is told of as it is taken', async () => {
  const hash = createHash('sha256');
  let path = '';
  serve = (request, response) => {
    path = request.url ?? '';
    request.on('end', () => response.writeHead(201, { 'Retry-After': '3' }).end('ok'));
    // More than the system takes at once, so that it is told of in several steps.
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

test('a part of a chosen file is sent and hashed without being copied here', async () => {
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

test('a body that nobody takes is given up, and so is an answer that does not come', async () => {
  serve = () => {};
  assert.match(message(await send({ bodyBytes: 16 * BODY_BYTES })), /the connection took no byte for 0 s/);
  assert.match(message(await send()), /no answer came for 0 s/);
  serve = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '10' }).write('begun');
  assert.match(message(await send()), /the answer stalled for 0 s/);
});

test('a request that the browser lets wait for its turn is not given up while others move', async () => {
  // Eight at once, of which the browser sends six. These take 3 s and move all the time.
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
    // Large enough to be sent as Blobs: the tools that drive the browser copy arrays, slowly.
    { url, bytes: 2 * BODY_BYTES + 1 },
  );
  assert.deepEqual(kinds, Array(8).fill(200));
});

test('a signal ends a request, and the server sees its end', async () => {
  const ended = Promise.withResolvers<void>();
  serve = (request) => request.once('close', ended.resolve);
  assert.match(message(await send({ abortAfterMs: 100 })), /given up/);
  await ended.promise;
});

test('a connection that is refused or cut is a ConnectionError', async () => {
  serve = (request) => request.socket.destroy();
  const cut = await send({ bodyBytes: 10 });
  assert.match(message(cut), /no connection/);
  assert.equal(cut.kind === 'error' && cut.offline, false);
  assert.match(message(await send({ server: 'http://127.0.0.1:1' })), /no connection/);
});

test('a reply that is too long is cut off', async () => {
  serve = (_request, response) => response.end(Buffer.alloc(100_000));
  const reply = await send({ maxReplyBytes: 1000 });
  assert.deepEqual(reply.kind === 'reply' && [reply.status, reply.body.length], [200, 0]);
});

test('in a worker, too', async () => {
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

test('it hears when the network is back', async () => {
  const transport = await page.evaluateHandle((url) => new globalThis.sdk.XhrTransport(url), url);
  await page.context().setOffline(true);
  const failed = await send();
  assert.equal(failed.kind === 'error' && failed.offline, true);
  const back = await transport.evaluateHandle((transport) => {
    return { heard: transport.whenOnline(new AbortController().signal) };
  });
  await page.context().setOffline(false);
  await back.evaluate(({ heard }) => heard);
});

function message(outcome: Awaited<ReturnType<typeof send>>): string {
  assert.equal(outcome.kind, 'error');
  assert.ok(outcome.known, outcome.message);
  return outcome.message;
}

test('uploads are remembered over a reload, by server, owner and location', async () => {
  await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const record = { sizeBytes: 1, modifiedMs: 2.5, identity: null, fingerprint: 'f', openedWith: 'f' };
    const save = (server: string, owner: string, location: string, uploadId: string) =>
      resumeStore.save({ ...record, server, owner, location, uploadId });
    await save('http://a', 'ada', 'x.mrc', 'u1');
    await save('http://a', 'ada', 'x.mrc', 'u2');
    await save('http://a', 'ada', 'y.mrc', 'u3');
    await save('http://ab', 'ada', 'x.mrc', 'u4');
    await save('http://a', 'bob', 'x.mrc', 'u5');
    await resumeStore.forget({ server: 'http://a', owner: 'ada', location: 'y.mrc' });
  });
  await visit(page, pages.origin);
  const found = await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const key = { server: 'http://a', owner: 'ada' };
    return [
      await resumeStore.load({ ...key, location: 'x.mrc' }),
      await resumeStore.load({ ...key, location: 'y.mrc' }),
      await resumeStore.all('http://a', 'ada'),
    ];
  });
  const record = { sizeBytes: 1, modifiedMs: 2.5, identity: null, fingerprint: 'f', openedWith: 'f' };
  const kept = { ...record, server: 'http://a', owner: 'ada', location: 'x.mrc', uploadId: 'u2' };
  assert.deepEqual(found, [kept, null, [{ ...kept, handle: null }]]);
});

test('where nothing can be stored nothing is remembered, and nothing fails', async () => {
  const found = await page.evaluate(async () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const key = { server: 'http://a', owner: 'ada', location: 'x.mrc' };
    const record = { sizeBytes: 1, modifiedMs: 2, identity: null, fingerprint: 'f', openedWith: 'f', uploadId: 'u' };
    await resumeStore.save({ ...key, ...record });
    await resumeStore.forget(key);
    return [await resumeStore.load(key), await resumeStore.all(key.server, key.owner)];
  });
  assert.deepEqual(found, [null, []]);
});

test('a handle is kept until its upload is forgotten', async () => {
  // A stand-in: what a headless browser does with a true one that comes out of a database is crash.
  await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const key = { server: 'http://a', owner: 'ada', location: 'in/z.mrc' };
    await resumeStore.keepHandle(key, { kind: 'file' } as never);
    const record = { sizeBytes: 10, modifiedMs: 2, identity: null, fingerprint: 'f', openedWith: 'f', uploadId: 'u' };
    await resumeStore.save({ ...key, ...record });
  });
  await visit(page, pages.origin);
  const kept = await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const find = async () => (await resumeStore.all('http://a', 'ada')).find(({ location }) => location === 'in/z.mrc');
    const before = await find();
    if (!before) throw new Error('nothing is remembered');
    await resumeStore.forget({ server: 'http://a', owner: 'ada', location: 'in/z.mrc' });
    await resumeStore.save(before);
    return [before.handle, (await find())?.handle];
  });
  assert.deepEqual(kept, [{ kind: 'file' }, null]);
});

test('a handle opens its file, and tells that it was written to', async () => {
  const seen = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('x.mrc', { create: true });
    const write = async (text: string) => {
      const writable = await handle.createWritable();
      await writable.write(text);
      await writable.close();
    };
    await write('0123456789');
    const source = await globalThis.sdk.BlobSource.fromHandle({ getFile: () => handle.getFile() }, 'in/x.mrc');
    const into = new Uint8Array(4);
    const digest = await source.read(3, into);
    const before = await source.stat();
    await write('changed');
    const failure = await source.read(0, into).catch(({ code }) => code);
    const { sizeBytes } = await source.stat();
    await root.removeEntry('x.mrc');
    const gone = await source.stat().catch(({ code }) => code);
    return {
      facts: [source.name, source.location, source.sizeBytes],
      bytes: String.fromCharCode(...into),
      digest: [...digest],
      same: before.sizeBytes === 10 && before.modifiedMs === source.modifiedMs,
      failure,
      sizeBytes,
      gone,
    };
  });
  assert.deepEqual(seen, {
    facts: ['x.mrc', 'in/x.mrc', 10],
    bytes: '3456',
    digest: [...createHash('sha256').update('3456').digest()],
    same: true,
    failure: 'source_changed',
    sizeBytes: 7,
    gone: 'source_unreadable',
  });
});

test('a file is known by its place in the folder that was chosen, else by its name', async () => {
  const locations = await page.evaluate(() => {
    const { BlobSource } = globalThis.sdk;
    const alone = new File(['x'], 'x.mrc');
    const inFolder = Object.defineProperty(new File(['x'], 'x.mrc'), 'webkitRelativePath', { value: 'grid/x.mrc' });
    const dropped = new BlobSource(alone, { location: 'grid2/x.mrc' });
    return [new BlobSource(alone), new BlobSource(inFolder), dropped].map(({ name, location }) => [name, location]);
  });
  assert.deepEqual(locations, [
    ['x.mrc', 'x.mrc'],
    ['x.mrc', 'grid/x.mrc'],
    ['x.mrc', 'grid2/x.mrc'],
  ]);
});
