/** A published file for other modules. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { FileRow } from '../db/tables.ts';
import type { FilePlace } from '../storage/places.ts';
import { toFilePlace, toFileRecord } from './record.ts';

export interface StoredFile {
  readonly id: string;
  readonly uploadId: string;
  readonly owner: string;
  readonly filename: string;
  readonly sizeBytes: number;
  /** Null until a job has read the file. */
  readonly sha256: Uint8Array | null;
  readonly partsSha256: Uint8Array;
  readonly contentType: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Where the storage keeps its bytes. */
  readonly place: FilePlace;
  /** The message for clients, without the location. */
  readonly record: FileRecord;
}

export function toStoredFile(row: FileRow): StoredFile {
  return {
    id: row.id,
    uploadId: row.upload_id,
    owner: row.owner,
    filename: row.filename,
    sizeBytes: row.size,
    sha256: row.sha256,
    partsSha256: row.parts_sha256,
    contentType: row.content_type,
    createdAtMs: row.created_at,
    place: toFilePlace(row),
    record: toFileRecord(row, null),
  };
}
