/**
 * One connection of the fast path. It finds where each request ends. The standard path checks and answers the request,
 * as if it came on a connection of its own. When a request is not plain, the standard path gets the whole connection
 * until it closes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { UploadError } from '@cryolift/protocol/errors';
import { answerOnSocket } from '../../errors.ts';
import { FastPathBody } from './body.ts';
import { MAX_HEAD_BYTES, readHead } from './head.ts';
import { RequestStream } from './request-stream.ts';
import { adopt } from './socket.ts';
import { type ConnectionEvent, transition } from './states.ts';

/**
 * Every connection reads into this block. It is emptied before the next read, so it stays in the processor's cache. A
 * head is read with a short read, so that little of a body arrives with it.
 */
const BLOCK = Buffer.allocUnsafeSlow(256 * 1024);
const HEAD_BLOCK = BLOCK.subarray(0, MAX_HEAD_BYTES);
/** Among many connections most wait for their turn to be written, and each keeps what it has read last. */
const SHARED_BLOCK = BLOCK.subarray(0, 64 * 1024);
const MANY = 64;
let connections = 0;
const NONE = Buffer.alloc(0);

function bodyBlock(): Buffer {
  return connections > MANY ? SHARED_BLOCK : BLOCK;
}

type State =
  | { readonly kind: 'idle' }
  /** @property bytes all that arrived since the last request. */
  | { readonly kind: 'head'; readonly bytes: Buffer }
  | { readonly kind: 'request' | 'answered'; readonly exchange: Exchange }
  | { readonly kind: 'handed_over'; readonly stream: RequestStream }
  | { readonly kind: 'closing' }
  | { readonly kind: 'closed' };

/** A request and its answer. */
interface Exchange {
  readonly stream: RequestStream;
  /** The number of bytes that the stream still has to get. */
  awaited: number;
  /** Set when the standard path has read the head. */
  request: IncomingMessage | null;
  /** Bytes of later requests. */
  next: Buffer;
}

export interface Timing {
  /** From the first byte of a head, or from the connection, to the end of the head. */
  headMs: number;
  /** Without a request. */
  idleMs: number;
}

export class FastPathConnection {
  readonly #socket: Socket;
  readonly #serve: (stream: RequestStream) => void;
  readonly #timing: Timing;
  #state: State = { kind: 'idle' };
  #timer: NodeJS.Timeout | undefined;
  /** No further request is to be served. */
  #stopping = false;

