/** One append of several that run at once (draft-spk-httpbis-parallel-upload-00, sections 5 and 7.2). */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { beginParallelAppend } from '../../uploads/append/parallel.ts';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import { accessOf } from '../auth/caller.ts';
import { receiveRequest } from '../connection/receive.ts';
import type { Services } from '../services.ts';
import type { AppendHead } from './append-head.ts';
import { MAX_PARALLEL, printReceived } from './parallel-limits.ts';
import { inconsistentLength, Problem } from './problem.ts';

/** Seconds. */
const RETRY_AFTER_SECONDS = 1;

/** Appends of this server that are under way, by upload. */
const running = new Map<string, number>();

/** Receives the body at its own offset, or checks that all is there for the commit. */
export async function receiveParallel(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  state: AppendState,
  head: AppendHead,
): Promise<void> {
  const { uploads, options } = services;
  const { uploadId } = state;
  const lengthBytes = validateRange(state, head);
  if (head.isComplete) {
    await assertWhole(services, request, state);
    return;
  }
  if (lengthBytes === 0) return;
  await counted(uploadId, async () => {
    const access = accessOf(request.caller);
    const { offset, checksum } = head;
    const part = { uploadId, offset, lengthBytes, checksum, requestId: request.id };
    const receiver = await beginParallelAppend(uploads, access, part);
    await receiveRequest(request, reply, receiver, options.bodyIdleTimeoutMs);
  }).catch((error: unknown) => {
    throw toProblem(error);
  });
}

/**
 * Checks all that the head of the request says.
 *
 * @returns the length of the body, bytes. @throws UploadError `length_required`, `invalid_request`; Problem.
 */
export function validateRange(
  state: Pick<AppendState, 'lengthBytes' | 'partSizeBytes' | 'offset'>,
  head: Pick<AppendHead, 'offset' | 'bodyBytes' | 'isComplete' | 'lengthBytes'>,
): number {
  const { partSizeBytes, lengthBytes } = state;
  const { offset, bodyBytes, isComplete } = head;
  if (lengthBytes === null) throw new Error('an upload in parallel mode has no length');
  if (bodyBytes === null) {
    throw new UploadError('length_required', 'An append in parallel mode needs a Content-Length.');
  }
  if (isComplete && (bodyBytes > 0 || offset !== lengthBytes)) {
    throw new UploadError('invalid_request', 'Only the empty append at the end completes an upload in parallel mode.', {
      hint: 'commit=explicit: send all bytes with Upload-Complete: ?0, and then an empty append with ?1.',
    });
  }
  if (head.lengthBytes !== null && head.lengthBytes !== lengthBytes) {
    throw inconsistentLength(`The length of this upload is ${lengthBytes} bytes, not ${head.lengthBytes}.`);
  }
  const end = offset + bodyBytes;
  if (end > lengthBytes) {
    throw new Problem('offset-outside-window', 'offset_mismatch', `The append ends at ${end}, after the file.`, {
      headers: { 'Upload-Offset': String(state.offset) },
      members: { 'reorder-window': lengthBytes },
    });
  }
  if (bodyBytes > 0 && (offset % partSizeBytes !== 0 || (end % partSizeBytes !== 0 && end !== lengthBytes))) {
    const message = `Appends begin and end at multiples of ${partSizeBytes} bytes, or at the end of the file.`;
    throw new Problem('misaligned-append', 'part_size_mismatch', message, {
      hint: 'Upload-Limit has append-alignment.',
      members: { 'append-alignment': partSizeBytes },
    });
  }
  return bodyBytes;
}

/** @throws Problem `incomplete-ranges`. */
async function assertWhole({ uploads }: Services, request: FastifyRequest, { uploadId }: AppendState): Promise<void> {
  const state = await readAppendState(uploads, accessOf(request.caller), uploadId, { endRunning: false });
  if (state.offset === state.lengthBytes) return;
  throw new Problem('incomplete-ranges', 'upload_incomplete', 'Bytes are missing.', {
    hint: 'Send what Upload-Received does not have, then complete again.',
    headers: { 'Upload-Offset': String(state.offset), 'Upload-Received': printReceived(state.received) },
  });
}

/** @throws Problem `too-many-parallel`. */
async function counted(uploadId: string, receive: () => Promise<void>): Promise<void> {
  const others = running.get(uploadId) ?? 0;
  if (others >= MAX_PARALLEL) {
    throw new Problem('too-many-parallel', 'rate_limited', `${MAX_PARALLEL} appends to this upload are under way.`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      members: { 'max-parallel': MAX_PARALLEL },
    });
  }
  running.set(uploadId, others + 1);
  try {
    await receive();
  } finally {
    const left = (running.get(uploadId) ?? 1) - 1;
    if (left > 0) running.set(uploadId, left);
    else running.delete(uploadId);
  }
}

function toProblem(error: unknown): unknown {
  if (!(error instanceof UploadError) || error.code !== 'part_conflict') return error;
  const { message, hint, details } = error;
  return new Problem('range-conflict', 'part_conflict', message, { hint, ...(details && { details }) });
}
