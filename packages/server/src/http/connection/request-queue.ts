/**
 * Answers the requests of one connection one after the other. HTTP/1.1 lets a client send requests before it has read
 * an answer (RFC 9112 section 9.3.2). If all of them were handled at once, a client that reads nothing could make the
 * server hold any number of answers in memory.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The most requests that wait on one connection. With one more, the connection is closed. */
const MAX_WAITING = 16;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export class RequestQueue {
  readonly #handle: RequestListener;
  /** For each connection with a request: the exchange under way, then those that wait. */
  readonly #open = new WeakMap<Duplex, Exchange[]>();

  /** @param handle answers one request. */
  constructor(handle: RequestListener) {
    this.#handle = handle;
  }

  /** Handles a request now, or once the answers to all requests before it on the same connection have been sent. */
  readonly take: RequestListener = (request, response) => {
    const { socket } = request;
    const exchange = { request, response };
    const open = this.#open.get(socket) ?? [];
    this.#open.set(socket, open);
    if (open.length > MAX_WAITING) {
      socket.destroy();
      return;
    }
    open.push(exchange);
    if (open.length === 1) this.#begin(socket, exchange);
  };

  /** True when the connection has had a request, and all its requests have been answered. */
  isIdle(socket: Duplex): boolean {
    return this.#open.get(socket)?.length === 0;
  }

  /** The last answer on this connection that has not been sent, if there is one. */
  lastAnswer(socket: Duplex): ServerResponse | undefined {
    return this.#open.get(socket)?.at(-1)?.response;
  }

  #begin(socket: Duplex, { request, response }: Exchange): void {
    response.once('close', () => {
      const open = this.#open.get(socket) ?? [];
      open.shift();
      const next = open[0];
      if (next && !socket.destroyed) this.#begin(socket, next);
    });
    this.#handle(request, response);
  }
}
