/** Requests of tus. */
import { ENDED_STATES, OPEN_STATES } from '@cryolift/protocol/states';
import type { AppendRequest } from '../requests.ts';
import type { Expected } from './expected.ts';
import { type Model, type ModelUpload, move, offsetOf } from './model.ts';
import { settleComplete } from './predict-complete.ts';
import { NOT_FOUND } from './records.ts';

function gone({ state }: ModelUpload): Expected {
  return { status: 410, code: state === 'expired' ? 'upload_expired' : 'upload_closed' };
}

export function predictAppend(model: Model, upload: ModelUpload, request: AppendRequest): Expected {
  if (upload.protocol !== 'tus') return NOT_FOUND;
  if (ENDED_STATES.includes(upload.state)) return gone(upload);
  const offset = offsetOf(upload);
  if (request.offset !== offset) {
    return { status: 409, code: 'offset_mismatch', headers: { 'upload-offset': String(offset) } };
  }
  if (offset + request.length > upload.sizeBytes) return { status: 413, code: 'file_too_large' };
  if (request.checksum === 'wrong') return { status: 460, code: 'part_checksum_mismatch' };
  appendBytes(model, upload, request, request.length);
  const end = offsetOf(upload);
  const failed = end === upload.sizeBytes ? settleComplete(model, upload, null) : null;
  return failed ?? { status: 204, headers: { 'upload-offset': String(end) } };
}

/** @param length how many of its bytes are kept. */
export function appendBytes(model: Model, upload: ModelUpload, { variant }: AppendRequest, length: number): void {
  if (length === 0) return;
  upload.runs.push({ length, variant });
  move(model, upload, 'part_stored');
  upload.expiresMs = model.wallMs + model.limits.ttlMs;
}

export function predictHead(model: Model, upload: ModelUpload): Expected {
  if (upload.protocol !== 'tus') return NOT_FOUND;
  if (ENDED_STATES.includes(upload.state)) return gone(upload);
  if (upload.state === 'completed' && !model.files.has(upload.id)) return gone(upload);
  // The request that brought the last bytes was ended before it could complete the upload.
  const isWhole = offsetOf(upload) === upload.sizeBytes && OPEN_STATES.includes(upload.state);
  if (isWhole && settleComplete(model, upload, null)) return gone(upload);
  const headers = { 'upload-offset': String(offsetOf(upload)), 'upload-length': String(upload.sizeBytes) };
  return { status: 200, headers };
}

export function predictTerminate(model: Model, upload: ModelUpload): Expected {
  if (upload.protocol !== 'tus') return NOT_FOUND;
  if (upload.state === 'cancelled' || upload.state === 'expired') return gone(upload);
  if (upload.state === 'completed') return model.files.delete(upload.id) ? { status: 204 } : gone(upload);
  if (OPEN_STATES.includes(upload.state) || upload.state === 'failed') move(model, upload, 'cancel');
  return { status: 204 };
}
