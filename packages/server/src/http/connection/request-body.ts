/** Bodies of requests: of parts, into a reception at the speed of the slower one; and what is left of refused ones. */
import type { IncomingMessage } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import type { PartReceiver } from '../../uploads/part-receiver.ts';
import { answerOnSocket, ClientGone } from '../errors.ts';
import { Drain } from './drain.ts';
import { RequestStream } from './fast-path/request-stream.ts';

/** The body of one request, whichever lane it comes through. */
export interface RequestBody {
  /** All of it has come. */
  readonly complete: boolean;
  /**
   * Feeds all of it to the reception. Once only.
   *
   * @param idleTimeoutMs how long the client may send nothing. Time in which the storage lets it wait does not count.
   * @throws UploadError `body_timeout` and what the reception's `write` throws; ClientGone when the connection ends first.
   */
  feed(receiver: PartReceiver, idleTimeoutMs: number): Promise<void>;
  /** Reads on after an early answer, within the bounds of `Drain`. Resolves when all has come, or the connection has ended. */
  drain(): Promise<void>;
}

export function bodyOf(request: IncomingMessage): RequestBody {
  const stream: unknown = request.socket;
  return (stream instanceof RequestStream ? stream.partBody : null) ?? new OrdinaryBody(request);
}

/** Feeds the body to the reception and commits it. @throws what `feed` and the reception throw. */
export async function receiveBody(
  body: RequestBody,
  receiver: PartReceiver,
  idleTimeoutMs: number,
): Promise<PartReceipt> {
  try {
    await body.feed(receiver, idleTimeoutMs);
  } catch (error) {
    await receiver.abort();
    throw error;
  }
  return await receiver.commit();
}

/** What is fed, and when it is over. Shared by the lanes, so that they time out and wait alike. */
export class BodyPump {
  readonly #receiver: PartReceiver;
  readonly #timer: NodeJS.Timeout;
  readonly #done = Promise.withResolvers<void>();
  /** What the storage lets us wait for. */
  #waiting: Promise<void> | undefined;

  constructor(receiver: PartReceiver, idleTimeoutMs: number) {
    this.#receiver = receiver;
    this.#timer = setTimeout(() => {
      if (this.#waiting) this.#timer.refresh();
      else this.fail(new UploadError('body_timeout', `Nothing of the body came for ${idleTimeoutMs} ms.`));
    }, idleTimeoutMs);
  }

  /** Resolves when all was taken; rejects with what failed. */
  get done(): Promise<void> {
    return this.#done.promise.finally(() => clearTimeout(this.#timer));
  }

  /** @param bytes whose memory may be reused at once. @returns what to wait for before the next call. */
  take(bytes: Buffer): Promise<void> | undefined {
    try {
      this.#timer.refresh();
      this.#waiting = this.#receiver.write(bytes)?.then(
        () => {
          this.#waiting = undefined;
          this.#timer.refresh();
        },
        (error: unknown) => this.fail(error),
      );
      return this.#waiting;
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  /** All has been given to `take`; it may still be waiting with the last of it. */
  end(): void {
    if (this.#waiting) this.#waiting.then(() => this.#done.resolve());
    else this.#done.resolve();
  }

  fail(error: unknown): void {
    this.#done.reject(error);
  }
}

/** Through Node's parser. */
class OrdinaryBody implements RequestBody {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  get complete(): boolean {
    return this.#request.complete;
  }

  async feed(receiver: PartReceiver, idleTimeoutMs: number): Promise<void> {
    const request = this.#request;
    if (request.destroyed && !request.complete) throw new ClientGone();
    const pump = new BodyPump(receiver, idleTimeoutMs);
    const onData = (chunk: Buffer): void => {
      const ready = pump.take(chunk);
      if (!ready) return;
      request.pause();
      ready.then(() => request.resume());
    };
    const onEnd = (): void => pump.end();
    const onGone = (): void => {
      if (!request.complete) pump.fail(new ClientGone());
    };
    // The 'error' listener stays: a request that is drained later may still fail.
    request.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone);
    await pump.done.finally(() => request.off('data', onData).off('end', onEnd).off('close', onGone));
  }

  async drain(): Promise<void> {
    const request = this.#request;
    if (request.complete || request.destroyed) return;
    const drain = new Drain(() => request.socket.destroy());
    request.on('data', (chunk: Buffer) => drain.note(chunk.length)).once('close', () => drain.end());
    request.resume();
    await drain.done;
  }
}

/** A JSON body is small: it arrives in `timeoutMs` or the connection ends. */
export function limitBodyTime(request: IncomingMessage, timeoutMs: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    answerOnSocket(request.socket, new UploadError('body_timeout', `The body did not come in ${timeoutMs} ms.`));
  }, timeoutMs);
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}
