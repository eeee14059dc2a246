/** The sums of folders, which are those of all files below them. */
import { type CompiledQuery, sql } from 'kysely';
import type { Database } from '../database.ts';
import type { FolderRow, LibraryRow } from '../tables.ts';

/** What a sum needs of a file. */
export type Summed = Pick<LibraryRow, 'owner' | 'folder' | 'size' | 'created_at'>;

/** The statement that adds files to their folders and all folders above; null: they are in none. */
export function folderUpserts(db: Database, files: readonly Summed[]): CompiledQuery | null {
  const sums = sumFolders(files);
  if (sums.length === 0) return null;
  return db
    .insertInto('folders')
    .values(sums)
    .onConflict((conflict) =>
      conflict.columns(['owner', 'parent', 'name']).doUpdateSet(({ eb, ref }) => ({
        files: eb('folders.files', '+', ref('excluded.files')),
        bytes: eb('folders.bytes', '+', ref('excluded.bytes')),
        newest: sql<number>`case when excluded.newest > folders.newest then excluded.newest else folders.newest end`,
      })),
    )
    .compile();
}

/** For use inside a transaction, after the rows of these files in the library were changed or deleted. */
export async function removeFromFolders(tx: Database, files: readonly Summed[]): Promise<void> {
  const sums = sumFolders(files);
  for (const { files: count, bytes, ...folder } of sums) {
    await whereFolder(tx.updateTable('folders'), folder)
      .set(({ eb }) => ({ files: eb('files', '-', count), bytes: eb('bytes', '-', bytes) }))
      .execute();
  }
  // From below: the newest file of a folder is its own, or that of a folder in it.
  for (const folder of sums.toReversed()) {
    await whereFolder(tx.deleteFrom('folders'), folder).where('files', '<=', 0).execute();
    const path = join(folder.parent, folder.name);
    await whereFolder(tx.updateTable('folders'), folder)
      .set({ newest: sql<number>`coalesce((${newestIn(folder.owner, path)}), 0)` })
      .where('newest', '<=', folder.newest)
      .execute();
  }
}

function newestIn(owner: string, path: string) {
  return sql`select max(newest) from (
    select max(created_at) as newest from library where owner = ${owner} and folder = ${path}
    union all select max(newest) from folders where owner = ${owner} and parent = ${path}
  ) as each`;
}

export async function findFolder(db: Database, owner: string, path: string): Promise<FolderRow | undefined> {
  return await whereFolder(db.selectFrom('folders').selectAll(), { owner, ...split(path) }).executeTakeFirst();
}

/** The folders directly below one, by name. @param after the last name of the page before. */
export async function listFolders(
  db: Database,
  owner: string,
  parent: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<FolderRow[]> {
  let select = db.selectFrom('folders').selectAll().where('owner', '=', owner).where('parent', '=', parent);
  if (after !== null) select = select.where('name', '>', after);
  return await select.orderBy('name').limit(limit).execute();
}

/** When the newest file of an owner was published; null: there is none. */
export async function findNewest(db: Database, owner: string): Promise<number | null> {
  const newest = await db
    .selectFrom('library')
    .select(({ fn }) => fn.max<number | null>('created_at').as('newest'))
    .where('owner', '=', owner)
    .executeTakeFirst();
  return newest?.newest ?? null;
}

/** The folders and all folders above, in one order for all: two transactions that change them do not wait for each other. */
function sumFolders(files: readonly Summed[]): FolderRow[] {
  const sums = new Map<string, FolderRow>();
  for (const { owner, folder, size, created_at } of files) {
    for (const path of listLevels(folder)) {
      const key = `${owner}\n${path}`;
      const sum = sums.get(key) ?? { owner, ...split(path), files: 0, bytes: 0, newest: 0 };
      const newest = Math.max(sum.newest, created_at);
      sums.set(key, { ...sum, files: sum.files + 1, bytes: sum.bytes + size, newest });
    }
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}

/** `a`, `a/b`, `a/b/c` for `a/b/c`. */
function listLevels(folder: string): string[] {
  if (folder === '') return [];
  const names = folder.split('/');
  return names.map((_, at) => names.slice(0, at + 1).join('/'));
}

function split(path: string): { parent: string; name: string } {
  const at = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(0, at)), name: path.slice(at + 1) };
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

function whereFolder<Query extends { where(column: never, operator: '=', value: never): Query }>(
  query: Query,
  { owner, parent, name }: Pick<FolderRow, 'owner' | 'parent' | 'name'>,
): Query {
  const where = (on: Query, column: string, value: string) => on.where(column as never, '=', value as never);
  return where(where(where(query, 'owner', owner), 'parent', parent), 'name', name);
}
