/** Rows of the library, which follow those of `files`. */
import type { CompiledQuery } from 'kysely';
import type { Database } from '../database.ts';
import type { FileRow } from '../tables.ts';
import { toEntry } from './entry.ts';
import { folderUpserts, removeFromFolders, type Summed } from './folders.ts';

const SUMMED = ['owner', 'folder', 'size', 'created_at'] as const;

/** The statements that add a new file, for a unit that publishes it. */
export function libraryInserts(db: Database, file: FileRow): CompiledQuery[] {
  const entry = toEntry(file);
  const folders = folderUpserts(db, [entry]);
  return [db.insertInto('library').values(entry).compile(), ...(folders ? [folders] : [])];
}

/** For use inside a transaction that has locked the rows of these files. Those that are there already stay as they are. */
export async function addMissing(tx: Database, files: readonly FileRow[]): Promise<void> {
  if (files.length === 0) return;
  const added = await tx
    .insertInto('library')
    .values(files.map(toEntry))
    .onConflict((conflict) => conflict.column('file_id').doNothing())
    .returning(SUMMED)
    .execute();
  await addToFolders(tx, added);
}

/** For use inside a transaction, after the row of the file was changed. */
export async function replaceEntry(tx: Database, file: FileRow): Promise<void> {
  const before = await tx.selectFrom('library').select(SUMMED).where('file_id', '=', file.id).executeTakeFirst();
  if (!before) return await addMissing(tx, [file]);
  const entry = toEntry(file);
  await tx.updateTable('library').set(entry).where('file_id', '=', file.id).execute();
  if (entry.folder === before.folder) return;
  await removeFromFolders(tx, [before]);
  await addToFolders(tx, [entry]);
}

/** What searches by kind find a file by. For use inside a transaction. */
export async function setKind(tx: Database, fileId: string, kind: string): Promise<void> {
  await tx.updateTable('library').set({ kind }).where('file_id', '=', fileId).where('kind', '!=', kind).execute();
}

/** For use inside a transaction, after the files were marked as deleted. */
export async function removeEntries(tx: Database, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length === 0) return;
  const removed = await tx.deleteFrom('library').where('file_id', 'in', fileIds).returning(SUMMED).execute();
  await removeFromFolders(tx, removed);
}

async function addToFolders(tx: Database, files: readonly Summed[]): Promise<void> {
  const folders = folderUpserts(tx, files);
  if (folders) await tx.executeQuery(folders);
}
