/** HEAD, GET and DELETE of an upload. */
import { UploadError } from '@cryolift/protocol/errors';
import { ENDED_STATES } from '@cryolift/protocol/states';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import { cancelUpload } from '../../uploads/cancellation.ts';
import { uploadNotFound } from '../../uploads/lookup.ts';
import { accessOf } from '../auth/caller.ts';
import type { Services } from '../services.ts';
import { readInterop } from './interop.ts';
import { setState } from './state-headers.ts';

/**
 * Answers how far the upload is. The append that is under way ends, so that the offset is the one to go on from; appends
 * in parallel do not.
 */
export async function showState(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const state = await findResumable(services, request, { endRunning: true });
  const { interop } = readInterop(request.headers);
  setState(reply, services, interop, state);
  if (state.lengthBytes !== null) reply.header('Upload-Length', String(state.lengthBytes));
  if (state.fileId !== null) reply.header('Content-Location', `/files/${state.fileId}`);
  return await reply.code(204).send();
}

export async function cancel(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { upload_id } = request.params as { upload_id: string };
  const access = accessOf(request.caller);
  const { protocol, uploadId } = await readAppendState(services.uploads, access, upload_id, { endRunning: false });
  if (protocol === 'tus') throw uploadNotFound(uploadId);
  await cancelUpload(services.uploads, access, uploadId);
  return await reply.code(204).send();
}

/**
 * @param options as `readAppendState` has them.
 * @throws UploadError `upload_not_found`; `upload_closed`, `upload_expired`: it takes no bytes any more.
 */
export async function findResumable(
  { uploads }: Services,
  request: FastifyRequest,
  options: { endRunning: boolean },
): Promise<AppendState> {
  const { upload_id } = request.params as { upload_id: string };
  const state = await readAppendState(uploads, accessOf(request.caller), upload_id, options);
  const { protocol, status, failure } = state;
  if (protocol === 'tus') throw uploadNotFound(upload_id);
  if (status === 'expired') throw new UploadError('upload_expired', 'This upload expired; its bytes were deleted.');
  if (ENDED_STATES.includes(status)) {
    throw new UploadError('upload_closed', `This upload is ${status}.`, { details: { status, failure } });
  }
  return state;
}
