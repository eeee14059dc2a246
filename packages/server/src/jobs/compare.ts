/** Compares the stored files with their records: removes what a finished deletion left behind, and reports the rest. */
import { findFile, listFileIds } from '../db/files.ts';
import { listPublishingIds } from '../db/uploads/uploads.ts';
import { wasDeleted } from '../files/files.ts';
import { toFilePlace } from '../files/record.ts';
import { removeStored } from '../storage/removal.ts';
import type { UploadContext } from '../uploads/context.ts';

/** Files are published and deleted meanwhile, so every difference is checked again before it is reported. */
export async function compareFiles(context: UploadContext): Promise<void> {
  const [files, previews] = [await context.storage.files.list(), await context.storage.previews.list()];
  // In this order: an upload that is published meanwhile is in the first list or in the second.
  const publishing = await listPublishingIds(context.db);
  const recorded = await listFileIds(context.db);
  const isUnknown = (id: string) => !publishing.has(id) && !recorded.has(id);
  await checkOrphans(context, 'files', files.filter(isUnknown), () => context.storage.files.list());
  await checkOrphans(context, 'previews', previews.filter(isUnknown), () => context.storage.previews.list());
  await reportMissing(context, recorded);
}

async function checkOrphans(
  context: UploadContext,
  folder: string,
  suspects: string[],
  list: () => Promise<string[]>,
): Promise<void> {
  if (suspects.length === 0) return;
  // The bytes of a file that was deleted meanwhile were gone before its record was.
  const still = new Set(await list());
  for (const id of suspects.filter((suspect) => still.has(suspect))) {
    if (await wasDeleted(context, id)) {
      await removeStored(context.storage, id);
      context.log.warn({ file_id: id, folder }, 'leftover folder of a deleted file removed');
    } else context.log.warn({ file_id: id, folder }, `folder in ${folder}/ without a record, not changed`);
  }
}

async function reportMissing(context: UploadContext, recorded: ReadonlySet<string>): Promise<void> {
  const stored = new Set(await context.storage.files.list());
  for (const id of recorded) {
    if (stored.has(id)) continue;
    const row = await findFile(context.db, id);
    if (!row || (await context.storage.files.stat(toFilePlace(row))) !== null) continue;
    // A deletion marks the record before it removes the bytes: without a mark, the bytes were not removed by a deletion.
    if (await findFile(context.db, id)) context.log.error({ file_id: id }, 'a file record without bytes');
  }
}
