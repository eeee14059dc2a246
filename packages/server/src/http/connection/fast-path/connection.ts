/**
 * One connection of the fast lane. It finds where each request ends; the ordinary lane judges and answers it, as if it came
 * on a connection of its own. What is not plain takes the whole connection to the ordinary lane, for good.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { UploadError } from '@cryolift/protocol/errors';
import { answerOnSocket } from '../../errors.ts';
import { FastPathBody } from './body.ts';
import { MAX_HEAD_BYTES, readHead } from './head.ts';
import { RequestStream } from './request-stream.ts';
import { adopt } from './socket.ts';

/**
 * What every connection reads into. One block for all: it is emptied before the next read, and stays in the processor's
 * cache. A read of a head is short, so that little of a body comes with it.
 */
const BLOCK = Buffer.allocUnsafeSlow(256 * 1024);
const HEAD_BLOCK = BLOCK.subarray(0, MAX_HEAD_BYTES);
const NONE = Buffer.alloc(0);

/** A request that is under way. */
interface Exchange {
  readonly stream: RequestStream;
  /** Bytes that are still to go through the stream; Infinity once the connection is the ordinary lane's. */
  awaited: number;
  answered: boolean;
  request: IncomingMessage | null;
}

export interface Timing {
  /** From the first byte of a head, or of the connection, to the head's end. */
  headMs: number;
  /** Without a request. */
  idleMs: number;
}

export class FastPathConnection {
  readonly #socket: Socket;
  readonly #serve: (stream: RequestStream) => void;
  readonly #timing: Timing;
  /** What came and belongs to no request yet. */
  #pending: Buffer = NONE;
  #exchange: Exchange | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  /**
   * @param accepted not being read yet.
   * @param serve gives a stream to the ordinary lane as a new connection.
   */
  constructor(accepted: Socket, serve: (stream: RequestStream) => void, timing: Timing, onClose: () => void) {
    this.#serve = serve;
    this.#timing = timing;
    this.#socket = adopt(accepted, {
      buffer: () => (this.#expectsMuch() ? BLOCK : HEAD_BLOCK),
      callback: (count, buffer) => {
        this.#take(count === buffer.length ? (buffer as Buffer) : (buffer as Buffer).subarray(0, count));
        return true;
      },
    });
    this.#socket.on('error', (error) => this.#exchange?.stream.destroy(error));
    this.#socket.on('end', () => this.#takeEnd());
    this.#socket.on('timeout', () => this.#exchange?.stream.emit('timeout'));
    this.#socket.on('close', () => {
      clearTimeout(this.#timer);
      this.#exchange?.stream.partBody?.abort();
      this.#exchange?.stream.destroy();
      onClose();
    });
    this.#limitHead();
  }

  /** Ends when no request is under way; nothing new is begun. */
  stop(): void {
    this.#stopping = true;
    if (!this.#exchange && this.#pending.length === 0) this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The ordinary lane has read the head of a request, and answers it with `response`. */
  noteRequest(stream: RequestStream, request: IncomingMessage, response: ServerResponse): void {
    const exchange = this.#exchange;
    if (exchange?.stream !== stream || exchange.awaited === Number.POSITIVE_INFINITY) return;
    exchange.request = request;
    request.once('end', () => this.#settle(exchange));
    response.once('finish', () => {
      exchange.answered = true;
      // Otherwise the ordinary lane is closing the connection.
      if (!stream.writableEnded) stream.partBody?.drain();
      this.#settle(exchange);
    });
  }

  #expectsMuch(): boolean {
    const exchange = this.#exchange;
    return exchange !== null && (exchange.awaited > 0 || exchange.stream.partBody?.complete === false);
  }

  #take(bytes: Buffer): void {
    const exchange = this.#exchange;
    if (!exchange) {
      // A head that came too late was answered so.
      if (this.#socket.writableEnded) return;
      if (this.#pending.length === 0) this.#limitHead();
      this.#pending = Buffer.concat([this.#pending, bytes]);
      this.#readPending();
      return;
    }
    const { stream } = exchange;
    const awaited = stream.partBody?.awaited ?? exchange.awaited;
    if (bytes.length > awaited) {
      // The next request came before this one was answered. Set aside first: passing on may bring this one to its end.
      this.#pending = Buffer.concat([this.#pending, bytes.subarray(awaited)]);
      this.#socket.pause();
    }
    const mine = bytes.subarray(0, awaited);
    if (mine.length === 0) return;
    if (stream.partBody) stream.partBody.write(mine);
    else {
      exchange.awaited -= mine.length;
      stream.give(Buffer.from(mine));
    }
  }

  #readPending(): void {
    const head = readHead(this.#pending);
    const extra = head.kind === 'plain' ? this.#pending.length - head.headBytes - head.bodyBytes : 0;
    if (head.kind === 'incomplete') return;
    if (head.kind === 'other' || extra > 0) this.#handOver();
    else this.#begin(head.headBytes, head.bodyBytes, head.isPart);
  }

  #begin(headBytes: number, bodyBytes: number, isPart: boolean): void {
    const stream = new RequestStream(this.#socket);
    const bytes = this.#pending;
    const awaited = bodyBytes - (bytes.length - headBytes);
    const exchange: Exchange = { stream, awaited: isPart ? 0 : awaited, answered: false, request: null };
    if (isPart) {
      const early = bytes.subarray(headBytes);
      stream.partBody = new FastPathBody(this.#socket, early, awaited, () => this.#settle(exchange));
    }
    this.#open(exchange);
    stream.give(isPart ? bytes.subarray(0, headBytes) : bytes);
  }

  #handOver(): RequestStream {
    const stream = new RequestStream(this.#socket);
    const bytes = this.#pending;
    // What the streams before have set is not this one's.
    this.#socket.setTimeout(0);
    this.#open({ stream, awaited: Number.POSITIVE_INFINITY, answered: false, request: null });
    stream.give(bytes);
    return stream;
  }

  #open(exchange: Exchange): void {
    clearTimeout(this.#timer);
    this.#pending = NONE;
    this.#exchange = exchange;
    this.#serve(exchange.stream);
  }

  /** Goes on with the next request once this one is whole and its answer is out. */
  #settle(exchange: Exchange): void {
    const { stream, answered, awaited, request } = exchange;
    if (this.#exchange !== exchange || !answered || awaited > 0) return;
    if (!(stream.partBody ?? request)?.complete) return;
    // The ordinary lane is closing the connection.
    if (stream.destroyed || stream.writableEnded) return;
    this.#exchange = null;
    stream.release();
    if (this.#pending.length > 0) this.#handOver();
    else if (this.#stopping) this.#socket.destroySoon();
    else {
      this.#timer = setTimeout(() => this.#socket.destroy(), this.#timing.idleMs);
      this.#socket.resume();
    }
  }

  #limitHead(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      answerOnSocket(this.#socket, new UploadError('body_timeout', 'The request did not arrive in time.'));
    }, this.#timing.headMs);
  }

  #takeEnd(): void {
    const exchange = this.#exchange;
    if (exchange) {
      // A body that is whole has gone past the parser, which would take this for a body cut short.
      if (exchange.stream.partBody?.complete) exchange.stream.end();
      else exchange.stream.push(null);
    } else if (this.#pending.length > 0) {
      this.#handOver().push(null);
    } else this.#socket.destroySoon();
  }
}
