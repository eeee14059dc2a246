/** Files by their digests. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import type { FileRow } from '../tables.ts';

export interface KnownFile {
  readonly id: string;
  readonly sha256: Uint8Array;
  readonly size: number;
}

/**
 * The files of an owner with one of these digests, oldest first, without those that the scrub has found damaged. The rows
 * of other owners are not read.
 */
export async function listKnown(db: Database, owner: string, digests: readonly Uint8Array[]): Promise<KnownFile[]> {
  const rows = await db
    .selectFrom('files')
    .select(({ fn }) => ['sha256', 'size', fn.min<string>('id').as('id')])
    .where('owner', '=', owner)
    .where('sha256', 'is not', null)
    .where('sha256', 'in', digests)
    .where('deleted_at', 'is', null)
    .where('fault', 'is', null)
    .groupBy(['sha256', 'size'])
    .execute();
  return rows.map(({ id, sha256, size }) => ({ id, sha256: sha256 as Uint8Array, size }));
}

/** What makes two files the same for their owner. */
export type Sameness = Pick<FileRow, 'owner' | 'filename' | 'dataset_id'> & {
  readonly sha256: Uint8Array;
  /** As the library has it. */
  readonly path: string;
};

/** The oldest file that is the same; undefined: there is none. */
export async function findSame(db: Database, same: Sameness): Promise<FileRow | undefined> {
  return await db
    .selectFrom('files')
    .innerJoin('library', 'library.file_id', 'files.id')
    .selectAll('files')
    .where('files.owner', '=', same.owner)
    .where('files.sha256', 'is not', null)
    .where('files.sha256', '=', same.sha256)
    .where('files.filename', '=', same.filename)
    .where('files.dataset_id', same.dataset_id === null ? 'is' : '=', same.dataset_id)
    .where('files.deleted_at', 'is', null)
    .where('files.fault', 'is', null)
    .where('library.path', '=', same.path)
    // An expression: by the id itself, SQLite would read all files of the owner in this order.
    .orderBy(sql`files.id || ''`)
    .limit(1)
    .executeTakeFirst();
}

/** Records what the scrub has found of a file; null: nothing. */
export async function recordFault(db: Database, id: string, fault: FileRow['fault']): Promise<void> {
  await db.updateTable('files').set({ fault }).where('id', '=', id).execute();
}
