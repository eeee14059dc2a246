/** The stored bytes of an upload under way at the source, as far as its storage can read them. */
import type { UploadRow } from '../db/tables.ts';
import type { ByteSource } from '../storage/byte-source.ts';
import { openByteSource } from '../storage/open-byte-source.ts';
import type { Storage } from '../storage/storage.ts';
import { toPlace } from '../uploads/upload-record.ts';

/** @returns null when none of its parts can be read: the parts of a multipart upload before it is completed. */
export async function openStaged(storage: Storage, row: UploadRow): Promise<ByteSource | null> {
  const url = await locateStaged(storage, row);
  if (url === null) return null;
  try {
    return await openByteSource(url);
  } catch (error) {
    // Its bytes are gone: each of its parts has to be sent again.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function locateStaged({ files, staged }: Storage, row: UploadRow): Promise<string | null> {
  // A server that ended while it published the upload has moved or assembled the parts already.
  const place = row.file_id === null ? null : toPlace(row, row.file_id);
  if (place && (await files.stat(place)) === row.size) return await files.sourceUrl(place);
  return staged?.locate(row.id) ?? null;
}
