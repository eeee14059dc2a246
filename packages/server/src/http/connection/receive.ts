/** Asks for the body of a request, and receives it. All routes that read their bodies themselves call this. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyReceiver } from '../../uploads/body-receiver.ts';
import { continueBody } from './expect.ts';
import { receiveBody } from './request-body.ts';
import { bodyOf } from './standard-body.ts';

/**
 * @param idleTimeoutMs how long the client may send nothing. @returns what the receiver commits.
 * @throws UploadError as `receiveBody` does.
 */
export async function receiveRequest<Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  receiver: BodyReceiver<Result>,
  idleTimeoutMs: number,
): Promise<Result> {
  continueBody(request.raw, reply.raw);
  try {
    return await receiveBody(bodyOf(request.raw), receiver, idleTimeoutMs);
  } catch (error) {
    // The rest of a stalled body may still arrive, so this connection cannot carry another request.
    if (error instanceof UploadError && error.code === 'body_timeout') reply.header('connection', 'close');
    throw error;
  }
}
