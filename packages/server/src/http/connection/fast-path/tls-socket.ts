/**
 * TLS on the fast path: a connection reads its decrypted bytes into a buffer of this server. Node documents `onread` for
 * outgoing connections only, so this file sets the internal properties behind it. `worksOverTls` in socket.ts tests the
 * behaviour at the start; where it is not as expected, connections with TLS take the standard path.
 */
import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';

interface Inner {
  [property: symbol]: unknown;
  readonly _handle: { useUserBuffer(buffer: Uint8Array): void } | null;
}

/**
 * @param secure a connection whose handshake is done. It reads already.
 * @param onread as `net.connect` takes it, with a function for the buffers.
 * @returns the same socket. It is not paused.
 * @throws Error when this version of Node does not have what is needed.
 */
export function adoptSecure(secure: TLSSocket, onread: OnReadOpts): TLSSocket {
  const inner = secure as unknown as Inner;
  const { _handle: handle } = inner;
  if (!handle) throw new Error('the connection has no handle');
  const late = new LateBytes(secure, onread.callback);
  const nextBuffer = onread.buffer as () => Uint8Array;
  const first = nextBuffer();
  inner[symbolOf(secure, 'kBuffer')] = first;
  inner[symbolOf(secure, 'kBufferGen')] = nextBuffer;
  inner[symbolOf(secure, 'kBufferCb')] = (count: number, buffer: Uint8Array) => late.note(count, buffer);
  handle.useUserBuffer(first);
  return secure;
}

/** Of `node:net`: its symbols are found by their descriptions. */
function symbolOf(secure: TLSSocket, description: string): symbol {
  const found = Object.getOwnPropertySymbols(secure).find((symbol) => symbol.description === description);
  if (!found) throw new Error(`this version of Node has no ${description}`);
  return found;
}

/**
 * The bytes that come after `pause`: a read of the connection may have several records (RFC 8446 section 5.1), and all that
 * are decrypted are delivered, up to 64 KiB. They are kept until `resume`, and the end of the connection stays behind them.
 */
class LateBytes {
  readonly #secure: TLSSocket;
  readonly #callback: OnReadOpts['callback'];
  readonly #resume: () => TLSSocket;
  readonly #push: (chunk: unknown, encoding?: BufferEncoding) => boolean;
  readonly #kept: Buffer[] = [];
  #isPaused = false;
  #isPassing = false;
  #hasEnded = false;

  constructor(secure: TLSSocket, callback: OnReadOpts['callback']) {
    this.#secure = secure;
    this.#callback = callback;
    const pause = secure.pause.bind(secure);
    this.#resume = secure.resume.bind(secure);
    this.#push = secure.push.bind(secure);
    secure.pause = () => {
      this.#isPaused = true;
      return pause();
    };
    secure.resume = () => {
      this.#isPaused = false;
      if (!this.#isPassing) this.#passKept();
      return secure;
    };
    secure.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk !== null || this.#kept.length === 0) return this.#push(chunk, encoding);
      this.#hasEnded = true;
      return false;
    };
    // What came with the end of the handshake.
    const early = secure.read() as Buffer | null;
    if (!early) return;
    this.#kept.push(early);
    this.#isPaused = true;
    setImmediate(() => secure.resume());
  }

  /** @param buffer is reused at once. @returns true: Node reads on. */
  note(count: number, buffer: Uint8Array): boolean {
    if (!this.#isPaused && this.#kept.length === 0) return this.#callback(count, buffer);
    this.#kept.push(Buffer.from(buffer.subarray(0, count)));
    return true;
  }

  #passKept(): void {
    this.#isPassing = true;
    while (!this.#isPaused && this.#kept.length > 0) {
      const bytes = this.#kept.shift() as Buffer;
      this.#callback(bytes.length, bytes);
    }
    this.#isPassing = false;
    if (this.#isPaused) return;
    this.#resume();
    if (!this.#hasEnded) return;
    this.#hasEnded = false;
    this.#push(null);
    this.#secure.read(0);
  }
}
