/** What each owner has, for administrators. */
import type { OwnerPage } from '@cryolift/protocol/messages';
import { openCursor, sealCursor, wrongCursor } from '../cursor.ts';
import { listOwners, type OwnerPosition } from '../db/owners.ts';
import { toPage } from '../db/page.ts';
import type { UploadContext } from './context.ts';
import { toTime } from './upload-record.ts';

export async function pageOfOwners(
  { db }: UploadContext,
  sort: 'bytes' | 'name',
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<OwnerPage> {
  const of = `owners by ${sort}`;
  const after = cursor === undefined ? null : readPosition(openCursor(of, cursor));
  const rows = await listOwners(db, sort, { after, limit: limit + 1 });
  const page = toPage(rows, limit, ({ owner, bytes }) => sealCursor(of, [owner, bytes]));
  return {
    ...page,
    items: page.items.map(({ owner, files, bytes, openUploads, newestMs }) => ({
      owner,
      files,
      bytes,
      open_uploads: openUploads,
      newest_at: newestMs === null ? null : toTime(newestMs),
    })),
  };
}

function readPosition([owner, bytes]: readonly unknown[]): OwnerPosition {
  if (typeof owner !== 'string' || !Number.isSafeInteger(bytes)) throw wrongCursor();
  return { owner, bytes: bytes as number };
}
