/** HEAD, GET and DELETE of tus 1.0. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { deleteFile } from '../../files/deletion.ts';
import { assertNotDeleted } from '../../files/files.ts';
import { startConcatenation } from '../../uploads/append/concatenating.ts';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import { cancelUpload } from '../../uploads/cancellation.ts';
import { accessOf, assertScope, hasScope } from '../auth/caller.ts';
import { publicBase } from '../public-url.ts';
import { findFile } from '../routes/find-file.ts';
import type { Services } from '../services.ts';
import { describeUpload, isGone } from './answers.ts';
import { completeWhole, findTusUpload, goneError } from './append.ts';
import { lockedError } from './failures.ts';

/** HEAD: how far the upload is. Ends the append that is under way, so that the offset is exact. */
export async function show(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { uploads } = services;
  const access = accessOf(request.caller);
  let state = await findTusUpload(services, request);
  const { uploadId } = state;
  // What is under way for a concatenation is its copying.
  if (state.concat === null) state = await readAppendState(uploads, access, uploadId, { endRunning: true });
  state = await completeWhole(services, request, state).catch(async (error: unknown) => {
    const now = await readAppendState(uploads, access, uploadId, { endRunning: false });
    if (isGone(now)) return now;
    throw error;
  });
  if (isGone(state)) throw goneError(state);
  await assertFileExists(services, state);
  describeUpload(reply, state);
  await reply.code(200).send();
}

/** GET: leads to the file, when there is one that the caller may read; else as HEAD. */
export async function read(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { status, fileId } = await findTusUpload(services, request);
  if (status !== 'completed' || fileId === null || !hasScope(request.caller, 'files:read')) {
    return await show(services, request, reply);
  }
  const { publicUrl } = services.options;
  const base = publicUrl === null ? '' : publicBase(request, publicUrl);
  await reply.code(303).header('location', `${base}/files/${fileId}/content`).send();
}

/** DELETE: cancels the upload. A completed one is a file, which is deleted when the caller may do that. */
export async function terminate(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { uploads } = services;
  const { caller } = request;
  const state = await findTusUpload(services, request);
  if (state.status === 'cancelled' || state.status === 'expired') throw goneError(state);
  if (state.status === 'verifying') throw lockedError('This upload is being verified.');
  if (state.status === 'completed' && state.fileId !== null) {
    request.auditedAs = 'file.delete';
    request.audited = { ...request.audited, file_id: state.fileId };
    assertScope(caller, 'files:delete');
    await deleteFile(uploads, await findFile(uploads, caller, state.fileId).catch(toGone));
  } else {
    request.auditedAs = 'upload.cancel';
    await cancelUpload(uploads, accessOf(caller), state.uploadId);
    // It cannot be finished any more.
    if (state.finalId !== null) startConcatenation(uploads, state.finalId);
  }
  await reply.code(204).send();
}

/**
 * An upload link has no access to files; who has access to the upload may know whether its file is there.
 *
 * @throws UploadError `upload_closed` when the file of a completed upload was deleted.
 */
async function assertFileExists({ uploads }: Services, { status, fileId }: AppendState): Promise<void> {
  if (status === 'completed' && fileId !== null) await assertNotDeleted(uploads, fileId).catch(toGone);
}

function toGone(error: unknown): never {
  if (!(error instanceof UploadError) || error.code !== 'file_not_found') throw error;
  throw new UploadError('upload_closed', 'The file of this upload has been deleted.', {
    details: { status: 'completed', failure: null },
  });
}
