/** Datasets that are open and to which nothing arrives, and how much arrives. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import type { DatasetRow } from '../tables.ts';
import { LIVE_STATES } from '../uploads/parts.ts';

function selectSilent(db: Database, nowMs: number) {
  return (
    db
      .selectFrom('datasets')
      .where('state', '=', 'open')
      .where('deleted_at', 'is', null)
      .where('silent_after_ms', 'is not', null)
      .where(sql<boolean>`opened_at + silent_after_ms <= ${nowMs}`)
      .where(sql<boolean>`(last_arrival_at is null or last_arrival_at + silent_after_ms <= ${nowMs})`)
      // A large file may take longer than the silence: its parts arrive.
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('uploads')
              .select('uploads.id')
              .whereRef('uploads.dataset_id', '=', 'datasets.id')
              .where('uploads.status', 'in', LIVE_STATES)
              .where(sql<boolean>`uploads.updated_at + datasets.silent_after_ms > ${nowMs}`),
          ),
        ),
      )
  );
}

/** Those that are silent and of which that was not said. @returns their ids. */
export async function listSilent(db: Database, nowMs: number, limit: number): Promise<string[]> {
  const rows = await selectSilent(db, nowMs)
    .select('id')
    .where('silent_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

export async function countSilent(db: Database): Promise<number> {
  const { count } = await db
    .selectFrom('datasets')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('state', '=', 'open')
    .where('deleted_at', 'is', null)
    .where('silent_after_ms', 'is not', null)
    .where('silent_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** @returns the row after the change; undefined when a file has arrived meanwhile, or another server has said so. */
export async function markSilent(tx: Database, id: string, nowMs: number): Promise<DatasetRow | undefined> {
  return await tx
    .updateTable('datasets')
    .set({ silent_at: nowMs })
    .where('id', '=', id)
    .where('silent_at', 'is', null)
    .where('id', 'in', selectSilent(tx, nowMs).select('id').where('id', '=', id))
    .returningAll()
    .executeTakeFirst();
}

export interface Arrivals {
  readonly files: number;
  readonly bytes: number;
}

/** Files published since a time. @param datasetId null: those of all owners. */
export async function sumArrivals(db: Database, sinceMs: number, datasetId: string | null): Promise<Arrivals> {
  let select = db
    .selectFrom('library')
    .select(({ fn }) => [fn.countAll<number>().as('files'), fn.sum<number | null>('size').as('bytes')])
    .where('created_at', '>=', sinceMs);
  if (datasetId !== null) select = select.where('dataset_id', '=', datasetId);
  const { files, bytes } = await select.executeTakeFirstOrThrow();
  return { files: Number(files), bytes: Number(bytes ?? 0) };
}
