/** The listener of the fast path: accepts connections, and passes requests to the standard path. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type ListenOptions, type Server as NetServer, type Socket } from 'node:net';
import { UploadError } from '@cryolift/protocol/errors';
import { answerOnSocket } from '../../errors.ts';
import type { ConnectionLimiter } from '../connection-limiter.ts';
import type { Listeners } from '../listener.ts';
import { FastPathConnection, type Timing } from './connection.ts';
import { RequestStream } from './request-stream.ts';

const RETRY_SECONDS = 1;

export class FastPathServer {
  readonly #listener: NetServer;
  readonly #standard: Server;
  readonly #timing: Timing;
  readonly #connections = new Set<FastPathConnection>();
  readonly #carriers = new WeakMap<RequestStream, FastPathConnection>();
  #onEmpty = (): void => {};

  /**
   * @param standard a server that does not listen itself. Its time-outs hold on the fast path, too.
   * @param addSecure makes the listener of a server with TLS, and none without.
   */
  constructor(standard: Server, limiter: ConnectionLimiter, addSecure: Listeners['addSecure'] = () => null) {
    this.#standard = standard;
    this.#timing = { headMs: standard.headersTimeout, idleMs: standard.keepAliveTimeout + 1_000 };
    const secure = addSecure((accepted) => this.#serve(accepted, 'secureConnection', () => {}));
    this.#listener =
      secure ??
      createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (accepted) => {
        const leave = limiter.admit(accepted.remoteAddress);
        if (leave) this.#serve(accepted, 'connection', leave);
        else answerOnSocket(accepted, tooMany(), [`Retry-After: ${RETRY_SECONDS}`]);
      });
    const note = (request: IncomingMessage, response: ServerResponse) => {
      const stream: unknown = request.socket;
      if (stream instanceof RequestStream) this.#carriers.get(stream)?.noteRequest(stream, request, response);
    };
    for (const event of ['request', 'checkContinue', 'checkExpectation']) standard.prependListener(event, note);
  }

  /** @param event by which the standard path takes a connection. */
  #serve(accepted: Socket, event: 'connection' | 'secureConnection', onClose: () => void): void {
    const connection: FastPathConnection = new FastPathConnection(
      accepted,
      (stream) => {
        this.#carriers.set(stream, connection);
        this.#standard.emit(event, stream);
      },
      this.#timing,
      () => {
        onClose();
        this.#forget(connection);
      },
    );
    this.#connections.add(connection);
  }

  /** @throws the system's error when the address cannot be listened on. */
  async listen(address: ListenOptions): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#listener.once('error', reject).listen(address, resolve);
    await promise;
    this.#listener.off('error', reject);
    // After this event Node checks the time-outs of heads and of idle connections.
    this.#standard.emit('listening');
  }

  address(): AddressInfo | string | null {
    return this.#listener.address();
  }

  /** Accepts no new connections and ends the idle ones. Resolves when the last one has ended. */
  async close(): Promise<void> {
    this.#listener.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    for (const connection of this.#connections) connection.stop();
    // Ends the idle connections that were handed over, and their time-outs. The callback gets an error, as it does not listen.
    this.#standard.close(() => {});
    if (this.#connections.size > 0) await promise;
  }

  /** Cuts the connections that are left. */
  closeAllConnections(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #forget(connection: FastPathConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty();
  }
}

function tooMany(): UploadError {
  const message = 'Too many connections are open from this address.';
  return new UploadError('overloaded', message, { hint: 'Close some, or reuse open connections.' });
}
