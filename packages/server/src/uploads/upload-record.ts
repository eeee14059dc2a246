/** Converts the row of an upload to the message for clients. */

import { applyKind } from '@cryolift/mrc';
import { toHex } from '@cryolift/protocol/digest';
import type { ErrorCode } from '@cryolift/protocol/errors';
import { UploadError } from '@cryolift/protocol/errors';
import type { Finding, UploadRecord } from '@cryolift/protocol/messages';
import type { Database } from '../db/database.ts';
import type { UploadRow } from '../db/tables.ts';
import { findMissing } from '../db/uploads/parts.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import { overridesOf } from '../files/record.ts';
import type { FilePlace, StagedUpload } from '../storage/places.ts';

/** The stored failure of an upload. */
export interface Failure {
  code: ErrorCode;
  message: string;
  request_id: string;
  details?: Record<string, unknown>;
}

export async function toUpload(db: Database, row: UploadRow, resumed = false): Promise<UploadRecord> {
  const missing = await findMissing(db, row);
  return {
    upload_id: row.id,
    status: row.status,
    filename: row.filename,
    size: row.size,
    ...(row.is_growing ? { length_known: false } : {}),
    part_size: row.part_size,
    part_count: row.part_count,
    received_parts: row.received_parts,
    received_bytes: row.received_bytes,
    progress: progressOf(row),
    missing_parts: missing.ranges,
    ...(missing.truncated ? { missing_truncated: true } : {}),
    resumed,
    sha256: row.sha256 && toHex(row.sha256),
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    mrc: mrcOf(row),
    warnings: JSON.parse(row.warnings) as Finding[],
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
    expires_at: toTime(row.expires_at),
    file_id: row.status === 'completed' ? row.file_id : null,
    ...(row.dataset_id === null ? {} : { dataset_id: row.dataset_id }),
    ...(row.copied_from === null ? {} : { copied_from: row.copied_from }),
    failure: toFailure(row),
  };
}

/** Why an upload has failed; null when it has not. */
export function toFailure({ failure }: Pick<UploadRow, 'failure'>): UploadRecord['failure'] {
  return failure === null ? null : toEnvelope(JSON.parse(failure) as Failure);
}

/** The MRC header of an upload; null for another type, or before the header has arrived. */
export function mrcOf({ mrc, metadata }: Pick<UploadRow, 'mrc' | 'metadata'>): UploadRecord['mrc'] {
  if (mrc === null) return null;
  return applyKind(JSON.parse(mrc) as NonNullable<UploadRecord['mrc']>, JSON.parse(metadata) as Record<string, string>);
}

/** The current upload; undefined when it does not exist. */
export async function readUpload(db: Database, id: string): Promise<UploadRecord | undefined> {
  const row = await findUploadRow(db, id);
  return row && (await toUpload(db, row));
}

/** Share of the acknowledged bytes, 0 to 1; 1 for an empty file. */
export function progressOf(row: Pick<UploadRow, 'received_bytes' | 'size'>): number {
  return row.size === 0 ? 1 : row.received_bytes / row.size;
}

export function toStaged(row: UploadRow): StagedUpload {
  return {
    id: row.id,
    filename: row.filename,
    ref: row.storage_ref,
    sizeBytes: row.size,
    partSizeBytes: row.part_size,
    overrides: overridesOf(row),
    empty: row.received_parts === 0,
    isGrowing: row.is_growing === 1,
  };
}

export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

function toEnvelope({ code, message, request_id, details }: Failure): UploadRecord['failure'] {
  return new UploadError(code, message, details ? { details } : {}).toEnvelope(request_id);
}

/** The location of the published file, now or later. */
export function toPlace(row: UploadRow, fileId: string): FilePlace {
  return { fileId, filename: row.filename, sizeBytes: row.size, overrides: overridesOf(row) };
}
