/**
 * Answers that are sent before the request has arrived. A client that is still sending may not read yet. Closing a
 * connection with unread bytes resets it, and the answer is lost: the client sees a broken connection, and a proxy
 * answers 502. So the rest of the request is read and dropped within limits, and then the connection is closed (nginx:
 * `lingering_close`).
 */
import type { Duplex } from 'node:stream';

/** The most that a client may send after it was answered. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MS = 120_000;
/** The client sends nothing, and does not close the connection. */
const IDLE_MS = 5_000;

/** Limits what is dropped on one connection. */
export class Drain {
  readonly #cut: () => void;
  readonly #late: NodeJS.Timeout;
  readonly #idle: NodeJS.Timeout;
  readonly #done = Promise.withResolvers<void>();
  #bytes = 0;

  /** @param cut ends the connection at once when a limit is reached. @param maxMs the limit for the whole drain. */
  constructor(cut: () => void, maxMs = MAX_MS) {
    this.#cut = cut;
    this.#late = setTimeout(cut, maxMs).unref();
    this.#idle = setTimeout(cut, IDLE_MS).unref();
  }

  /** Resolves when `end` was called. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** @param bytes the number of bytes that were dropped. */
  note(bytes: number): void {
    this.#idle.refresh();
    this.#bytes += bytes;
    if (this.#bytes > MAX_BYTES) this.#cut();
  }

  /** All has arrived, or the connection has ended. */
  end(): void {
    clearTimeout(this.#late);
    clearTimeout(this.#idle);
    this.#done.resolve();
  }
}

/** As `node:http` ends a connection after its last answer. */
type Closing = Duplex & { destroySoon?: () => void };

/** Until all is drained, closing this connection only ends the side of this server. */
export function linger(socket: Closing, drained: Promise<void>): void {
  const close = socket.destroySoon?.bind(socket);
  let isOver = false;
  socket.destroySoon = () => {
    isOver = true;
    socket.end();
  };
  drained.then(() => {
    // Uncovers the method of the socket's class.
    delete socket.destroySoon;
    if (isOver) close?.();
  });
}
