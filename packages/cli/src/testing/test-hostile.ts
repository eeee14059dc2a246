/** A server whose answers are set by the test. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';

/** @returns the URL of a server that ends with the test. */
export async function startHostile(context: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  context.after(() => server.closeAllConnections());
  return await listenOn(server, context);
}

/** @returns the URL of the server, which ends with the test. */
export async function listenOn(server: Server, context: TestContext): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  context.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers with a JSON body. */
export function answerWith(body: object, status = 200): RequestListener {
  return (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

/** Serves one file for every request. */
export function serveFile(bytes: Uint8Array, record: object): RequestListener {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = {
    file_id: 'f1',
    owner: 'ada',
    created_at: '2026-11-29T10:00:00.000Z',
    size: bytes.length,
    sha256,
    parts_sha256: sha256,
    warnings: [],
    metadata: {},
    ...record,
  };
  return (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return void answerWith(file)(request, response);
    response.writeHead(206).end(bytes.subarray(Number(range[1]), Number(range[2]) + 1));
  };
}
