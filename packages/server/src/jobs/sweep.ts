/** What is done from time to time: expire, free, forget. It waits for no verification of an upload. */
import type { Swept } from '@cryolift/protocol/messages';
import { forgetEvents } from '../db/events.ts';
import { forgetLinks } from '../db/links.ts';
import { purgeUploads } from '../db/upload-purge.ts';
import { forgetFileId, listExpired, listStagedIds, listUnpublished } from '../db/uploads.ts';
import { finishDeletions } from '../files/files.ts';
import { removeStored } from '../storage/removal.ts';
import type { UploadContext } from '../uploads/context.ts';
import { expireUpload } from '../uploads/ending.ts';
import { discardStaged } from '../uploads/verification/staged-bytes.ts';
import { attempt } from './attempt.ts';
import { compareFiles } from './compare.ts';

const BATCH = 100;
/** So long a reader of events may be away and miss nothing. */
const EVENTS_MS = 7 * 86_400_000;

/** One round. Each step stands alone: what fails is logged and tried again in the next round. */
export async function sweep(context: UploadContext): Promise<Swept> {
  const expired = await attempt(context, 'expire', () => expireAll(context));
  const deleted = await attempt(context, 'finish deletions', () => finishDeletions(context, context.log));
  const leftovers = await attempt(context, 'free', () => freeUnowned(context));
  await attempt(context, 'free unpublished', () => freeUnpublished(context));
  const forgotten = await attempt(context, 'forget', () => purgeAll(context));
  await attempt(context, 'forget events', () => forgetOldEvents(context));
  return { expired, deleted, leftovers, forgotten };
}

/** @returns how many sessions. */
async function expireAll(context: UploadContext): Promise<number> {
  if (!context.isClockSettled()) return 0;
  for (let expired = 0, after = ''; ; ) {
    const rows = await listExpired(context.db, { nowMs: context.now(), after, limit: BATCH });
    for (const row of rows) if (await expireUpload(context, row)) expired++;
    if (rows.length < BATCH) return expired;
    after = rows.at(-1)?.id ?? '';
  }
}

/** @returns how many sessions. */
async function purgeAll(context: UploadContext): Promise<number> {
  if (!context.isClockSettled()) return 0;
  const endedBeforeMs = context.now() - context.policy.uploadTtlMs;
  // First: it holds what was begun with it.
  await forgetLinks(context.db, endedBeforeMs);
  for (let forgotten = 0; ; ) {
    const count = await purgeUploads(context.db, endedBeforeMs, BATCH);
    forgotten += count;
    if (count < BATCH) return forgotten;
  }
}

async function forgetOldEvents(context: UploadContext): Promise<void> {
  if (!context.isClockSettled()) return;
  while ((await forgetEvents(context.db, context.now() - EVENTS_MS, BATCH)) === BATCH);
}

/** Frees what lies in the staging area without a live session. The list of files is taken first: rows come before files. @returns how many. */
async function freeUnowned(context: UploadContext): Promise<number> {
  const staged = await context.storage.uploads.list();
  const owned = await listStagedIds(context.db);
  // One that is being verified is freed in a later round.
  const leftovers = staged.filter((id) => !owned.has(id) && !context.attempts.isExclusive(id));
  for (const id of leftovers) {
    // Of a session that has just ended, a write may still be under way.
    await context.attempts.exclude(id, () => attempt(context, 'free', () => discardStaged(context, id)));
    context.log.warn({ upload_id: id }, 'staging file without a live upload removed');
  }
  return leftovers.length;
}

/** Frees what a publish has moved that never came to its end, of uploads that have ended otherwise. */
async function freeUnpublished(context: UploadContext): Promise<void> {
  for (const { id, file_id } of await listUnpublished(context.db)) {
    await attempt(context, 'free unpublished', async () => {
      await removeStored(context.storage, file_id);
      await forgetFileId(context.db, id);
    });
  }
}

/** Compares what the storage holds with the records, in both directions. */
export async function compare(context: UploadContext): Promise<void> {
  await attempt(context, 'compare', () => compareFiles(context));
}
