/** An upload for other modules. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import type { UploadState } from '@cryolift/protocol/states';
import type { UploadRow } from '../db/tables.ts';
import type { StagedUpload } from '../storage/places.ts';
import { mrcOf, toStaged } from './upload-record.ts';

export interface Upload {
  readonly id: string;
  readonly status: UploadState;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly partCount: number;
  /** The id that its file has, or will have; null until `complete`. */
  readonly fileId: string | null;
  /** Its MRC header; null for another type, or before the header has arrived. */
  readonly mrc: UploadRecord['mrc'];
  /** Where the storage keeps its parts. */
  readonly staged: StagedUpload;
}

export function uploadOf(row: UploadRow): Upload {
  return {
    id: row.id,
    status: row.status,
    filename: row.filename,
    sizeBytes: row.size,
    partSizeBytes: row.part_size,
    partCount: row.part_count,
    fileId: row.file_id,
    mrc: mrcOf(row),
    staged: toStaged(row),
  };
}
