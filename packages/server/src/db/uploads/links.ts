/** Rows of upload links. */
import { sql } from 'kysely';
import { type Database, transact } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import type { LinkRow } from '../tables.ts';

/** @returns false, and inserts nothing, when the owner has `maxOfOwner` links already, ended ones included. */
export async function insertLink(db: Database, link: LinkRow, maxOfOwner: number): Promise<boolean> {
  return await transact(db, async (tx) => {
    await dialectOf(tx).lock(tx, { owner: link.owner });
    const { count } = await tx
      .selectFrom('links')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('owner', '=', link.owner)
      .executeTakeFirstOrThrow();
    if (Number(count) >= maxOfOwner) return false;
    await tx.insertInto('links').values(link).execute();
    return true;
  });
}

/** Newest first; `before` is the last id of the previous page. @param owner null: all owners. */
export async function listLinks(
  db: Database,
  owner: string | null,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<LinkRow[]> {
  let select = db.selectFrom('links').selectAll();
  if (owner !== null) select = select.where('owner', '=', owner);
  if (before) select = select.where('id', '<', before);
  return await select.orderBy('id', 'desc').limit(limit).execute();
}

export async function findLink(db: Database, tokenSha256: Uint8Array): Promise<LinkRow | undefined> {
  return await db.selectFrom('links').selectAll().where('token_sha256', '=', tokenSha256).executeTakeFirst();
}

export async function findLinkById(db: Database, id: string): Promise<LinkRow | undefined> {
  return await db.selectFrom('links').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function deleteLink(db: Database, id: string): Promise<void> {
  await db.deleteFrom('links').where('id', '=', id).execute();
}

/** @returns how many links the owner had. */
export async function deleteLinksOf(db: Database, owner: string): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('links').where('owner', '=', owner).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

export async function forgetLinks(db: Database, expiredBeforeMs: number): Promise<void> {
  await db.deleteFrom('links').where('expires_at', '<', expiredBeforeMs).execute();
}

export interface LinkUse {
  readonly bytes: number;
  readonly files: number;
}

export const UNUSED: LinkUse = { bytes: 0, files: 0 };

/** Files and bytes that were started with each link and not cancelled or expired, including deleted files. */
export async function sumByLinks(db: Database, ids: readonly string[]): Promise<Map<string, LinkUse>> {
  if (ids.length === 0) return new Map();
  const started = await db
    .selectFrom('uploads')
    .select((eb) => [
      'link_id',
      eb.fn.sum<number>('size').as('bytes'),
      // A partial upload becomes no file of its own.
      sql<number>`sum(1 - is_partial)`.as('files'),
    ])
    .where('link_id', 'in', ids)
    .where('status', 'not in', ['cancelled', 'expired'])
    .where('is_counted', '=', 1)
    .groupBy('link_id')
    .execute();
  return new Map(
    started.map(({ link_id, bytes, files }) => [String(link_id), { bytes: Number(bytes), files: Number(files) }]),
  );
}
