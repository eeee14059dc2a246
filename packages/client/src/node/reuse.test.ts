/** Buffers are reused: all bytes that arrive, also on aborted connections, must be correct. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WireReply } from '../ports.ts';
import { failure, TestResumeStore, TestServer } from '../test-server.ts';
import { Uploader } from '../upload/uploader.ts';
import { FileSource } from './file-source.ts';
import { HttpTransport } from './http-transport.ts';

const EARLY = 'HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n';
const PART_BYTES = 4 * 1024 * 1024;

async function listen(server: TcpServer): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The ends of a request whose body the server has stopped to read. */
const ENDS: Readonly<Record<string, (socket: Socket, controller: AbortController) => void>> = {
  'an early answer': (socket) => socket.write(`${EARLY}\r\n{}`),
  'an early answer that is the last': (socket) => socket.write(`${EARLY}Connection: close\r\n\r\n{}`),
  'an invalid answer': (socket) => socket.write('what?\r\n\r\n'),
  'an abort': (_socket, controller) => controller.abort(new Error('enough')),
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`buffers: bytes that are written into a body after ${name} are not sent`, async (t) => {
    const controller = new AbortController();
    const server = createTcpServer();
    const transport = new HttpTransport(await listen(server));
    t.after(() => {
      transport.close();
      server.close();
    });
    const body = new Uint8Array(64 * 1024 * 1024).fill(1);
    const sending = transport.send({ method: 'PUT', path: '/', headers: {}, body, signal: controller.signal });
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', () => {});
    let receivedBytes = 0;
    let overwritten = false;
    socket.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      overwritten ||= chunk.includes(2);
      if (overwritten) socket.destroy();
    });
    await once(socket, 'data');
    socket.pause();
    end(socket, controller);
    await sending.catch(() => {});
    body.fill(2);
    await once(socket.resume(), 'close');
    assert.equal(overwritten, false);
    assert.ok(receivedBytes < body.length);
  });
}

/**
 * Refuses the first part and closes the connection of the second, both half-way. Compares all received bytes with the
 * file.
 */
class RoughServer {
  readonly contract = new TestServer(PART_BYTES);
  readonly #bytes: Buffer;
  #putCount = 0;
  #refused: IncomingMessage | null = null;
  /** Parts with bytes that differ from the file. */
  readonly wrong = new Set<number>();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const chunks: Buffer[] = [];
    // Shows that the client aborted the request.
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    if (method === 'PUT') {
      const nth = ++this.#putCount;
      this.#compare(request, Number(path.split('/').at(-1)));
      if (nth <= 2) await once(request, 'data');
      if (nth === 1) {
        this.#refused = request.pause();
        return answer(response, failure('overloaded'));
      }
      if (nth === 2) return void request.destroy();
    }
    await once(request, 'end');
    if (path.endsWith('/complete')) await this.#readRest();
    const body = Buffer.concat(chunks);
    answer(response, await this.contract.send({ method, path, headers: headers as Record<string, string>, body }));
  }

  #compare(request: IncomingMessage, part: number): void {
    let at = part * PART_BYTES;
    request.on('data', (chunk: Buffer) => {
      if (!chunk.equals(this.#bytes.subarray(at, at + chunk.length))) this.wrong.add(part);
      at += chunk.length;
    });
  }

  /** Bytes in transit when the part was refused; their buffer has been reused by now. */
  async #readRest(): Promise<void> {
    const socket = this.#refused?.resume().socket;
    if (socket && !socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  }
}

function answer(response: ServerResponse, { status, headers, body }: WireReply): void {
  response.writeHead(status, headers).end(body);
}

test('buffers: parts arrive unchanged while others are refused or interrupted', async (t) => {
  // Retries have no delay.
  t.mock.method(Math, 'random', () => 0);
  const bytes = randomBytes(6 * PART_BYTES + 1234);
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-client-'));
  await writeFile(join(folder, 'a.raw'), bytes);
  const source = await FileSource.open(join(folder, 'a.raw'));
  const rough = new RoughServer(bytes);
  const server = createServer((request, response) => void rough.handle(request, response));
  const url = await listen(server);
  const transport = new HttpTransport(url);
  t.after(async () => {
    transport.close();
    server.close().closeAllConnections();
    await source.close();
    await rm(folder, { recursive: true });
  });
  const getToken = async () => 'token';
  await new Uploader({ server: url, transport, resumeStore: new TestResumeStore(), getToken, parallel: 2 }).upload(
    source,
  );
  assert.deepEqual([...rough.wrong], []);
  const parts = [...rough.contract.upload.parts].sort(([a], [b]) => a - b);
  assert.ok(Buffer.concat(parts.map(([, part]) => part)).equals(bytes));
});
