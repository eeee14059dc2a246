/** Appends the body of a request to an upload. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { beginAppend } from '../../uploads/append/append.ts';
import { accessOf } from '../auth/caller.ts';
import { receiveRequest } from '../connection/receive.ts';
import type { Services } from '../services.ts';
import type { ContentDigest } from './digests.ts';
import type { InterimAnswers } from './interim-answers.ts';

export interface BodyOf {
  readonly uploadId: string;
  readonly offset: number;
  /** Null: chunked. */
  readonly bodyBytes: number | null;
  readonly checksum: ContentDigest | null;
  readonly interim: InterimAnswers;
}

/** @returns the offset after the body. @throws UploadError as `beginAppend` and its receiver do. */
export async function appendBody(
  { uploads, options }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  { uploadId, offset, bodyBytes, checksum, interim }: BodyOf,
): Promise<number> {
  if (bodyBytes === 0 && checksum === null) return offset;
  const append = { uploadId, offset, lengthBytes: bodyBytes, checksum, requestId: request.id };
  const receiver = await beginAppend(uploads, accessOf(request.caller), append);
  const end = bodyBytes === null ? null : offset + bodyBytes;
  receiver.onAdvance = (reached: number) => {
    // The final answer follows the last byte.
    if (reached !== end) interim.report(reached);
  };
  return await receiveRequest(request, reply, receiver, options.bodyIdleTimeoutMs);
}
