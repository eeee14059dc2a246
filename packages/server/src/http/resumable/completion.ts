/** Completes an upload, and answers as a conventional upload of the whole file would be answered. */
import { fromHex, printDigestHeader, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { declareLength } from '../../uploads/append/length.ts';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import { completeUpload } from '../../uploads/completion.ts';
import { accessOf } from '../auth/caller.ts';
import { presentFile } from '../routes/files.ts';
import type { Services } from '../services.ts';
import { wantsSha256 } from './digests.ts';
import { readInterop } from './interop.ts';
import { inconsistentLength } from './problem.ts';
import { setComplete } from './state-headers.ts';

/** After this time a client asks again for a verification that takes longer than one request. */
const VERIFY_RETRY_SECONDS = 2;

/**
 * All bytes have arrived, as the client says. Safe to repeat: the answer is the same.
 *
 * @param before the upload as it was, with `rawMetadata`, the digest that was wanted at the start.
 * @param sha256 of the whole file; null: this request does not say.
 * @returns the file's record (201), or the upload's while it is being verified (202).
 * @throws UploadError as `completeUpload` does; Problem `inconsistent-upload-length` when bytes are missing.
 */
export async function complete(
  { uploads }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  { uploadId, rawMetadata }: Pick<AppendState, 'uploadId' | 'rawMetadata'>,
  sha256: Uint8Array | null,
): Promise<unknown> {
  const { caller, id, headers } = request;
  const access = accessOf(caller);
  const { interop } = readInterop(headers);
  const { status, offset, lengthBytes } = await readAppendState(uploads, access, uploadId, { endRunning: false });
  if (OPEN_STATES.includes(status)) {
    if (lengthBytes === null) await declareLength(uploads, access, uploadId, offset, id);
    else if (offset !== lengthBytes) {
      throw inconsistentLength(`The upload has ${offset} bytes, and its length is ${lengthBytes}.`, {
        'Upload-Offset': String(offset),
      });
    }
  }
  request.auditedAs = 'upload.complete';
  const sha256Hex = sha256 === null ? undefined : toHex(sha256);
  const done = await completeUpload(uploads, access, uploadId, sha256Hex, id).catch((error: unknown) => {
    // A client learns that it need not send anything again.
    if (error instanceof UploadError && !error.retryable) setComplete(reply, interop, true);
    throw error;
  });
  setComplete(reply, interop, true);
  if (done.kind === 'verifying') {
    reply.header('Upload-Offset', String(done.upload.size));
    return await reply.code(202).header('retry-after', String(VERIFY_RETRY_SECONDS)).send(done.upload);
  }
  const file = presentFile(uploads, caller, done.file);
  reply.header('Upload-Offset', String(file.size)).header('Content-Location', `/files/${file.file_id}`);
  const wanted = wantsSha256(headers['want-repr-digest']) || wantsSha256(rawMetadata);
  const digest = file.sha256 === null ? null : fromHex(file.sha256);
  if (wanted && digest) reply.header('Repr-Digest', printDigestHeader(digest));
  return await reply.code(201).send(file);
}
