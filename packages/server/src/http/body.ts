/** Bodies of parts, from a request stream into a reception, at the speed of the slower one. */
import type { IncomingMessage } from 'node:http';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import type { Reception } from '../uploads/receive.ts';
import { answerOnSocket, ClientGone } from './failure.ts';

/**
 * Feeds the body to the reception and commits it.
 *
 * @param idleTimeoutMs how long the client may send nothing. Time in which the storage lets it wait does not count.
 * @throws UploadError `body_timeout` and what the reception throws; ClientGone when the connection ends first.
 */
export async function receiveBody(
  request: IncomingMessage,
  reception: Reception,
  idleTimeoutMs: number,
): Promise<PartReceipt> {
  try {
    await pump(request, reception, idleTimeoutMs);
  } catch (error) {
    await reception.abort();
    throw error;
  }
  return await reception.commit();
}

function pump(request: IncomingMessage, reception: Reception, idleTimeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stalled = setTimeout(() => {
    if (request.isPaused()) stalled.refresh();
    else reject(new UploadError('body_timeout', `Nothing of the body came for ${idleTimeoutMs} ms.`));
  }, idleTimeoutMs);
  const onData = (chunk: Buffer): void => {
    try {
      stalled.refresh();
      const room = reception.write(chunk);
      if (!room) return;
      request.pause();
      room.then(() => {
        stalled.refresh();
        request.resume();
      }, reject);
    } catch (error) {
      reject(error);
    }
  };
  const onGone = (): void => {
    if (!request.complete) reject(new ClientGone());
  };
  request.on('data', onData).once('end', resolve).once('error', onGone).once('close', onGone);
  return promise.finally(() => {
    clearTimeout(stalled);
    request.off('data', onData).off('end', resolve).off('close', onGone);
    // The 'error' listener stays: a request that is drained later may still fail.
  });
}

/** A JSON body is small: it arrives in `timeoutMs` or the connection ends. */
export function limitBodyTime(request: IncomingMessage, timeoutMs: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    answerOnSocket(request.socket, new UploadError('body_timeout', `The body did not come in ${timeoutMs} ms.`));
  }, timeoutMs);
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}

/** Bytes and time that a client may go on sending after it was answered; then the connection is closed. */
const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 10_000;

/**
 * Reads on after an early answer, so that the client gets to see it: closing at once would reset the connection and
 * take the answer along.
 */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const limit = socket.bytesRead + DRAIN_BYTES;
  const timer = setTimeout(() => socket.destroy(), DRAIN_MS).unref();
  request.on('data', () => {
    if (socket.bytesRead > limit) socket.destroy();
  });
  request.once('close', () => clearTimeout(timer));
  request.resume();
}
