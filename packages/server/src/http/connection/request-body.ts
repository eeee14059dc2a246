/**
 * Moves the body of a request into a receiver, at the speed of the slower of the two. Both paths use this file.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { BodyReceiver } from '../../uploads/body-receiver.ts';

/** The body of one request on either path. */
export interface RequestBody {
  /** All of it has arrived. */
  readonly complete: boolean;
  /**
   * Writes all of it to the receiver, which is neither committed nor aborted. Must be called once at most.
   *
   * @param idleTimeoutMs how long the client may send nothing. Time in which the client waits for the storage does not
   * count.
   * @throws UploadError `body_timeout` and what the receiver's `write` throws; ClientGone when the connection ends
   * first.
   */
  pipe(receiver: BodyReceiver<unknown>, idleTimeoutMs: number): Promise<void>;
  /**
   * Reads and drops the rest after an early answer, within the limits of `Drain`. Resolves when all has arrived, or the
   * connection has ended.
   */
  drain(): Promise<void>;
}

/**
 * Writes the body to the receiver and commits it. @throws what `pipe` and the receiver throw; the receiver is aborted
 * then.
 */
export async function receiveBody<Result>(
  body: RequestBody,
  receiver: BodyReceiver<Result>,
  idleTimeoutMs: number,
): Promise<Result> {
  try {
    await body.pipe(receiver, idleTimeoutMs);
  } catch (error) {
    await receiver.abort();
    throw error;
  }
  return await receiver.commit();
}

/** Passes the bytes of one body to a receiver, and limits how long the client may send nothing. */
export class BodyPump {
  readonly #receiver: BodyReceiver<unknown>;
  readonly #timer: NodeJS.Timeout;
  readonly #done = Promise.withResolvers<void>();
  /** The write that the storage has not taken yet. */
  #waiting: Promise<void> | undefined;

  constructor(receiver: BodyReceiver<unknown>, idleTimeoutMs: number) {
    this.#receiver = receiver;
    receiver.onStop = (error) => this.abort(error);
    this.#timer = setTimeout(() => {
      if (this.#waiting) this.#timer.refresh();
      else this.abort(new UploadError('body_timeout', `No bytes of the body arrived for ${idleTimeoutMs} ms.`));
    }, idleTimeoutMs);
  }

  /** Resolves after `commit`, when the receiver has taken all; rejects with the error of `abort` or of the receiver. */
  get done(): Promise<void> {
    return this.#done.promise.finally(() => clearTimeout(this.#timer));
  }

  /**
   * @param bytes the buffer may be reused at once. @returns a promise to await before the next call; undefined: go on.
   */
  write(bytes: Buffer): Promise<void> | undefined {
    try {
      this.#timer.refresh();
      this.#waiting = this.#receiver.write(bytes)?.then(
        () => {
          this.#waiting = undefined;
          this.#timer.refresh();
        },
        (error: unknown) => this.abort(error),
      );
      return this.#waiting;
    } catch (error) {
      this.abort(error);
      return undefined;
    }
  }

  /** The body is complete. The last `write` may still wait for the storage. */
  commit(): void {
    if (this.#waiting) this.#waiting.then(() => this.#done.resolve());
    else this.#done.resolve();
  }

  /** The body ends before it is complete. */
  abort(error: unknown): void {
    this.#done.reject(error);
  }
}
