/** The end of an upload. */

import type { CompleteRequest } from '../requests.ts';
import type { Answer, Expected } from './expected.ts';
import { type Model, type ModelFile, type ModelUpload, missingParts, move, wholeDigest } from './model.ts';
import { closed } from './predict-part.ts';
import { describeFile, publish } from './records.ts';

export function predictComplete(model: Model, upload: ModelUpload, request: CompleteRequest, answer: Answer): Expected {
  const { sha256 } = request;
  if (sha256 !== null && upload.declared !== null && sha256 !== upload.declared) {
    return { status: 400, code: 'invalid_request' };
  }
  switch (upload.state) {
    case 'pending':
    case 'uploading': {
      const missing = missingParts(model.limits, upload);
      if (missing.length > 0) {
        return { status: 409, code: 'upload_incomplete', fields: { details: { missing_parts: missing } } };
      }
      upload.declared ??= sha256;
      const failed = settleComplete(model, upload, answer.body?.file_id);
      return failed ?? { status: 200, fields: describeFile(model, model.files.get(upload.id) as ModelFile) };
    }
    case 'completed':
      return repeat(model, upload, sha256, answer);
    default:
      return closed(upload);
  }
}

/** All bytes are there. @returns the error when they are not those that were declared. */
export function settleComplete(model: Model, upload: ModelUpload, fileId: unknown): Expected | null {
  move(model, upload, 'complete');
  const digest = wholeDigest(model.limits, upload);
  if (upload.declared !== null && upload.declared !== digest) {
    move(model, upload, 'fail');
    upload.expiresMs = model.wallMs + model.limits.ttlMs;
    return { status: 422, code: 'file_checksum_mismatch' };
  }
  move(model, upload, 'published');
  publish(model, upload, digest, fileId);
  return null;
}

function repeat(model: Model, upload: ModelUpload, sha256: string | null, answer: Answer): Expected {
  const file = model.files.get(upload.id);
  if (!file) return { status: 404, code: 'file_not_found' };
  if (sha256 === null || sha256 === file.sha256) {
    if (isTooEarly(model, file, sha256, answer)) return { status: 503, code: 'overloaded' };
    return { status: 200, fields: describeFile(model, file) };
  }
  if (isTooEarly(model, file, sha256, answer)) return { status: 503, code: 'overloaded' };
  return { status: 422, code: 'file_checksum_mismatch' };
}

/** While the digest of a file is being computed, none can be compared with it. */
function isTooEarly({ limits }: Model, file: ModelFile, sha256: string | null, { status }: Answer): boolean {
  return limits.hasLateDigests && file.isUndeclared && sha256 !== null && status === 503;
}
