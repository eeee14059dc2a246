/** Rows of published files. */
import { setImmediate } from 'node:timers/promises';
import { type CompiledQuery, sql } from 'kysely';
import type { Database } from './database.ts';
import { checkAfterArrival } from './datasets/check-jobs.ts';
import { expectedInserts, forgetNamedBy } from './datasets/expected.ts';
import { arrivalUpdate, subtractDeleted } from './datasets/rows.ts';
import { libraryInserts, removeEntries, replaceEntry } from './library/rows.ts';
import type { FileRow } from './tables.ts';

/** Ids per read: reading a million ids at once would block the process for seconds. */
const ID_PAGE = 2_000;

export async function findFile(db: Database, id: string): Promise<FileRow | undefined> {
  return await db
    .selectFrom('files')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

/** Newest first; `before` is the last id of the previous page. */
export async function listFiles(
  db: Database,
  owner: string,
  query: { before?: string | undefined; limit: number },
): Promise<FileRow[]> {
  let select = db.selectFrom('files').selectAll().where('owner', '=', owner).where('deleted_at', 'is', null);
  if (query.before) select = select.where('id', '<', query.before);
  return await select.orderBy('id', 'desc').limit(query.limit).execute();
}

/** @returns the row after the change; undefined when the file was deleted meanwhile. */
export async function recordStatistics(
  db: Database,
  id: string,
  found: { statistics: string; warnings: string; mrc?: string },
): Promise<FileRow | undefined> {
  return await db
    .updateTable('files')
    .set(found)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** What an `.mdoc` file says. @returns the row after the change; undefined when the file was deleted meanwhile. */
export async function recordMdoc(
  db: Database,
  id: string,
  found: { mdoc: string | null; mdoc_image: string | null; warnings: string },
): Promise<FileRow | undefined> {
  return await db
    .updateTable('files')
    .set(found)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** @returns the row after the change; undefined when its digest is known already, or the file was deleted meanwhile. */
export async function recordDigest(db: Database, id: string, sha256: Uint8Array): Promise<FileRow | undefined> {
  return await db
    .updateTable('files')
    .set({ sha256 })
    .where('id', '=', id)
    .where('sha256', 'is', null)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/**
 * Puts `metadata` in the place of `before`; for use inside a transaction. @returns undefined when it is not `before` any more, or the file was
 * deleted.
 */
export async function replaceMetadata(
  tx: Database,
  id: string,
  before: string,
  metadata: string,
): Promise<FileRow | undefined> {
  const changed = await tx
    .updateTable('files')
    .set({ metadata })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .where('metadata', '=', before)
    .returningAll()
    .executeTakeFirst();
  if (changed) await replaceEntry(tx, changed);
  return changed;
}

/** For use inside the transaction that publishes the file. */
export async function insertFile(tx: Database, file: FileRow): Promise<void> {
  for (const write of fileInserts(tx, file)) await tx.executeQuery(write);
}

/** The inserts of the record of a file, for a unit that publishes it. */
export function fileInserts(db: Database, file: FileRow): CompiledQuery[] {
  const usage = db
    .insertInto('owner_usage')
    .values({ owner: file.owner, files: 1, bytes: file.size })
    .onConflict((conflict) =>
      conflict.column('owner').doUpdateSet(({ eb }) => ({
        files: eb('owner_usage.files', '+', 1),
        bytes: eb('owner_usage.bytes', '+', file.size),
      })),
    );
  return [
    db.insertInto('files').values(file).compile(),
    usage.compile(),
    ...libraryInserts(db, file),
    ...expectedInserts(db, file),
    ...arrivalUpdate(db, file),
    ...checkAfterArrival(db, file),
  ];
}

/** How many files an owner has, and their bytes. */
export async function findUsage(db: Database, owner: string): Promise<{ files: number; bytes: number }> {
  const usage = await db.selectFrom('owner_usage').selectAll().where('owner', '=', owner).executeTakeFirst();
  return { files: Number(usage?.files ?? 0), bytes: Number(usage?.bytes ?? 0) };
}

/** A job computes them again. */
export async function forgetStatistics(db: Database, id: string): Promise<void> {
  await db.updateTable('files').set({ statistics: null }).where('id', '=', id).execute();
}

/**
 * For use inside a transaction. From here on no caller can see these files; their bytes are removed next.
 *
 * @returns those that were not deleted already.
 */
export async function markDeleted(tx: Database, ids: readonly string[], nowMs: number): Promise<FileRow[]> {
  if (ids.length === 0) return [];
  const marked = await tx
    .updateTable('files')
    .set({ deleted_at: nowMs })
    .where('id', 'in', ids)
    .where('deleted_at', 'is', null)
    .returningAll()
    .execute();
  const byOwner = Map.groupBy(marked, ({ owner }) => owner);
  for (const [owner, files] of [...byOwner].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    await tx
      .updateTable('owner_usage')
      .set(({ eb }) => ({ files: eb('files', '-', files.length), bytes: eb('bytes', '-', bytes) }))
      .where('owner', '=', owner)
      .execute();
  }
  await removeEntries(
    tx,
    marked.map(({ id }) => id),
  );
  await forgetNamedBy(
    tx,
    marked.flatMap(({ id, dataset_id }) => (dataset_id === null ? [] : [id])),
  );
  await subtractDeleted(tx, marked);
  return marked;
}

/** Files whose deletion was interrupted before their bytes were removed. */
export async function listHalfDeleted(db: Database): Promise<FileRow[]> {
  // Not `is not null`, for which SQLite reads all files.
  return await db.selectFrom('files').selectAll().where('deleted_at', '>', 0).execute();
}

/** The last step of a deletion, once the bytes are gone. */
export async function forgetFile(db: Database, id: string): Promise<void> {
  await db.deleteFrom('jobs').where('file_id', '=', id).execute();
  await db.deleteFrom('files').where('id', '=', id).where('deleted_at', 'is not', null).execute();
}

/** Ids of all files that have a record, also of those that are being deleted. Yields between batches. */
export async function listFileIds(db: Database): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let after = ''; ; ) {
    const page = await db
      .selectFrom('files')
      .select('id')
      .where('id', '>', after)
      .orderBy('id')
      .limit(ID_PAGE)
      .execute();
    for (const { id } of page) ids.add(id);
    after = page.at(-1)?.id ?? '';
    if (page.length < ID_PAGE) return ids;
    await setImmediate();
  }
}

/** @returns them in the order of `ids`; those that were deleted are left out. */
export async function findFiles(db: Database, ids: readonly string[]): Promise<FileRow[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('files')
    .selectAll()
    .where('id', 'in', ids)
    .where('deleted_at', 'is', null)
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Files of all owners, oldest first; `after` and `until` (inclusive) are ids. */
export async function listFilesAfter(
  db: Database,
  { after, until, limit }: { after: string; until: string; limit: number },
): Promise<FileRow[]> {
  return await db
    .selectFrom('files')
    .selectAll()
    .where('id', '>', after)
    .where('id', '<=', until)
    // With the plus, SQLite does not choose the index of deletions, by which it would read and sort all files.
    .where(sql`+deleted_at`, 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The number and the bytes of all files, and the id of the newest one. */
export async function sumFiles(db: Database): Promise<{ files: number; bytes: number; lastId: string | null }> {
  const sums = await db
    .selectFrom('files')
    .select((eb) => [
      eb.fn.countAll<number>().as('files'),
      eb.fn.sum<number | null>('size').as('bytes'),
      eb.fn.max<string | null>('id').as('lastId'),
    ])
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return { files: Number(sums.files), bytes: Number(sums.bytes ?? 0), lastId: sums.lastId };
}
