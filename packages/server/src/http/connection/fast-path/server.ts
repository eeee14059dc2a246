/** The listener of the fast path: accepts connections, and passes requests to the standard path. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { UploadError } from '@cryolift/protocol/errors';
import { answerOnSocket } from '../../errors.ts';
import type { ConnectionLimiter } from '../connection-limiter.ts';
import { FastPathConnection, type Timing } from './connection.ts';
import { RequestStream } from './request-stream.ts';

const RETRY_SECONDS = 1;

export class FastPathServer {
  readonly #listener: NetServer;
  readonly #standard: Server;
  readonly #connections = new Set<FastPathConnection>();
  readonly #carriers = new WeakMap<RequestStream, FastPathConnection>();
  #onEmpty = (): void => {};

  /** @param standard a server that does not listen itself. Its time-outs hold on the fast path, too. */
  constructor(standard: Server, limiter: ConnectionLimiter) {
    this.#standard = standard;
    const timing: Timing = { headMs: standard.headersTimeout, idleMs: standard.keepAliveTimeout + 1_000 };
    this.#listener = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (accepted) => {
      const leave = limiter.admit(accepted.remoteAddress);
      if (!leave) {
        answerOnSocket(accepted, tooMany(), [`Retry-After: ${RETRY_SECONDS}`]);
        return;
      }
      const connection: FastPathConnection = new FastPathConnection(
        accepted,
        (stream) => {
          this.#carriers.set(stream, connection);
          standard.emit('connection', stream);
        },
        timing,
        () => {
          leave();
          this.#forget(connection);
        },
      );
      this.#connections.add(connection);
    });
    const note = (request: IncomingMessage, response: ServerResponse) => {
      const stream: unknown = request.socket;
      if (stream instanceof RequestStream) this.#carriers.get(stream)?.noteRequest(stream, request, response);
    };
    for (const event of ['request', 'checkContinue', 'checkExpectation']) standard.prependListener(event, note);
  }

  /** @throws the system's error when the address cannot be listened on. */
  async listen(address: { host: string; port: number }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#listener.once('error', reject).listen(address, resolve);
    await promise;
    this.#listener.off('error', reject);
    // After this event Node checks the time-outs of heads and of idle connections.
    this.#standard.emit('listening');
  }

  address(): AddressInfo {
    return this.#listener.address() as AddressInfo;
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
