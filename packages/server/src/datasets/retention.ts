/** Warns before a dataset expires, and expires it. Both are done in rounds of the sweep, which one server does. */

import { EMPTY_DATASET } from '../dataset-jobs.ts';
import { listDueDatasets, listToWarn, markWarned, moveDataset } from '../db/datasets/rows.ts';
import { insertJob } from '../db/jobs.ts';
import type { DatasetRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import { changeAndEmit } from './change.ts';
import type { DatasetContext } from './context.ts';

/** Expired in one round of the sweep; read at a time. */
const BATCH = 100;
const DEFAULT_WARN_MS = 7 * 86_400_000;

type Retention = Pick<DatasetRow, 'completed_at' | 'retention_ms' | 'warn_ms'>;

/**
 * When a dataset expires, and when its owner is warned of it. At least half of the retention is before the warning.
 *
 * @returns nulls: never, or it is open.
 */
export function expiryOf({
  completed_at,
  retention_ms,
  warn_ms,
}: Retention): Pick<DatasetRow, 'expires_at' | 'warn_at'> {
  if (completed_at === null || retention_ms === null) return { expires_at: null, warn_at: null };
  const expires_at = completed_at + retention_ms;
  return { expires_at, warn_at: expires_at - Math.min(warn_ms ?? DEFAULT_WARN_MS, Math.floor(retention_ms / 2)) };
}

/** As `expiryOf`, after a change: a warning is not repeated unless the dataset expires at another time. */
export function expiryAfter(before: DatasetRow, after: Retention): Pick<DatasetRow, 'expires_at' | 'warn_at'> {
  const expiry = expiryOf(after);
  const isWarned = before.warn_at === null && before.expires_at === expiry.expires_at;
  return isWarned ? { ...expiry, warn_at: null } : expiry;
}

/** Emits `expiring`, once for each time at which a dataset will expire. @returns the number of datasets. */
export async function warnOfExpiry(context: DatasetContext): Promise<number> {
  for (let warned = 0; ; ) {
    const due = await listToWarn(context.db, context.now(), BATCH);
    for (const { id } of due) {
      if (await changeAndEmit(context, 'expiring', (tx, nowMs) => markWarned(tx, id, nowMs))) warned++;
    }
    if (due.length > 0) betweenSteps('dataset.warned');
    if (due.length < BATCH) return warned;
  }
}

/** Expires datasets whose retention is over; a job deletes their files. @returns their number. */
export async function expireDatasets(context: DatasetContext): Promise<number> {
  const { db, now, newId } = context;
  let expired = 0;
  for (const { id, owner } of await listDueDatasets(db, now(), BATCH)) {
    const row = await changeAndEmit(context, 'expired', async (tx, nowMs) => {
      const moved = await moveDataset(tx, id, 'expire', {}, nowMs);
      if (moved) await insertJob(tx, { id: newId(), kind: EMPTY_DATASET, fileId: id, owner, nowMs });
      return moved;
    });
    if (row) expired++;
  }
  if (expired > 0) {
    betweenSteps('dataset.expired');
    context.fileJobs.wake();
  }
  return expired;
}
