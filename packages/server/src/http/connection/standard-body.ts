/** The body of a request on the standard path, and the choice between the two paths. */
import type { IncomingMessage } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import type { BodyReceiver } from '../../uploads/body-receiver.ts';
import { answerOnSocket, ClientGone } from '../errors.ts';
import { Drain } from './drain.ts';
import { RequestStream } from './fast-path/request-stream.ts';
import { BodyPump, type RequestBody } from './request-body.ts';

/** @returns the body on the path that the request came by. */
export function bodyOf(request: IncomingMessage): RequestBody {
  const stream: unknown = request.socket;
  return (stream instanceof RequestStream ? stream.rawBody : null) ?? new StandardBody(request);
}

/** A body that Node's parser reads. */
class StandardBody implements RequestBody {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  get complete(): boolean {
    return this.#request.complete;
  }

  async pipe(receiver: BodyReceiver<unknown>, idleTimeoutMs: number): Promise<void> {
    const request = this.#request;
    if (request.destroyed && !request.complete) throw new ClientGone();
    const pump = new BodyPump(receiver, idleTimeoutMs);
    const onData = (chunk: Buffer): void => {
      const ready = pump.write(chunk);
      if (!ready) return;
      request.pause();
      ready.then(() => request.resume());
    };
    const onEnd = (): void => pump.commit();
    const onGone = (): void => {
      if (!request.complete) pump.abort(new ClientGone());
    };
    // The 'error' listener stays, because a request that is drained later may still fail.
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

/** Closes the connection when the body has not arrived in `timeoutMs`. For JSON bodies, which are small. */
export function limitBodyTime(request: IncomingMessage, timeoutMs: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    answerOnSocket(request.socket, new UploadError('body_timeout', `The body did not arrive within ${timeoutMs} ms.`));
  }, timeoutMs);
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}
