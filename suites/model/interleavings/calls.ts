/** Makes the requests of the model to the modules themselves; the answers are those that HTTP would have. */
import { setImmediate } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { sweep } from '../../../packages/server/src/jobs/sweep.ts';
import { beginAppend } from '../../../packages/server/src/uploads/append/append.ts';
import { createAppended } from '../../../packages/server/src/uploads/append/creation.ts';
import { offsetMismatch, tooLong } from '../../../packages/server/src/uploads/append/refusals.ts';
import { readAppendState } from '../../../packages/server/src/uploads/append/state.ts';
import type { BodyReceiver } from '../../../packages/server/src/uploads/body-receiver.ts';
import { cancelUpload } from '../../../packages/server/src/uploads/cancellation.ts';
import { completeUpload } from '../../../packages/server/src/uploads/completion.ts';
import type { UploadContext } from '../../../packages/server/src/uploads/context.ts';
import { initUpload } from '../../../packages/server/src/uploads/creation.ts';
import { showUpload } from '../../../packages/server/src/uploads/lookup.ts';
import { beginPart } from '../../../packages/server/src/uploads/parts/part-start.ts';
import { bytesOf } from '../content.ts';
import type { Answer } from '../reference/expected.ts';
import type { AppendRequest, NewUpload, PartRequest, Request } from '../requests.ts';

const ATTEMPTS = 50;
/** Bodies come in so many pieces. */
const PIECES = 2;

type Body = Record<string, unknown> | null;

/** Repeats what another request is in the way of, as clients do. @throws what is not an error for clients. */
export async function call(context: UploadContext, request: Request): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await callOnce(context, request);
    if (attempt === ATTEMPTS || answer.body?.code !== 'overloaded') return answer;
    await setImmediate();
  }
}

async function callOnce(context: UploadContext, request: Request): Promise<Answer> {
  try {
    return await perform(context, request);
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    const { code, message, details } = error;
    const { expected_offset: offset } = details ?? {};
    const headers = offset === undefined ? {} : { 'upload-offset': String(offset) };
    return { status: statusOf(error, request), headers, body: { code, message, details } };
  }
}

/** The status that the endpoint of tus answers. */
function statusOf({ code, status }: UploadError, { kind }: Request): number {
  if (kind !== 'append' && kind !== 'head') return status;
  return { part_checksum_mismatch: 460, upload_closed: 410 }[code as 'upload_closed'] ?? status;
}

async function perform(context: UploadContext, request: Request): Promise<Answer> {
  switch (request.kind) {
    case 'init':
      return await init(context, request);
    case 'create':
      return await create(context, request);
    case 'part':
      return await sendPart(context, request);
    case 'append':
      return await append(context, request);
    case 'complete': {
      const { owner, uploadId, sha256 } = request;
      const done = await completeUpload(context, { owner }, uploadId, sha256 ?? undefined, 'r');
      if (done.kind !== 'completed') return answer(202, { ...done.upload });
      return answer(200, { ...done.file.record });
    }
    case 'cancel':
      await cancelUpload(context, { owner: request.owner }, request.uploadId);
      return answer(204, null);
    case 'show':
      return answer(200, { ...(await showUpload(context, { owner: request.owner }, request.uploadId)) });
    case 'head': {
      const { owner, uploadId } = request;
      const state = await readAppendState(context, { owner }, uploadId, { endRunning: true });
      if (state.offset === state.lengthBytes && state.status === 'uploading') {
        await completeUpload(context, { owner }, uploadId, undefined, 'r');
      }
      const headers = { 'upload-offset': String(state.offset), 'upload-length': String(state.lengthBytes) };
      return { status: 200, headers, body: null };
    }
    case 'sweep':
      return answer(200, { ...(await sweep(context)) });
    default:
      throw new Error(`${request.kind} is not among the calls of interleavings`);
  }
}

function answer(status: number, body: Body): Answer {
  return { status, headers: {}, body };
}

function initOf({ sizeBytes, sha256, fingerprint }: NewUpload) {
  return {
    ...{ filename: 'movie.bin', size: sizeBytes },
    ...(sha256 === null ? {} : { sha256 }),
    ...(fingerprint === null ? {} : { fingerprint }),
  };
}

async function init(context: UploadContext, request: NewUpload): Promise<Answer> {
  const record = await initUpload(context, request.owner, initOf(request), request.key, null);
  return answer(record.resumed ? 200 : 201, { ...record });
}

async function create(context: UploadContext, { owner, sizeBytes, sha256 }: NewUpload): Promise<Answer> {
  const digest = sha256 === null ? null : new Uint8Array(Buffer.from(sha256, 'hex'));
  const asked = { filename: 'movie.bin', sizeBytes, metadata: {}, sha256: digest, rawMetadata: null };
  const state = await createAppended(context, owner, { ...asked, protocol: 'tus', isPartial: false }, null);
  const headers = { location: `/tus/${state.uploadId}`, 'upload-offset': String(state.offset) };
  return { status: 201, headers, body: null };
}

async function sendPart(context: UploadContext, request: PartRequest): Promise<Answer> {
  const { owner, uploadId, idx, sha256, content, variant, offset, length } = request;
  const digest = sha256 === null ? null : new Uint8Array(Buffer.from(sha256, 'hex'));
  const asked = { uploadId, idx, lengthBytes: length, offsetBytes: null, sha256: digest, requestId: 'r' };
  const started = await beginPart(context, { owner }, asked);
  if (started.kind === 'answered') return answer(200, { ...started.receipt });
  const receipt = await receive(started.receiver, bytesOf(content, variant, offset, length));
  return answer(receipt.deduplicated ? 200 : 201, { ...receipt });
}

async function append(context: UploadContext, request: AppendRequest): Promise<Answer> {
  const { owner, uploadId, offset, length, content, variant, checksum } = request;
  const matching = checksum === 'none' ? null : { update() {}, matches: () => checksum === 'right' };
  const asked = { uploadId, offset, lengthBytes: length, checksum: matching, requestId: 'r' };
  const before = await readAppendState(context, { owner }, uploadId, { endRunning: false });
  if (before.status === 'completed') {
    if (offset !== before.offset) throw offsetMismatch(before.offset, offset);
    throw tooLong(before.offset);
  }
  const receiver = await beginAppend(context, { owner }, asked);
  await receive(receiver, bytesOf(content, variant, offset, length));
  const state = await readAppendState(context, { owner }, uploadId, { endRunning: false });
  const isWhole = state.offset === state.lengthBytes;
  if (isWhole) await completeUpload(context, { owner }, uploadId, undefined, 'r');
  return { status: 204, headers: { 'upload-offset': String(state.offset) }, body: null };
}

/** As `receiveBody` does. */
async function receive<Result>(receiver: BodyReceiver<Result>, bytes: Buffer): Promise<Result> {
  const pieceBytes = Math.ceil(bytes.length / PIECES);
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) await receiver.write(bytes.subarray(at, at + pieceBytes));
  } catch (error) {
    await receiver.abort();
    throw error;
  }
  return await receiver.commit();
}
