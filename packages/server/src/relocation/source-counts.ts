/** What a relocation would copy; nothing is written anywhere. */
import { sumFiles } from '../db/files.ts';
import { listCopied } from '../db/relocation/copied-tables.ts';
import { type CountedRows, countRows } from '../db/relocation/rows.ts';
import { DISK_LIMITS } from '../storage/disk/disk-uploads.ts';
import { S3_LIMITS } from '../storage/s3/limits.ts';
import { SHARED_LIMITS } from '../storage/shared/shared-uploads.ts';
import type { RefusedUpload } from './relocation.ts';
import { lockSides, openDatabase, type Sides } from './sides.ts';
import { eachLive, fits } from './uploads.ts';

const LIMITS = { folder: DISK_LIMITS, shared: SHARED_LIMITS, s3: S3_LIMITS };

export interface SourceCounts {
  readonly tables: readonly CountedRows[];
  readonly files: number;
  readonly fileBytes: number;
  readonly uploads: number;
  readonly uploadBytes: number;
  readonly refused: readonly RefusedUpload[];
}

/** @throws SettingError when the source has no server, or a server is running. */
export async function countSource(sides: Sides): Promise<SourceCounts> {
  const unlock = await lockSides({ source: sides.source, target: sides.source });
  try {
    const db = await openDatabase(sides.source, false);
    try {
      const tables = await countRows(db, listCopied(sides.storageStays));
      if (sides.storageStays) return { tables, files: 0, fileBytes: 0, uploads: 0, uploadBytes: 0, refused: [] };
      const { files, bytes } = await sumFiles(db);
      const limits = LIMITS[sides.target.storage.kind];
      const refused: RefusedUpload[] = [];
      let [uploads, uploadBytes] = [0, 0];
      for await (const row of eachLive(db)) {
        if (!fits(row, limits)) {
          refused.push({ uploadId: row.id, filename: row.filename, partSizeBytes: row.part_size });
          continue;
        }
        uploads++;
        uploadBytes += row.received_bytes;
      }
      return { tables, files, fileBytes: bytes, uploads, uploadBytes, refused };
    } finally {
      await db.destroy();
    }
  } finally {
    unlock();
  }
}
