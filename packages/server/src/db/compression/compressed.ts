/** Stacks that are old enough to be compressed, and files that are. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { findFiles } from '../files.ts';
import { raiseFloor } from '../schema.ts';
import { COMPRESSION_PLANNED, readFact, writeFact } from '../server-state.ts';
import type { FileRow } from '../tables.ts';

/** The first version with it reads compressed files. */
const MIGRATION = '027_compression';

/** A place in the order of the stacks: by time, then by the number of the entry. */
interface Position {
  readonly createdAtMs: number;
  readonly entry: number;
}

/**
 * The oldest stacks (movies are among them) behind the last ones that this function returned in a transaction that was committed. Each is
 * returned once. For use inside a transaction.
 *
 * @param untilMs published then or before, milliseconds since 1970.
 */
export async function takeOldStacks(
  tx: Database,
  untilMs: number,
  limit: number,
): Promise<{ stacks: FileRow[]; isMore: boolean }> {
  const last = await readPosition(tx);
  const entries = await tx
    .selectFrom('library')
    .select(['id', 'file_id', 'created_at'])
    // A literal, as in the partial index: SQLite does not use the index with a parameter.
    .where('kind', '=', sql.lit('stack'))
    .where('created_at', '<=', untilMs)
    .where('created_at', '>=', last.createdAtMs)
    .where(({ eb, or }) => or([eb('created_at', '>', last.createdAtMs), eb('id', '>', last.entry)]))
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  const end = entries.at(-1);
  if (!end) return { stacks: [], isMore: false };
  const position: Position = { createdAtMs: Number(end.created_at), entry: Number(end.id) };
  await writeFact(tx, COMPRESSION_PLANNED, JSON.stringify(position));
  const ids = entries.map(({ file_id }) => file_id);
  return { stacks: await findFiles(tx, ids), isMore: entries.length === limit };
}

/**
 * Servers of versions that do not find the bytes of such a file do not use the database any more. For use inside a
 * transaction.
 *
 * @returns the row after the change; undefined when it was recorded before, or the file was deleted.
 */
export async function recordCompressed(
  tx: Database,
  id: string,
  { sizeBytes, sha256 }: { sizeBytes: number; sha256: Uint8Array },
): Promise<FileRow | undefined> {
  await raiseFloor(tx, MIGRATION);
  return await tx
    .updateTable('files')
    .set({ compressed_size: sizeBytes, compressed_sha256: sha256 })
    .where('id', '=', id)
    .where('compressed_size', 'is', null)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

async function readPosition(tx: Database): Promise<Position> {
  const kept = await readFact(tx, COMPRESSION_PLANNED);
  return kept === undefined ? { createdAtMs: 0, entry: 0 } : (JSON.parse(kept) as Position);
}
