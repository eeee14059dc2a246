/** What is done from time to time: expire, free, forget. It waits for no verification of an upload. */
import type { Swept } from '@cryolift/protocol/messages';
import { forgetEvents } from '../db/events.ts';
import { forgetLinks } from '../db/links.ts';
import { forgetFileId, listExpired, listStagedIds, listUnpublished, purgeSessions } from '../db/sessions.ts';
import { finishDeletions } from '../files/files.ts';
import type { UploadRoom } from '../uploads/context.ts';
import { expireUpload } from '../uploads/ending.ts';
import { attempt } from './attempt.ts';
import { compareFiles } from './compare.ts';

const BATCH = 100;
/** So long a reader of events may be away and miss nothing. */
const EVENTS_MS = 7 * 86_400_000;

/** One round. Each step stands alone: what fails is logged and tried again in the next round. */
export async function sweep(room: UploadRoom): Promise<Swept> {
  const expired = await attempt(room, 'expire', () => expireAll(room));
  const deleted = await attempt(room, 'finish deletions', () => finishDeletions(room, room.log));
  const leftovers = await attempt(room, 'free', () => freeUnowned(room));
  await attempt(room, 'free unpublished', () => freeUnpublished(room));
  const forgotten = await attempt(room, 'forget', () => purgeAll(room));
  await attempt(room, 'forget events', () => forgetOldEvents(room));
  return { expired, deleted, leftovers, forgotten };
}

/** @returns how many sessions. */
async function expireAll(room: UploadRoom): Promise<number> {
  if (!room.isClockSettled()) return 0;
  for (let expired = 0, after = ''; ; ) {
    const rows = await listExpired(room.db, { nowMs: room.now(), after, limit: BATCH });
    for (const row of rows) if (await expireUpload(room, row)) expired++;
    if (rows.length < BATCH) return expired;
    after = rows.at(-1)?.id ?? '';
  }
}

/** @returns how many sessions. */
async function purgeAll(room: UploadRoom): Promise<number> {
  if (!room.isClockSettled()) return 0;
  const endedBeforeMs = room.now() - room.policy.sessionTtlMs;
  // First: it holds what was begun with it.
  await forgetLinks(room.db, endedBeforeMs);
  for (let forgotten = 0; ; ) {
    const count = await purgeSessions(room.db, endedBeforeMs, BATCH);
    forgotten += count;
    if (count < BATCH) return forgotten;
  }
}

async function forgetOldEvents(room: UploadRoom): Promise<void> {
  if (!room.isClockSettled()) return;
  while ((await forgetEvents(room.db, room.now() - EVENTS_MS, BATCH)) === BATCH);
}

/** Frees what lies in the staging area without a live session. The list of files is taken first: rows come before files. @returns how many. */
async function freeUnowned(room: UploadRoom): Promise<number> {
  const staged = await room.store.listStaged();
  const owned = await listStagedIds(room.db);
  // One that is being verified is freed in a later round.
  const leftovers = staged.filter((id) => !owned.has(id) && !room.attempts.isExclusive(id));
  for (const id of leftovers) {
    // Of a session that has just ended, a write may still be under way.
    await room.attempts.exclude(id, () => attempt(room, 'free', () => room.store.discard(id)));
    room.log.warn({ upload_id: id }, 'staging file without a live upload removed');
  }
  return leftovers.length;
}

/** Frees what a publish has moved that never came to its end, of uploads that have ended otherwise. */
async function freeUnpublished(room: UploadRoom): Promise<void> {
  for (const { id, file_id } of await listUnpublished(room.db)) {
    await attempt(room, 'free unpublished', async () => {
      await room.store.removeFile(file_id);
      await forgetFileId(room.db, id);
    });
  }
}

/** Compares what the storage holds with the records, in both directions. */
export async function compare(room: UploadRoom): Promise<void> {
  await attempt(room, 'compare', () => compareFiles(room));
}
