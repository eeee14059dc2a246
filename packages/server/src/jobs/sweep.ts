/** Housekeeping at intervals: expires uploads, frees space, deletes old rows. It does not wait for verifications. */
import type { Swept } from '@cryolift/protocol/messages';
import { expireDatasets, warnOfExpiry } from '../datasets/retention.ts';
import { tellSilences } from '../datasets/silence.ts';
import { dialectOf } from '../db/dialect.ts';
import { forgetEvents } from '../db/events.ts';
import { forgetLeases } from '../db/leases.ts';
import { forgetLinks } from '../db/uploads/links.ts';
import { purgeUploads } from '../db/uploads/upload-purge.ts';
import {
  forgetFileId,
  listExpired,
  listFailedAssembled,
  listStagedRefs,
  listUnpublished,
} from '../db/uploads/uploads.ts';
import { planCompressions } from '../files/compression.ts';
import { finishDeletions } from '../files/deletion.ts';
import { removeStored } from '../storage/removal.ts';
import type { FoundStaged } from '../storage/upload-storage.ts';
import type { UploadContext } from '../uploads/context.ts';
import { expireUpload } from '../uploads/ending.ts';
import { toPlace } from '../uploads/upload-record.ts';
import { withdrawAssembled } from '../uploads/verification/assembled-bytes.ts';
import { discardStaged } from '../uploads/verification/staged-bytes.ts';
import { attempt } from './attempt.ts';
import { compareFiles } from './compare.ts';

const BATCH = 100;
/** How long events are stored for readers that reconnect. */
const EVENTS_MS = 7 * 86_400_000;
/** No server takes itself for the holder of a lease that ended so long ago. */
const OLD_LEASE_MS = 3_600_000;
/** So long a place in the storage may wait for its reference to be kept. */
const SECOND_PLACE_MS = 3_600_000;

/** One round. Steps are independent: a failure is logged, and the step is repeated in the next round. */
export async function sweep(context: UploadContext): Promise<Swept> {
  const expired = await attempt(context, 'expire', () => expireAll(context));
  if (context.isClockSettled()) {
    // First: nothing expires without a warning.
    await attempt(context, 'warn of datasets that expire', () => warnOfExpiry(context));
    await attempt(context, 'expire datasets', () => expireDatasets(context));
    await attempt(context, 'tell silent datasets', () => tellSilences(context));
  }
  await attempt(context, 'plan compressions', () => planAll(context));
  const deleted = await attempt(context, 'finish deletions', () => finishDeletions(context, context.log));
  const leftovers = await attempt(context, 'free', () => freeUnowned(context));
  await attempt(context, 'free pieces', () => freePieces(context));
  await attempt(context, 'withdraw failed', () => withdrawFailed(context));
  await attempt(context, 'free unpublished', () => freeUnpublished(context));
  const forgotten = await attempt(context, 'forget', () => purgeAll(context));
  await attempt(context, 'delete old events', () => forgetOldEvents(context));
  await attempt(context, 'delete old leases', () => forgetOldLeases(context));
  return { expired, deleted, leftovers, forgotten };
}

/** Not by a settled clock: nothing is lost by an early compression. */
async function planAll(context: UploadContext): Promise<void> {
  const { compressAfterMs } = context.policy;
  if (compressAfterMs === null || !context.storage.compressor) return;
  await planCompressions(context, context.now() - compressAfterMs);
}

/** @returns the number of uploads. */
async function expireAll(context: UploadContext): Promise<number> {
  if (!context.isClockSettled()) return 0;
  for (let expired = 0, after = ''; ; ) {
    const rows = await listExpired(context.db, { nowMs: context.now(), after, limit: BATCH });
    for (const row of rows) if (await expireUpload(context, row)) expired++;
    if (rows.length < BATCH) return expired;
    after = rows.at(-1)?.id ?? '';
  }
}

/** @returns the number of uploads. */
async function purgeAll(context: UploadContext): Promise<number> {
  if (!context.isClockSettled()) return 0;
  const endedBeforeMs = context.now() - context.policy.uploadTtlMs;
  // First, because uploads refer to it.
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

/** Of servers that have died, on things that nobody has asked for since. */
async function forgetOldLeases({ db }: UploadContext): Promise<void> {
  if (dialectOf(db).isShared) await forgetLeases(db, OLD_LEASE_MS);
}

/**
 * Frees staged bytes without a live upload. Files are listed first, because rows are created before files. @returns the
 * number.
 */
async function freeUnowned(context: UploadContext): Promise<number> {
  const staged = await context.storage.uploads.list();
  const owned = await listStagedRefs(context.db);
  let freed = 0;
  for (const found of staged.filter((each) => isLeftover(context, each, owned))) {
    // One that is being verified is freed in a later round.
    if (await context.attempts.isExclusive(found.id)) continue;
    // Of a session that has just ended, a write may still be under way.
    await context.attempts.exclude(found.id, () => attempt(context, 'free', () => discardStaged(context, found)));
    context.log.warn({ upload_id: found.id }, 'staging file without a live upload removed');
    freed++;
  }
  return freed;
}

/** Frees pieces without a live upload. */
async function freePieces({ db, storage, log }: UploadContext): Promise<void> {
  const stored = await storage.pieces.list();
  const owned = await listStagedRefs(db);
  for (const id of stored.filter((each) => !owned.has(each))) {
    await storage.pieces.discard(id);
    log.warn({ upload_id: id }, 'pieces without a live upload removed');
  }
}

/** Of a live session, also a second place that a server made and did not keep; a new one may be about to be kept. */
function isLeftover(
  context: UploadContext,
  { id, ref, createdAtMs }: FoundStaged,
  owned: ReadonlyMap<string, string | null>,
): boolean {
  const kept = owned.get(id);
  if (kept === undefined) return true;
  if (kept === ref || createdAtMs === null || !context.isClockSettled()) return false;
  return createdAtMs < context.now() - SECOND_PLACE_MS;
}

/** Withdraws what was assembled of failed uploads: the process that was to do so may have died. */
async function withdrawFailed(context: UploadContext): Promise<void> {
  for (const row of await listFailedAssembled(context.db)) {
    if (await context.attempts.isExclusive(row.id)) continue;
    await context.attempts.exclude(row.id, () =>
      attempt(context, 'withdraw', async () => {
        await withdrawAssembled(context, row, toPlace(row, row.file_id as string));
        await forgetFileId(context.db, row.id);
      }),
    );
  }
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

/** Compares stored files with records, in both directions. */
export async function compare(context: UploadContext): Promise<void> {
  await attempt(context, 'compare', () => compareFiles(context));
}
