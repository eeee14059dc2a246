/** Rows of upload links. */
import type { Database } from './database.ts';
import type { LinkRow } from './tables.ts';

export async function insertLink(db: Database, link: LinkRow): Promise<void> {
  await db.insertInto('links').values(link).execute();
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

export async function forgetLinks(db: Database, expiredBeforeMs: number): Promise<void> {
  await db.deleteFrom('links').where('expires_at', '<', expiredBeforeMs).execute();
}

/** What was begun with a link and not given up: bytes and files, also of files that were deleted since. */
export async function sumByLink(db: Database, id: string): Promise<{ bytes: number; files: number }> {
  const begun = await db
    .selectFrom('uploads')
    .select((eb) => [eb.fn.sum<number | null>('size').as('bytes'), eb.fn.countAll<number>().as('files')])
    .where('link_id', '=', id)
    .where('status', 'not in', ['cancelled', 'expired'])
    .executeTakeFirst();
  return { bytes: Number(begun?.bytes ?? 0), files: Number(begun?.files ?? 0) };
}
