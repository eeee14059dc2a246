/** PATCH: appends to an upload, completes it, or both. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidateAppended } from '../../uploads/append/invalidation.ts';
import { declareLength } from '../../uploads/append/length.ts';
import { offsetMismatch } from '../../uploads/append/refusals.ts';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import { accessOf } from '../auth/caller.ts';
import type { Services } from '../services.ts';
import { type AppendHead, readAppend } from './append-head.ts';
import { appendBody } from './body.ts';
import { complete } from './completion.ts';
import { InterimAnswers } from './interim-answers.ts';
import { readInterop, type Spoken } from './interop.ts';
import { receiveParallel } from './parallel-append.ts';
import { inconsistentLength, Problem } from './problem.ts';
import { isComplete, setState } from './state-headers.ts';
import { findResumable } from './upload-resource.ts';

export async function append(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const spoken = readInterop(request.headers);
  const head = readAppend(request.raw, spoken.interop);
  const before = await findResumable(services, request, { endRunning: false });
  if (isComplete(before)) return await answerComplete(services, request, reply, before, head);
  if (before.protocol === 'parallel') await receiveParallel(services, request, reply, before, head);
  else await receive(services, request, reply, { before, head, spoken });
  if (head.isComplete) return await complete(services, request, reply, before, head.sha256);
  const { uploads } = services;
  const state = await readAppendState(uploads, accessOf(request.caller), before.uploadId, { endRunning: false });
  setState(reply, services, spoken.interop, state);
  return await reply.code(204).send();
}

interface Append {
  readonly before: AppendState;
  readonly head: AppendHead;
  readonly spoken: Spoken;
}

/** Receives the body where the bytes so far end. */
async function receive(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  { before, head, spoken }: Append,
): Promise<void> {
  const { uploads } = services;
  const { uploadId } = before;
  const { offset, bodyBytes, checksum, lengthBytes } = head;
  const access = accessOf(request.caller);
  // The append that is under way may have kept more bytes, and a length belongs to bytes that fit.
  const { offset: expected } =
    offset === before.offset && bodyBytes !== 0
      ? before
      : await readAppendState(uploads, access, uploadId, { endRunning: true });
  if (offset !== expected) throw offsetMismatch(expected, offset);
  await settleLength(services, request, before, lengthBytes);
  const interim = new InterimAnswers(request, reply, spoken, services.options.interimAnswers);
  const end = before.lengthBytes ?? lengthBytes;
  try {
    await appendBody(services, request, reply, { uploadId, offset, bodyBytes, checksum, interim });
  } catch (error) {
    const isTooLong = end !== null && error instanceof UploadError && error.code === 'file_too_large';
    const refused = isTooLong ? tooLong(end) : error;
    // The draft: such an upload is invalid from then on.
    if (refused instanceof Problem) await invalidateAppended(uploads, access, uploadId, refused, request.id);
    throw refused;
  }
}

/** @throws Problem `inconsistent-upload-length` when another length is known. */
async function settleLength(
  { uploads }: Services,
  request: FastifyRequest,
  { uploadId, lengthBytes: known, offset }: AppendState,
  declared: number | null,
): Promise<void> {
  if (declared === null || declared === known) return;
  if (known !== null) throw inconsistentLength(`The length of this upload is ${known} bytes, not ${declared}.`);
  if (declared < offset) throw inconsistentLength(`This upload has ${offset} bytes already, more than ${declared}.`);
  await declareLength(uploads, accessOf(request.caller), uploadId, declared, request.id);
}

function tooLong(lengthBytes: number): Problem {
  return inconsistentLength(`The body goes beyond the length of the upload, ${lengthBytes} bytes.`);
}

/**
 * The upload is complete. A client that has lost the answer gets it again when it repeats its last request, or sends an
 * empty one in its place.
 */
async function answerComplete(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  before: AppendState,
  head: AppendHead,
): Promise<unknown> {
  const { interop } = readInterop(request.headers);
  const isRepeated = head.isComplete && head.lengthBytes === before.lengthBytes;
  if (isRepeated) return await complete(services, request, reply, before, head.sha256);
  setState(reply, services, interop, before);
  if (!interop.refusesCompleted) throw inconsistentLength('This upload is complete, and takes no more bytes.');
  throw new Problem('completed-upload', 'upload_closed', 'This upload is complete, and takes no more bytes.', {
    status: 400,
    details: { status: before.status },
  });
}
