/**
 * Refuses work while there is more than can be done: a clear answer at once is better than all answers late. Two things are
 * bounded: handlers that run, and bytes of answers that clients have not taken.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { accountOf } from './caller.ts';
import { FairShare } from './fair-share.ts';

/** Handlers at work: fewer than the connections that one address may open (1,024 by default). */
const MAX_RUNNING = 512;
const MAX_RUNNING_PER_OWNER = 128;
/** Answers of this size or less are never refused: errors are among them. Bytes. */
const SMALL_ANSWER_BYTES = 16 * 1024;
const MAX_UNREAD_BYTES = 128 * 1024 * 1024;
const MAX_UNREAD_BYTES_PER_OWNER = 32 * 1024 * 1024;

/** To be registered before the routes. Streams are not counted here: they hold one buffer each. */
export function registerLoadShedder(app: FastifyInstance): void {
  const running = new FairShare(MAX_RUNNING, MAX_RUNNING_PER_OWNER);
  const unread = new FairShare(MAX_UNREAD_BYTES, MAX_UNREAD_BYTES_PER_OWNER);

  app.addHook('onRoute', (options) => {
    const { scope, identifies = false, isLong = false } = options.config ?? {};
    if (!(scope || identifies) || isLong) return;
    const { handler } = options;
    // A place is taken when the caller is known and the body is there, and given back when the handler has ended, whether or
    // not the client takes the answer.
    options.handler = async function (request, reply) {
      if (!request.caller) return await handler.call(this, request, reply);
      const giveBack = running.take(accountOf(request.caller), 1);
      if (!giveBack) throw overloaded('The server has as many requests as it can work on.');
      try {
        return await handler.call(this, request, reply);
      } finally {
        giveBack();
      }
    };
  });

  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0;
    if (!request.caller || bytes <= SMALL_ANSWER_BYTES) return;
    const giveBack = unread.take(accountOf(request.caller), bytes);
    if (!giveBack) throw overloaded('Too many answers of this server have not been read.');
    reply.raw.once('close', giveBack);
  });
}

function overloaded(message: string): UploadError {
  return new UploadError('overloaded', message, { retryAfterSeconds: 1 });
}
