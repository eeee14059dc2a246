/** POST of tus 1.0: starts an upload, with its first bytes or without. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyChecksum } from '../../uploads/append/body-checksum.ts';
import { createConcatenation } from '../../uploads/append/concatenation.ts';
import { createAppended } from '../../uploads/append/creation.ts';
import type { AppendState } from '../../uploads/append/state.ts';
import { cancelUpload } from '../../uploads/cancellation.ts';
import { accessOf, linkOf, ownerOf } from '../auth/caller.ts';
import { bodyLengthOf } from '../connection/body-head.ts';
import { locationOf } from '../location.ts';
import type { Services } from '../services.ts';
import { setProgress } from './answers.ts';
import { completeWhole, FINAL_HINT, receiveAppend } from './append.ts';
import { parseConcat } from './concat-header.ts';
import { isBusy, TusError } from './failures.ts';
import { readFileFacts } from './file-facts.ts';
import { parseMetadata } from './metadata.ts';
import {
  assertOffsetType,
  checksumOfBody,
  parseDeclaredLength,
  parseSize,
  refuseContentCoding,
  textOf,
} from './request-head.ts';

export async function create(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { raw, headers } = request;
  refuseContentCoding(headers);
  const bodyBytes = bodyLengthOf(headers);
  if (bodyBytes !== 0) assertOffsetType(raw);
  // Checked before anything is created for it.
  const checksum = bodyBytes === 0 ? null : checksumOfBody(raw);
  let state = await createUpload(services, request, bodyBytes);
  request.audited = { ...request.audited, upload_id: state.uploadId };
  if (bodyBytes !== 0) state = await receiveFirst(services, request, reply, { state, bodyBytes, checksum });
  state = await completeWhole(services, request, state);
  reply.header('location', locationOf(request, '/tus', state.uploadId, services.options.publicUrl));
  setProgress(reply, state);
  await reply.code(201).send();
}

/** @throws UploadError as page 7 lists them for init. */
async function createUpload(
  { uploads }: Services,
  request: FastifyRequest,
  bodyBytes: number | null,
): Promise<AppendState> {
  const { headers, caller } = request;
  const rawMetadata = textOf(headers['upload-metadata']);
  const facts = readFileFacts(parseMetadata(rawMetadata));
  const concat = parseConcat(textOf(headers['upload-concat']));
  const common = { ...facts, rawMetadata: rawMetadata ?? null };
  if (concat?.kind === 'final') {
    if (bodyBytes !== 0) throw new TusError(403, 'forbidden', 'A final upload takes no bytes.', { hint: FINAL_HINT });
    const declaredBytes = parseSize(headers, 'upload-length');
    const asked = { ...common, sources: concat.uploadIds, concat: concat.header, declaredBytes };
    return await createConcatenation(uploads, accessOf(caller), ownerOf(caller), asked, linkOf(caller));
  }
  const sizeBytes = parseDeclaredLength(headers);
  if (sizeBytes !== null && bodyBytes !== null && bodyBytes > sizeBytes) {
    throw new UploadError('file_too_large', `The body has ${bodyBytes} bytes, and Upload-Length is ${sizeBytes}.`);
  }
  const asked = { ...common, sizeBytes, protocol: 'tus' as const, isPartial: concat !== null };
  return await createAppended(uploads, ownerOf(caller), asked, linkOf(caller));
}

interface FirstBody {
  readonly state: AppendState;
  readonly bodyBytes: number | null;
  readonly checksum: BodyChecksum | null;
}

/** The client does not learn the URL of an upload whose first bytes are refused: it is cancelled. */
async function receiveFirst(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  { state, bodyBytes, checksum }: FirstBody,
): Promise<AppendState> {
  const { uploadId } = state;
  const body = { uploadId, offset: 0, lengthBytes: bodyBytes, checksum };
  return await receiveAppend(services, request, reply, body).catch(async (error: unknown) => {
    // A failed upload keeps the reason.
    const isRefused = error instanceof UploadError && (isBusy(error) || error.code === 'part_checksum_mismatch');
    if (isRefused) await cancelUpload(services.uploads, accessOf(request.caller), uploadId).catch(() => {});
    throw error;
  });
}
