/** One request of a connection. To the standard path it looks like a connection that carries only this request. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { FastPathBody } from './body.ts';

type WriteCallback = (error?: Error | null) => void;

export class RequestStream extends Duplex {
  readonly #socket: Socket;
  #released = false;
  /** Set when the body does not pass through this stream, but is read from the connection directly. */
  rawBody: FastPathBody | null = null;
  /** The number of bytes that were pushed. */
  bytesRead = 0;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
  }

  /** As of a `TLSSocket`: the connection has TLS. */
  get encrypted(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  /** Gives bytes to the parser. Pauses the connection until the parser reads them. */
  give(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    if (!this.push(bytes)) this.#socket.pause();
  }

  /** Detaches the stream from the connection, which carries further requests. The request is complete and answered. */
  release(): void {
    this.#released = true;
    this.destroy();
  }

  /** As `node:http` ends a connection after its last answer. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  setTimeout(ms: number): this {
    this.#socket.setTimeout(ms);
    return this;
  }

  override _read(): void {
    if (!this.rawBody) this.#socket.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: WriteCallback): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: WriteCallback): void {
    this.#socket.cork();
    for (const [at, { chunk, encoding }] of chunks.entries()) {
      this.#socket.write(chunk, encoding, at === chunks.length - 1 ? done : undefined);
    }
    this.#socket.uncork();
  }

  override _final(done: WriteCallback): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#released) this.#socket.destroy();
    done(error);
  }
}
