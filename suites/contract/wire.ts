/** HTTP/1.1 by hand over a bare socket: a client as exact, as slow or as wrong as a test wants it. */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Target } from '../server-under-test.ts';
import { Answer } from './answer.ts';
import { assertDocumented, readOnce } from './documented.ts';
import type { Claims } from './token.ts';

/** A test that waits longer than this for a byte has found a server that hangs. */
const SILENCE_MS = 30_000;

export { Answer };

export interface Extra {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Sent as the body, with its Content-Type. */
  readonly json?: unknown;
}

export type Call = (method: string, path: string, extra?: Extra) => Promise<Answer>;

/** Calls as one owner, whom no other test knows unless the claims name one; each on a connection of its own. */
export function callAs(target: Target, claims: Claims = {}): Call {
  const token = target.token({ sub: `owner-${randomUUID()}`, ...claims });
  return callWith(target, { authorization: `Bearer ${token}` });
}

/** Calls with these headers and nothing else. @throws AssertionError for an answer that is not in the OpenAPI document. */
export function callWith(target: Pick<Target, 'url'>, headers: Readonly<Record<string, string>>): Call {
  const call = callUnchecked(target, headers);
  return async (method, path, extra) => {
    const answer = await call(method, path, extra);
    const operations = await readOnce(target.url);
    if (operations) assertDocumented(operations, method, path, answer);
    return answer;
  };
}

/** The same, for callers that check the answers themselves. */
export function callUnchecked(target: Pick<Target, 'url'>, headers: Readonly<Record<string, string>>): Call {
  return async (method, path, extra = {}) => {
    const connection = await Connection.open(target.url);
    try {
      return await connection.exchange(method, path, { ...extra, headers: { ...headers, ...extra.headers } });
    } finally {
      connection.close();
    }
  };
}

/** The head of a request, with its blank line. A body's length is for the caller to announce. */
export function printHead(method: string, path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: 'cryolift.test', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export class Connection {
  readonly #socket: Socket;
  /** What has come and was not taken. It is joined only when it is needed: a large body has many pieces. */
  #pieces: Buffer[] = [];
  #unreadBytes = 0;
  #end: string | null = null;
  #wake = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#pieces.push(bytes);
      this.#unreadBytes += bytes.length;
      this.#wake();
    });
    socket.on('end', () => this.#finish('ended'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#finish(error.code ?? error.message));
    socket.on('close', () => this.#finish('closed'));
  }

  /** @param ca the certificate that an https server must have, PEM. */
  static async open(url: string, ca?: string): Promise<Connection> {
    const { protocol, hostname, port } = new URL(url);
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket =
      protocol === 'https:'
        ? connectTls({ ...address, ...(ca === undefined ? {} : { ca }) }, resolve)
        : connect(address, resolve);
    socket.once('error', reject);
    await promise;
    socket.off('error', reject);
    return new Connection(socket);
  }

  send(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  /** Sends like a client that reads no answer before it has sent all. @throws Error when the server does not let it. */
  async sendUnread(data: Uint8Array): Promise<void> {
    this.#socket.pause();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.write(data, () => resolve());
    await promise;
    this.#socket.resume();
    if (this.#end !== null) throw new Error(`connection ${this.#end} before all was sent`);
  }

  /**
   * Sends one request and reads what comes first: an answer, or an interim one. The body's Content-Length is added,
   * unless the headers frame it otherwise.
   */
  async exchange(method: string, path: string, extra: Extra = {}): Promise<Answer> {
    const body = extra.json === undefined ? extra.body : JSON.stringify(extra.json);
    const isFramed = extra.headers?.['transfer-encoding'] !== undefined;
    const headers = {
      ...(body === undefined || isFramed ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      ...(extra.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...extra.headers,
    };
    this.send(printHead(method, path, headers));
    if (body !== undefined) this.send(body);
    return await this.answer(method);
  }

  /**
   * Reads the next answer, interim ones (1xx) too.
   *
   * @param method of its request: answers to HEAD have no body.
   * @throws Error when the connection ends before the answer does.
   */
  async answer(method = 'GET'): Promise<Answer> {
    const [statusLine = '', ...lines] = (await this.#takeUntil('\r\n\r\n')).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d)( |$)/.exec(statusLine)?.[1]);
    if (!status) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const [, name = '', value = ''] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
      if (!name) throw new Error(`not a header line: ${JSON.stringify(line)}`);
      const key = name.toLowerCase();
      headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
    }
    const bare = method === 'HEAD' || status < 200 || status === 204 || status === 304;
    return new Answer(status, headers, bare ? Buffer.alloc(0) : await this.#takeBody(headers));
  }

  /** Waits until the server closes. @returns `ended` when it did so in good order, else what went wrong. */
  async closed(): Promise<string> {
    while (this.#end === null) await this.#more();
    return this.#end;
  }

  /** Bytes that came and belong to no answer read so far. */
  get unread(): string {
    return this.#join().toString('latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #finish(reason: string): void {
    this.#end ??= reason;
    this.#wake();
  }

  async #takeBody(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    if (headers['transfer-encoding'] === 'chunked') {
      const chunks: Buffer[] = [];
      for (;;) {
        const length = Number.parseInt(await this.#takeUntil('\r\n'), 16);
        chunks.push(await this.#take(length));
        await this.#takeUntil('\r\n');
        if (length === 0) return Buffer.concat(chunks);
      }
    }
    const length = headers['content-length'];
    if (length !== undefined) return await this.#take(Number(length));
    await this.closed();
    return await this.#take(this.#unreadBytes);
  }

  async #takeUntil(mark: string): Promise<string> {
    for (;;) {
      const at = this.#join().indexOf(mark);
      if (at >= 0) return (await this.#take(at + mark.length)).subarray(0, at).toString('latin1');
      await this.#more();
    }
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#unreadBytes < length) await this.#more();
    const unread = this.#join();
    this.#pieces = [unread.subarray(length)];
    this.#unreadBytes -= length;
    return unread.subarray(0, length);
  }

  #join(): Buffer {
    const [joined = Buffer.alloc(0), ...others] = this.#pieces;
    if (others.length === 0) return joined;
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }

  async #more(): Promise<void> {
    if (this.#end !== null)
      throw new Error(`connection ${this.#end}; unread: ${JSON.stringify(this.unread.slice(0, 300))}`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`the server sent nothing for ${SILENCE_MS} ms`)), SILENCE_MS);
    this.#wake = resolve;
    await promise.finally(() => clearTimeout(timer));
  }
}
