/** A part that is sent. */
import { partExtent } from '@cryolift/protocol/plan';
import { ENDED_STATES } from '@cryolift/protocol/states';
import type { PartRequest } from '../requests.ts';
import type { Expected } from './expected.ts';
import { type Model, type ModelUpload, move, partCountOf, partDigest } from './model.ts';
import { describe, digestOfBody } from './records.ts';

/** The answer to what needs an upload that has not ended. */
export function closed({ state }: ModelUpload): Expected {
  return state === 'expired' ? { status: 410, code: 'upload_expired' } : { status: 409, code: 'upload_closed' };
}

export function predictPart(model: Model, upload: ModelUpload, request: PartRequest): Expected {
  const { limits } = model;
  const { idx, length, variant, sha256 } = request;
  if (upload.protocol === 'tus') return { status: 400, code: 'invalid_request' };
  if (ENDED_STATES.includes(upload.state)) return closed(upload);
  if (idx >= partCountOf(limits, upload)) return { status: 404, code: 'part_out_of_range' };
  if (length !== partExtent(upload.sizeBytes, limits.partBytes, idx).length) {
    return { status: 400, code: 'part_size_mismatch' };
  }
  const bodyDigest = digestOfBody(upload.content, request);
  if (upload.parts[idx] !== null) {
    // A digest that is announced is believed: the bytes are not read.
    const isSame = (sha256 ?? bodyDigest) === partDigest(limits, upload, idx);
    return isSame ? receipt(model, upload, idx, 200) : { status: 409, code: 'part_conflict' };
  }
  if (sha256 !== null && sha256 !== bodyDigest) return { status: 422, code: 'part_checksum_mismatch' };
  upload.parts[idx] = variant;
  move(model, upload, 'part_stored');
  upload.expiresMs = model.wallMs + limits.ttlMs;
  return receipt(model, upload, idx, 201);
}

function receipt(model: Model, upload: ModelUpload, idx: number, status: 200 | 201): Expected {
  const { received_parts, received_bytes } = describe(model, upload);
  const sha256 = partDigest(model.limits, upload, idx);
  const fields = { part: idx, sha256, received_parts, received_bytes, status: upload.state };
  return { status, fields: { ...fields, deduplicated: status === 200 } };
}
