/** PATCH of tus 1.0: appends bytes to an upload, and completes it with its last byte. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { beginAppend } from '../../uploads/append/append.ts';
import type { AppendRequest } from '../../uploads/append/append-request.ts';
import { startConcatenation } from '../../uploads/append/concatenating.ts';
import { declareLength } from '../../uploads/append/length.ts';
import { offsetMismatch } from '../../uploads/append/refusals.ts';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import type { BodyReceiver } from '../../uploads/body-receiver.ts';
import { completeUpload } from '../../uploads/completion.ts';
import { accessOf } from '../auth/caller.ts';
import { bodyLengthOf } from '../connection/body-head.ts';
import { receiveRequest } from '../connection/receive.ts';
import type { Services } from '../services.ts';
import { isGone, isOpen, setProgress } from './answers.ts';
import { TrailerChecksum } from './checksum.ts';
import { TusError } from './failures.ts';
import { assertOffsetType, checksumOfBody, parseSize, refuseContentCoding } from './request-head.ts';

export async function append(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { uploads } = services;
  const { raw, headers, caller } = request;
  assertOffsetType(raw);
  const offset = parseSize(headers, 'upload-offset');
  if (offset === null) throw new UploadError('invalid_request', 'Upload-Offset is missing.');
  const declaredBytes = parseSize(headers, 'upload-length');
  refuseContentCoding(headers);
  const lengthBytes = bodyLengthOf(headers);
  const checksum = checksumOfBody(raw);
  let state = await findTusUpload(services, request);
  const { uploadId } = state;
  if (state.concat !== null)
    throw new TusError(403, 'forbidden', 'This upload is a final upload.', { hint: FINAL_HINT });
  if (isGone(state)) throw goneError(state);
  if (declaredBytes !== null && declaredBytes !== state.lengthBytes) {
    if (offset !== state.offset) {
      // The append that is under way may have stored more.
      state = await readAppendState(uploads, accessOf(caller), uploadId, { endRunning: true });
    }
    assertOffset(state, offset);
    await declareLength(uploads, accessOf(caller), uploadId, declaredBytes, request.id);
  }
  if (lengthBytes !== 0 && isOpen(state)) {
    state = await receiveAppend(services, request, reply, { uploadId, offset, lengthBytes, checksum });
  } else {
    if (lengthBytes === 0) {
      state = await readAppendState(uploads, accessOf(caller), uploadId, { endRunning: offset !== state.offset });
    }
    assertOffset(state, offset);
    // A chunked body may be empty, too.
    if (lengthBytes === null) await receiveRequest(request, reply, new NoBytes(), services.options.bodyIdleTimeoutMs);
    else if (lengthBytes > 0) throw allArrived();
    if (checksum && !checksum.matches()) throw checksumError();
  }
  state = await completeWhole(services, request, state);
  setProgress(reply, state);
  await reply.code(204).send();
}

/** Takes an empty body only: the upload has all of its bytes. */
class NoBytes implements BodyReceiver<void> {
  write(): never {
    throw allArrived();
  }

  async commit(): Promise<void> {}

  async abort(): Promise<void> {}
}

function allArrived(): UploadError {
  return new UploadError('file_too_large', 'All bytes of this upload have arrived.');
}

/** Receives the body at its offset. @returns the upload after it. @throws UploadError. */
export async function receiveAppend(
  { uploads, options }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Omit<AppendRequest, 'requestId'>,
): Promise<AppendState> {
  const { caller } = request;
  const { uploadId, checksum } = body;
  const receiver = await beginAppend(uploads, accessOf(caller), { ...body, requestId: request.id });
  await receiveRequest(request, reply, receiver, options.bodyIdleTimeoutMs).catch((error: unknown) => {
    throw checksum instanceof TrailerChecksum && checksum.fault ? checksum.fault : error;
  });
  return await readAppendState(uploads, accessOf(caller), uploadId, { endRunning: false });
}

/**
 * Completes the upload when its last byte has arrived, also when the answer to that byte was lost. A concatenation goes
 * on when its partial uploads are whole.
 *
 * @returns the upload after it. @throws UploadError as `completeUpload` does.
 */
export async function completeWhole(
  { uploads }: Services,
  request: FastifyRequest,
  state: AppendState,
): Promise<AppendState> {
  const { uploadId, lengthBytes, offset, isPartial, finalId, concat } = state;
  if (!isOpen(state) || concat !== null || offset !== lengthBytes) return state;
  if (isPartial) {
    if (finalId !== null) startConcatenation(uploads, finalId);
    return state;
  }
  const access = accessOf(request.caller);
  // A creation is audited as such, also when it brings all bytes.
  if (request.routeOptions.url !== '/tus') request.auditedAs = 'upload.complete';
  await completeUpload(uploads, access, uploadId, undefined, request.id);
  return await readAppendState(uploads, access, uploadId, { endRunning: false });
}

/** @throws UploadError `upload_not_found`, also for an upload of another protocol. */
export async function findTusUpload({ uploads }: Services, request: FastifyRequest): Promise<AppendState> {
  const { upload_id } = request.params as { upload_id: string };
  const state = await readAppendState(uploads, accessOf(request.caller), upload_id, { endRunning: false });
  if (state.protocol === 'tus') return state;
  throw new UploadError('upload_not_found', `There is no upload ${upload_id} of tus.`);
}

/** @throws UploadError `offset_mismatch`. */
function assertOffset({ offset: expected }: AppendState, provided: number): void {
  if (provided !== expected) throw offsetMismatch(expected, provided);
}

export function goneError({ status, failure }: AppendState): UploadError {
  if (status === 'expired') return new UploadError('upload_expired', 'This upload has expired.');
  const details = { status, failure: failure && { code: failure.code, message: failure.message } };
  return new UploadError('upload_closed', `This upload is ${status}.`, { details });
}

function checksumError(): UploadError {
  return new UploadError('part_checksum_mismatch', 'The body does not have the checksum of Upload-Checksum.');
}

export const FINAL_HINT = 'The bytes of a final upload are those of its partial uploads (tus 1.0, Concatenation).';
