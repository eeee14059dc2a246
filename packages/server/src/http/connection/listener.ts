import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Server as NetServer, Socket } from 'node:net';
import { createServer as createSecureServer, type TLSSocket, Server as TlsServer } from 'node:tls';
import { createServer } from '../node-http.ts';
import type { ConnectionLimiter } from './connection-limiter.ts';
import type { RequestQueue } from './request-queue.ts';

const OPTIONS = {
  // Bodies have an idle time-out of their own. Node's default for the whole request would end slow parts.
  requestTimeout: 0,
  headersTimeout: 30_000,
  // Longer than the idle time-out of common proxies (60 s), so that the proxy closes idle connections, not this server.
  keepAliveTimeout: 72_000,
  // Node's own answer would have no envelope; the application checks Host itself.
  requireHostHeader: false,
};

/** RFC 8996. Flags of Node cannot lower it. */
const TLS_OPTIONS = { minVersion: 'TLSv1.2' } as const;
/** HTTP/2 is not spoken. */
const PROTOCOLS = ['http/1.1'];

/** PEM. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The servers of the standard path: one for each address of the host (localhost may have two). */
export class Listeners {
  readonly #all: NetServer[] = [];
  readonly #limiter: ConnectionLimiter;
  readonly #unreadTimeoutMs: number;
  #certificate: Certificate | null;

  /**
   * @param certificate null: no TLS.
   * @param unreadTimeoutMs how long a client may read nothing of an answer.
   */
  constructor(certificate: Certificate | null, limiter: ConnectionLimiter, unreadTimeoutMs: number) {
    this.#certificate = certificate;
    this.#limiter = limiter;
    this.#unreadTimeoutMs = unreadTimeoutMs;
  }

  /** Adds a server, which does not listen yet. */
  add(queue: RequestQueue): Server {
    const certificate = this.#certificate;
    const listener = certificate
      ? createTlsServer({ ...OPTIONS, ...TLS_OPTIONS, ...certificate }, queue.take)
      : createServer(OPTIONS, queue.take);
    // Node calls this when nothing was sent or received for a while, and does not close the connection itself. While an answer
    // is being made, a body is being stored, or a first head is being sent, other time-outs hold.
    listener.setTimeout(this.#unreadTimeoutMs, (socket) => {
      if (queue.isIdle(socket) || socket.writableLength > 0) socket.destroy();
      else socket.setTimeout(this.#unreadTimeoutMs);
    });
    this.#limit(listener);
    this.#all.push(listener);
    return listener;
  }

  /**
   * Adds a listener of the fast path, which does not listen yet.
   *
   * @param serve gets the connections after their handshakes. @returns null without a certificate.
   */
  addSecure(serve: (connection: TLSSocket) => void): NetServer | null {
    const certificate = this.#certificate;
    if (!certificate) return null;
    const { headersTimeout: handshakeTimeout } = OPTIONS;
    const options = { ...TLS_OPTIONS, ...certificate, handshakeTimeout, ALPNProtocols: PROTOCOLS };
    const listener = createSecureServer({ ...options, allowHalfOpen: true, noDelay: true }, serve);
    // As `node:https` does: a client that speaks no TLS is disconnected.
    listener.on('tlsClientError', (_error, connection) => connection.destroy());
    this.#limit(listener);
    this.#all.push(listener);
    return listener;
  }

  /** The fast path counts the connections without TLS itself. Before TLS a refusal cannot be explained. */
  #limit(listener: NetServer): void {
    listener.prependListener('connection', (accepted: unknown) => {
      if (!(accepted instanceof Socket)) return;
      const leave = this.#limiter.admit(accepted.remoteAddress);
      if (leave) accepted.once('close', leave);
      else accepted.destroy();
    });
  }

  /**
   * Sets the certificate for new connections; open ones keep theirs. @throws Error when certificate and key do not
   * match.
   */
  renew(certificate: Certificate): void {
    this.#certificate = certificate;
    for (const listener of this.#all) {
      if (listener instanceof TlsServer) listener.setSecureContext({ ...TLS_OPTIONS, ...certificate });
    }
  }
}
