/**
 * Answers that come before their request has. Whoever still sends does not read yet, and closing a connection that has unread
 * bytes resets it, which takes the answer along: a client sees a torn connection, a proxy makes a 502 of it. So what still
 * comes is read and dropped, within bounds, and only then the connection is closed (nginx calls it `lingering_close`).
 */
import type { Duplex } from 'node:stream';

/** What a client may go on sending after it was answered. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MS = 120_000;
/** It stalls, or has stopped without closing. */
const IDLE_MS = 5_000;

/** The bounds of what is dropped on one connection. */
export class Drain {
  readonly #cut: () => void;
  readonly #late: NodeJS.Timeout;
  readonly #idle: NodeJS.Timeout;
  readonly #done = Promise.withResolvers<void>();
  #bytes = 0;

  /** @param cut ends the connection at once: a bound is reached. @param maxMs for all of it. */
  constructor(cut: () => void, maxMs = MAX_MS) {
    this.#cut = cut;
    this.#late = setTimeout(cut, maxMs).unref();
    this.#idle = setTimeout(cut, IDLE_MS).unref();
  }

  /** Resolves when `end` was called. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** @param bytes that were dropped. */
  note(bytes: number): void {
    this.#idle.refresh();
    this.#bytes += bytes;
    if (this.#bytes > MAX_BYTES) this.#cut();
  }

  /** All has come, or the connection has ended. */
  end(): void {
    clearTimeout(this.#late);
    clearTimeout(this.#idle);
    this.#done.resolve();
  }
}

/** As `node:http` ends a connection after its last answer. */
type Closing = Duplex & { destroySoon?: () => void };

/** From now on until all is drained, what would close this connection only ends our side of it. */
export function linger(socket: Closing, drained: Promise<void>): void {
  const close = socket.destroySoon?.bind(socket);
  let isOver = false;
  socket.destroySoon = () => {
    isOver = true;
    socket.end();
  };
  drained.then(() => {
    // What stands behind it is the socket's own.
    delete socket.destroySoon;
    if (isOver) close?.();
  });
}
