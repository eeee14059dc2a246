/** Files of an owner by name: images, movies and the `.mdoc` files beside them. */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { FileRow } from './tables.ts';

/** The id. As a column, SQLite would choose the index of ids, and read all files of the owner. */
const newest = sql<string>`coalesce(id, '')`;

/** Newest first, at most `limit`. */
export async function listNamed(
  db: Database,
  owner: string,
  names: readonly string[],
  limit: number,
): Promise<FileRow[]> {
  if (names.length === 0) return [];
  return await db
    .selectFrom('files')
    .selectAll()
    .where('owner', '=', owner)
    .where('filename', 'in', names)
    .where('deleted_at', 'is', null)
    .orderBy(newest, 'desc')
    .limit(limit)
    .execute();
}

/** `.mdoc` files that name one of these series. Newest first, at most `limit`. */
export async function listNaming(
  db: Database,
  owner: string,
  images: readonly string[],
  limit: number,
): Promise<FileRow[]> {
  if (images.length === 0) return [];
  return await db
    .selectFrom('files')
    .selectAll()
    .where('owner', '=', owner)
    .where('mdoc_image', 'in', images)
    // PostgreSQL needs it to use the index of those rows.
    .where('mdoc_image', 'is not', null)
    .where('deleted_at', 'is', null)
    .orderBy(newest, 'desc')
    .limit(limit)
    .execute();
}

/** Those of the names that no file of the owner has. */
export async function listAbsent(db: Database, owner: string, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('files')
    .select('filename')
    .distinct()
    .where('owner', '=', owner)
    .where('filename', 'in', names)
    .where('deleted_at', 'is', null)
    .execute();
  const present = new Set(rows.map(({ filename }) => filename));
  return names.filter((name) => !present.has(name));
}
