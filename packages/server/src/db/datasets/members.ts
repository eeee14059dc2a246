/** The files and uploads that belong to a dataset. */
import { sql } from 'kysely';
import { takeTurns } from '../../yielding.ts';
import type { Database } from '../database.ts';
import type { FolderRow, UploadRow } from '../tables.ts';
import { LIVE_STATES } from '../uploads/parts.ts';
import { STAGED_STATES } from '../uploads/uploads.ts';
import { forgetPushesOf } from './pushes.ts';

/** Files per step: others are served between two. */
const STEP = 5_000;

/** Bytes of its uploads that are not published. */
export async function sumStagedOf(db: Database, datasetId: string): Promise<number> {
  const { bytes } = await db
    .selectFrom('uploads')
    .select((eb) => eb.fn.sum<number | null>('size').as('bytes'))
    .where('dataset_id', '=', datasetId)
    .where('status', 'in', STAGED_STATES)
    .where('is_counted', '=', 1)
    .executeTakeFirstOrThrow();
  return Number(bytes ?? 0);
}

/** Uploads to it that may still be published. */
export async function countLiveUploads(db: Database, datasetId: string): Promise<number> {
  const { count } = await selectLive(db, datasetId)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

function selectLive(db: Database, datasetId: string) {
  return db
    .selectFrom('uploads')
    .where('dataset_id', '=', datasetId)
    .where('status', 'in', LIVE_STATES)
    .where('is_trial', '=', 0);
}

/** Uploads to it that may still be published, those without activity for the longest time first. */
export async function listLiveUploads(db: Database, datasetId: string, limit: number): Promise<UploadRow[]> {
  return await selectLive(db, datasetId).selectAll().orderBy('updated_at').orderBy('id').limit(limit).execute();
}

export async function listUploadsOf(db: Database, datasetId: string, limit: number): Promise<UploadRow[]> {
  return await db
    .selectFrom('uploads')
    .selectAll()
    .where('dataset_id', '=', datasetId)
    .where('status', 'in', STAGED_STATES)
    .limit(limit)
    .execute();
}

export async function listFileIdsOf(db: Database, datasetId: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('files')
    .select('id')
    .where('dataset_id', '=', datasetId)
    .where('deleted_at', 'is', null)
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Removes the row of a dataset whose files are gone. @returns false while it has a file, or an upload under way. */
export async function forgetDataset(tx: Database, datasetId: string): Promise<boolean> {
  if ((await listFileIdsOf(tx, datasetId, 1)).length > 0) return false;
  if ((await countLiveUploads(tx, datasetId)) > 0) return false;
  await tx.deleteFrom('jobs').where('file_id', '=', datasetId).execute();
  await forgetPushesOf(tx, datasetId);
  await tx.deleteFrom('datasets').where('id', '=', datasetId).where('deleted_at', 'is not', null).execute();
  return true;
}

export type FolderSum = Omit<FolderRow, 'owner'>;

/**
 * The sums of a folder of a dataset, and of the folders directly below it, by name. Reads the files below it in steps.
 *
 * @param parent empty: all files.
 */
export async function sumDatasetFolders(
  db: Database,
  datasetId: string,
  parent: string,
): Promise<{ itself: FolderSum | null; below: FolderSum[] }> {
  const endTurn = takeTurns();
  const sums = new Map<string, FolderSum>();
  let itself: FolderSum | null = null;
  for (let after: { folder: string; id: number } | null = null; ; ) {
    const rows = await readFolders(db, datasetId, parent, after);
    for (const { folder, files, bytes, newest } of rows) {
      const counted = { files: Number(files), bytes: Number(bytes), newest };
      itself = add(itself, { parent, name: '', ...counted });
      const rest = parent === '' ? folder : folder.slice(parent.length + 1);
      const [name = ''] = rest.split('/');
      if (name !== '') sums.set(name, add(sums.get(name) ?? null, { parent, name, ...counted }));
    }
    const last = rows.at(-1);
    const read = rows.reduce((sum, { files }) => sum + Number(files), 0);
    await endTurn();
    if (!last || read < STEP) break;
    after = { folder: last.folder, id: last.last };
  }
  return { itself, below: [...sums.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))) };
}

interface Read {
  folder: string;
  files: number;
  bytes: number;
  newest: number;
  last: number;
}

async function readFolders(
  db: Database,
  datasetId: string,
  parent: string,
  after: { folder: string; id: number } | null,
): Promise<Read[]> {
  const within =
    parent === '' ? sql`` : sql`and (folder = ${parent} or (folder >= ${`${parent}/`} and folder < ${`${parent}0`}))`;
  const rest = after === null ? sql`` : sql`and (folder, id) > (${after.folder}, ${after.id})`;
  const { rows } = await sql<Read>`
    select folder, count(*) as files, sum(size) as bytes, max(created_at) as newest, max(id) as last from (
      select folder, id, size, created_at from library where dataset_id = ${datasetId} ${within} ${rest}
      order by folder, id limit ${STEP}
    ) as step group by folder order by folder`.execute(db);
  return rows;
}

function add(to: FolderSum | null, sum: FolderSum): FolderSum {
  if (to === null) return sum;
  return {
    ...to,
    files: to.files + sum.files,
    bytes: to.bytes + sum.bytes,
    newest: Math.max(to.newest, sum.newest),
  };
}
