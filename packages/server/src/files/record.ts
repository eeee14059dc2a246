/** Converts the row of a file to the message for clients. */
import { applyKind, type MrcOverrides, readOverrides } from '@cryolift/mrc';
import { toHex } from '@cryolift/protocol/digest';
import type { FileRecord, Finding, Tiff } from '@cryolift/protocol/messages';
import type { FileRow } from '../db/tables.ts';
import type { FilePlace } from '../storage/places.ts';

/** @param location URL of the bytes, for callers that may know it. */
export function toFileRecord(row: FileRow, location: string | null): FileRecord {
  const metadata = JSON.parse(row.metadata) as Record<string, string>;
  return {
    file_id: row.id,
    upload_id: row.upload_id,
    owner: row.owner,
    uploader: row.link_id ?? row.owner,
    link_id: row.link_id,
    instrument: metadata.instrument ?? row.instrument,
    filename: row.filename,
    ...(row.dataset_id === null ? {} : { dataset_id: row.dataset_id }),
    ...(row.copied_from === null ? {} : { copied_from: row.copied_from }),
    size: row.size,
    ...compressedOf(row),
    sha256: row.sha256 && toHex(row.sha256),
    parts_sha256: toHex(row.parts_sha256),
    part_size: row.part_size,
    part_count: row.part_count,
    content_type: row.content_type,
    metadata,
    mrc: row.mrc === null ? null : applyKind(JSON.parse(row.mrc) as NonNullable<FileRecord['mrc']>, metadata),
    ...(row.tiff === null ? {} : { tiff: JSON.parse(row.tiff) as Tiff }),
    warnings: JSON.parse(row.warnings) as Finding[],
    created_at: new Date(row.created_at).toISOString(),
    ...(location === null ? {} : { location }),
  };
}

export function toFilePlace(row: FileRow): FilePlace {
  const { id: fileId, filename, size: sizeBytes } = row;
  return { fileId, filename, sizeBytes, overrides: overridesOf(row), isCompressed: row.compressed_size !== null };
}

/** Where its bytes are as they are stored. */
export function toStoredPlace(row: FileRow): FilePlace {
  const place = toFilePlace(row);
  return row.compressed_size === null ? place : { ...place, sizeBytes: row.compressed_size };
}

function compressedOf({ compressed_size, compressed_sha256 }: FileRow): Pick<FileRecord, 'compressed'> {
  if (compressed_size === null || compressed_sha256 === null) return {};
  return { compressed: { size: compressed_size, sha256: toHex(compressed_sha256) } };
}

/** The fields of an MRC file that metadata set or override. */
export function overridesOf({ metadata }: { metadata: string }): MrcOverrides {
  return readOverrides(JSON.parse(metadata) as Record<string, string>);
}
