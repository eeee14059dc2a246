/** A file's row as the message that clients see. */
import { toHex } from '@cryolift/protocol/digest';
import type { FileRecord, Finding } from '@cryolift/protocol/messages';
import type { FileRow } from '../db/tables.ts';
import type { FilePlace } from '../parts/store.ts';

/** @param location URL of the bytes, for callers that may know it. */
export function toFileRecord(row: FileRow, location: string | null): FileRecord {
  return {
    file_id: row.id,
    upload_id: row.upload_id,
    owner: row.owner,
    filename: row.filename,
    size: row.size,
    sha256: toHex(row.sha256),
    parts_sha256: toHex(row.parts_sha256),
    part_size: row.part_size,
    part_count: row.part_count,
    content_type: row.content_type,
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    mrc: row.mrc === null ? null : (JSON.parse(row.mrc) as FileRecord['mrc']),
    warnings: JSON.parse(row.warnings) as Finding[],
    created_at: new Date(row.created_at).toISOString(),
    ...(location === null ? {} : { location }),
  };
}

export function toFilePlace(row: FileRow): FilePlace {
  return { fileId: row.id, filename: row.filename, sizeBytes: row.size };
}