  /**
   * @param accepted a connection that is not being read yet.
   * @param serve gives a stream to the standard path as a new connection.
   */
  constructor(accepted: Socket, serve: (stream: RequestStream) => void, timing: Timing, onClose: () => void) {
    this.#serve = serve;
    this.#timing = timing;
    connections++;
    this.#socket = adopt(accepted, {
      buffer: () => (this.#expectsBody() ? bodyBlock() : HEAD_BLOCK),
      callback: (count, buffer) => {
        this.#read(count === buffer.length ? (buffer as Buffer) : (buffer as Buffer).subarray(0, count));
        return true;
      },
    });
    this.#socket.on('error', (error) => this.#stream?.destroy(error));
    this.#socket.on('end', () => this.#readEnd());
    this.#socket.on('timeout', () => this.#stream?.emit('timeout'));
    this.#socket.on('close', () => {
      connections--;
      clearTimeout(this.#timer);
      this.#stream?.rawBody?.abort();
      this.#stream?.destroy();
      this.#move('close', { kind: 'closed' });
      onClose();
    });
    this.#limitHead();
  }

  /** Closes the connection when no request is under way; otherwise after the request. */
  stop(): void {
    this.#stopping = true;
    if (this.#state.kind === 'idle' || this.#state.kind === 'closing') this.#finish();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The standard path has read the head of a request, and answers it with `response`. */
  noteRequest(stream: RequestStream, request: IncomingMessage, response: ServerResponse): void {
    if (this.#state.kind !== 'request' || this.#state.exchange.stream !== stream) return;
    const { exchange } = this.#state;
    exchange.request = request;
    request.once('end', () => this.#settle(exchange));
    response.once('finish', () => this.#noteAnswer(exchange));
  }

  /** The stream that the standard path has now. */
  get #stream(): RequestStream | undefined {
    const state = this.#state;
    if (state.kind === 'handed_over') return state.stream;
    return state.kind === 'request' || state.kind === 'answered' ? state.exchange.stream : undefined;
  }

  #move(event: ConnectionEvent, next: State): void {
    if (transition(this.#state.kind, event) !== next.kind) {
      throw new Error(`a connection that is ${this.#state.kind} cannot become ${next.kind} by ${event}`);
    }
    this.#state = next;
  }

  #expectsBody(): boolean {
    const state = this.#state;
    if (state.kind === 'handed_over') return true;
    if (state.kind !== 'request' && state.kind !== 'answered') return false;
    return state.exchange.awaited > 0 || state.exchange.stream.rawBody?.complete === false;
  }

  /** @param bytes in memory that is reused at once. */
  #read(bytes: Buffer): void {
    const state = this.#state;
    switch (state.kind) {
      case 'idle':
        this.#limitHead();
        this.#readHead(Buffer.from(bytes));
        break;
      case 'head':
        this.#readHead(Buffer.concat([state.bytes, bytes]));
        break;
      case 'request':
      case 'answered':
        this.#readBody(state.exchange, bytes);
        break;
      case 'handed_over':
        state.stream.give(Buffer.from(bytes));
        break;
      case 'closing':
      case 'closed':
        break;
    }
  }

  #readHead(bytes: Buffer): void {
    this.#move('bytes', { kind: 'head', bytes });
    const head = readHead(bytes);
    if (head.kind === 'incomplete') return;
    const extra = head.kind === 'plain' ? bytes.length - head.headBytes - head.bodyBytes : 0;
    if (head.kind === 'other' || extra > 0) this.#handOver(bytes);
    else this.#begin(bytes, head.headBytes, head.bodyBytes, head.isRaw);
  }

  #readBody(exchange: Exchange, bytes: Buffer): void {
    const { stream } = exchange;
    const awaited = stream.rawBody?.awaited ?? exchange.awaited;
    if (bytes.length > awaited) {
      // The next request came before the answer. Its bytes are kept first, because the write below may settle this request.
      exchange.next = Buffer.concat([exchange.next, bytes.subarray(awaited)]);
      this.#socket.pause();
    }
    const own = bytes.subarray(0, awaited);
    if (own.length === 0) return;
    if (stream.rawBody) stream.rawBody.write(own);
    else {
      exchange.awaited -= own.length;
      stream.give(Buffer.from(own));
    }
  }

  #begin(bytes: Buffer, headBytes: number, bodyBytes: number, isRaw: boolean): void {
    const stream = new RequestStream(this.#socket);
    const awaited = bodyBytes - (bytes.length - headBytes);
    const exchange: Exchange = { stream, awaited: isRaw ? 0 : awaited, request: null, next: NONE };
    if (isRaw) {
      const early = bytes.subarray(headBytes);
      stream.rawBody = new FastPathBody(this.#socket, early, awaited, () => this.#settle(exchange));
    }
    clearTimeout(this.#timer);
    this.#move('begin', { kind: 'request', exchange });
    this.#serve(stream);
    stream.give(isRaw ? bytes.subarray(0, headBytes) : bytes);
  }

  /** Gives the whole connection to the standard path. @param bytes all that arrived since the last request. */
  #handOver(bytes: Buffer): RequestStream {
    const stream = new RequestStream(this.#socket);
    // The time-out was set through the streams of earlier requests.
    this.#socket.setTimeout(0);
    clearTimeout(this.#timer);
    this.#move('hand_over', { kind: 'handed_over', stream });
    this.#serve(stream);
    stream.give(bytes);
    return stream;
  }

  #noteAnswer(exchange: Exchange): void {
    if (this.#state.kind !== 'request' || this.#state.exchange !== exchange) return;
    const { stream } = exchange;
    this.#move('answer', { kind: 'answered', exchange });
    // When the stream is ended, the standard path closes the connection.
    if (!stream.writableEnded) stream.rawBody?.drain();
    this.#settle(exchange);
  }

  /** Goes on with the next request when this one has arrived completely and is answered. */
  #settle(exchange: Exchange): void {
    const { stream, awaited, request, next } = exchange;
    if (this.#state.kind !== 'answered' || this.#state.exchange !== exchange || awaited > 0) return;
    if (!(stream.rawBody ?? request)?.complete) return;
    // The standard path closes the connection.
    if (stream.destroyed || stream.writableEnded) return;
    stream.release();
    if (next.length > 0) {
      this.#handOver(next);
      return;
    }
    this.#move('settle', { kind: 'idle' });
    if (this.#stopping) this.#finish();
    else {
      this.#timer = setTimeout(() => this.#socket.destroy(), this.#timing.idleMs);
      this.#socket.resume();
    }
  }

  #limitHead(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#move('finish', { kind: 'closing' });
      answerOnSocket(this.#socket, new UploadError('body_timeout', 'The request did not arrive in time.'));
    }, this.#timing.headMs);
  }

  /** The client sends nothing more. */
  #readEnd(): void {
    const state = this.#state;
    switch (state.kind) {
      case 'idle':
      case 'closing':
        this.#finish();
        break;
      case 'head':
        this.#handOver(state.bytes).push(null);
        break;
      case 'handed_over':
        state.stream.push(null);
        break;
      case 'request':
      case 'answered': {
        const { stream } = state.exchange;
        // The parser has not seen the body of a part, so it would take this end for a body that is cut short.
        if (stream.rawBody?.complete) stream.end();
        else stream.push(null);
        break;
      }
      case 'closed':
        break;
    }
  }

  /** Sends what is under way and closes the connection. */
  #finish(): void {
    clearTimeout(this.#timer);
    if (this.#state.kind !== 'closing') this.#move('finish', { kind: 'closing' });
    this.#socket.destroySoon();
  }
}
