import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { Socket } from 'node:net';
import type { ConnectionLimiter } from './connection-limiter.ts';
import type { RequestQueue } from './request-queue.ts';

const OPTIONS = {
  // Bodies have an idle time-out of their own; a total one, as Node has by default, would end slow parts.
  requestTimeout: 0,
  headersTimeout: 30_000,
  // Longer than the idle time-out of common proxies (60 s), so that they, not we, close idle connections.
  keepAliveTimeout: 72_000,
  // Node's own answer would have no envelope; the application asks for Host itself.
  requireHostHeader: false,
};

/** RFC 8996, whatever flags Node was started with. */
const TLS_OPTIONS = { minVersion: 'TLSv1.2' } as const;

/** PEM. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The server sockets of the ordinary lane: one for each address that the host has (localhost may have two). */
export class Listeners {
  readonly #all: Server[] = [];
  readonly #limiter: ConnectionLimiter;
  readonly #unreadTimeoutMs: number;
  #certificate: Certificate | null;

  /**
   * @param certificate null: no TLS.
   * @param unreadTimeoutMs how long a client may take nothing of an answer.
   */
  constructor(certificate: Certificate | null, limiter: ConnectionLimiter, unreadTimeoutMs: number) {
    this.#certificate = certificate;
    this.#limiter = limiter;
    this.#unreadTimeoutMs = unreadTimeoutMs;
  }

  /** One more. It does not listen yet. */
  add(queue: RequestQueue): Server {
    const certificate = this.#certificate;
    const listener = certificate
      ? createTlsServer({ ...OPTIONS, ...TLS_OPTIONS, ...certificate }, queue.take)
      : createServer(OPTIONS, queue.take);
    // Node calls this when nothing was sent or received for a while, and leaves it to us to close the connection. Where an
    // answer is being made, a body is being stored, or a first head is being sent, other time-outs hold.
    listener.setTimeout(this.#unreadTimeoutMs, (socket) => {
      if (queue.isIdle(socket) || socket.writableLength > 0) socket.destroy();
      else socket.setTimeout(this.#unreadTimeoutMs);
    });
    // Those that the fast lane hands over are counted there. Before TLS there is no way to say why.
    listener.prependListener('connection', (accepted: unknown) => {
      if (!(accepted instanceof Socket)) return;
      const leave = this.#limiter.admit(accepted.remoteAddress);
      if (leave) accepted.once('close', leave);
      else accepted.destroy();
    });
    this.#all.push(listener);
    return listener;
  }

  /** For new connections; those that are there go on with the one that they have. @throws Error when the two do not fit. */
  renew(certificate: Certificate): void {
    this.#certificate = certificate;
    for (const listener of this.#all) {
      if (listener instanceof TlsServer) listener.setSecureContext({ ...TLS_OPTIONS, ...certificate });
    }
  }
}
