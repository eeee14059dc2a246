/** What is done from time to time: expire, free, forget; and at the start: finish what was cut off. */
import type { Swept } from '@cryolift/protocol/messages';
import { forgetEvents } from '../db/events.ts';
import { forgetLinks } from '../db/links.ts';
import {
  findSession,
  forgetFileId,
  listExpired,
  listStagedIds,
  listToRecheck,
  listUnpublished,
  purgeSessions,
} from '../db/sessions.ts';
import { finishDeletions } from '../files/room.ts';
import { resumeVerifying } from '../uploads/complete.ts';
import { expireUpload } from '../uploads/end.ts';
import type { UploadRoom } from '../uploads/room.ts';
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
  // Last: these read the bytes of whole uploads.
  await verifyMarked(room);
  await attempt(room, 'complete', () => resumeVerifying(room));
  return { expired, deleted, leftovers, forgotten };
}

/** After a start: verify what a power loss may have taken, then finish what was being completed. */
export async function recover(room: UploadRoom): Promise<void> {
  await verifyMarked(room);
  await attempt(room, 'complete', () => resumeVerifying(room));
}

/** What could not be read at one try is read at the next. */
async function verifyMarked(room: UploadRoom): Promise<void> {
  const ids = await attempt(room, 'verify again', () => listToRecheck(room.db));
  for (const id of ids ?? []) {
    await attempt(room, 'verify again', async () => {
      const row = await findSession(room.db, id);
      if (row?.must_recheck) await room.rechecks.run(room, row);
    });
  }
}

/** @returns how many sessions. */
async function expireAll(room: UploadRoom): Promise<number> {
  if (!room.isClockSettled()) return 0;
  for (let expired = 0; ; ) {
    const rows = await listExpired(room.db, room.now(), BATCH);
    for (const row of rows) await expireUpload(room, row);
    expired += rows.length;
    if (rows.length < BATCH) return expired;
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
  const leftovers = staged.filter((id) => !owned.has(id));
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

/** @returns null when it failed. */
async function attempt<Result>(room: UploadRoom, step: string, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    room.log.error({ step, err: error }, 'housekeeping step failed');
    return null;
  }
}
