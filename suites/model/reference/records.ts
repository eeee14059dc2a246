/** How uploads and files are described by a server that stands as the model. */
import { partExtent } from '@cryolift/protocol/plan';
import { bytesOf, sha256, type Variant } from '../content.ts';
import { type Answer, type Expected, OneOf } from './expected.ts';
import {
  digestOfParts,
  type Model,
  type ModelFile,
  type ModelUpload,
  missingParts,
  partCountOf,
  recordedParts,
} from './model.ts';

export const NOT_FOUND: Expected = { status: 404, code: 'upload_not_found' };

/** The record of an upload. @param answer tells the id of a file that no answer has told yet. */
export function describe(model: Model, upload: ModelUpload, answer: Answer | null = null): Record<string, unknown> {
  const { limits } = model;
  const recorded = recordedParts(limits, upload);
  const bytes = recorded
    .map((is, idx) => (is ? partExtent(upload.sizeBytes, limits.partBytes, idx).length : 0))
    .reduce((sum, length) => sum + length, 0);
  if (upload.state === 'completed') bindFile(model, upload, answer?.body?.file_id);
  return {
    upload_id: upload.id,
    status: upload.state,
    size: upload.sizeBytes,
    part_size: limits.partBytes,
    part_count: partCountOf(limits, upload),
    received_parts: recorded.filter((is) => is).length,
    received_bytes: bytes,
    missing_parts: missingParts(limits, upload),
    sha256: upload.declared,
    created_at: toTime(upload.createdMs),
    updated_at: toTime(upload.updatedMs),
    expires_at: toTime(upload.expiresMs),
    file_id: upload.state === 'completed' ? upload.fileId : null,
  };
}

/** The id of the file of an upload becomes known. */
function bindFile(model: Model, upload: ModelUpload, id: unknown): void {
  if (upload.fileId !== null || typeof id !== 'string') return;
  upload.fileId = id;
  const file = model.files.get(upload.id);
  if (file) model.files.set(upload.id, { ...file, id });
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The record of a file, as far as it is compared. */
export function describeFile({ limits }: Model, file: ModelFile): Record<string, unknown> {
  const isLate = limits.hasLateDigests && file.isUndeclared;
  return {
    file_id: file.id,
    upload_id: file.uploadId,
    owner: file.owner,
    size: file.sizeBytes,
    sha256: isLate ? new OneOf(file.sha256, null) : file.sha256,
    parts_sha256: file.partsSha256,
  };
}

/** The bytes that an upload has, as a file. */
export function publish(model: Model, upload: ModelUpload, digest: string, fileId: unknown): ModelFile {
  const file: ModelFile = {
    id: typeof fileId === 'string' ? fileId : null,
    owner: upload.owner,
    uploadId: upload.id,
    sizeBytes: upload.sizeBytes,
    sha256: digest,
    partsSha256: digestOfParts(model.limits, upload),
    isUndeclared: upload.declared === null && upload.sizeBytes > 0,
  };
  model.files.set(upload.id, file);
  upload.fileId = file.id;
  return file;
}

/** SHA-256 of what a request sends, hex. */
export function digestOfBody(content: number, request: { variant: Variant; offset: number; length: number }): string {
  return sha256(bytesOf(content, request.variant, request.offset, request.length));
}
