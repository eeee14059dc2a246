/** The state of the whole server, for administrators. */
import { MAX_LISTED_FAILURES, type Overview } from '@cryolift/protocol/messages';
import { readArriving } from '../datasets/stream.ts';
import { countDeliveries, findLastFailure } from '../db/deliveries.ts';
import { countOpenJobs } from '../db/jobs.ts';
import { countFailed, countStaged, listFailed } from '../db/uploads/uploads.ts';
import { toDelivery } from '../events/webhook/list.ts';
import { readSpace } from '../storage/space.ts';
import type { UploadContext } from './context.ts';
import { toOwnedUpload } from './listing.ts';
import { toFailure, toTime } from './upload-record.ts';

const DAY_MS = 86_400_000;

/** @param hasWebhook a webhook is set. */
export async function readOverview(
  { db, storage, now }: UploadContext,
  { version, hasWebhook }: { version: string; hasWebhook: boolean },
): Promise<Overview> {
  const atMs = now();
  const failures = await listFailed(db, atMs - DAY_MS, MAX_LISTED_FAILURES);
  const { pending = 0, uploading = 0, verifying = 0, failed = 0 } = await countStaged(db);
  const space = await readSpace(storage.space);
  return {
    version,
    at: toTime(atMs),
    space,
    arriving: await readArriving(db, space, atMs),
    uploads: { pending, uploading, verifying, failed },
    failed_last_day: await countFailed(db, atMs - DAY_MS),
    failures: failures.map((row) => ({ ...toOwnedUpload(row), failure: toFailure(row) })),
    jobs: await countOpenJobs(db),
    webhook: hasWebhook ? await readWebhook(db) : null,
  };
}

/** When the storage is full, if files go on arriving as in the last hour; null: never, or it has no limit. */
export async function readFullAt({ db, storage, now }: UploadContext): Promise<string | null> {
  return (await readArriving(db, await readSpace(storage.space), now())).full_at;
}

async function readWebhook(db: UploadContext['db']): Promise<Overview['webhook']> {
  const { waiting, dead } = await countDeliveries(db);
  const last = await findLastFailure(db);
  return { waiting, dead, last_failure: last ? toDelivery(last) : null };
}
