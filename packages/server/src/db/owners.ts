/** What each owner has. */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { LIVE_STATES } from './uploads/parts.ts';

export interface OwnerUse {
  readonly owner: string;
  readonly files: number;
  readonly bytes: number;
  readonly openUploads: number;
  /** When the newest file was published, milliseconds since 1970; null: there is none. */
  readonly newestMs: number | null;
}

/** Where a page ends. */
export type OwnerPosition = Pick<OwnerUse, 'owner' | 'bytes'>;

/** @param sort `bytes`: the most first. @param after the last owner of the page before. */
export async function listOwners(
  db: Database,
  sort: 'bytes' | 'name',
  { after, limit }: { after: OwnerPosition | null; limit: number },
): Promise<OwnerUse[]> {
  const rest = after === null ? sql`` : sql`where ${sort === 'name' ? isLater(after) : isLess(after)}`;
  const order = sort === 'name' ? sql`owner` : sql`bytes desc, owner`;
  // Owners of uploads are found one after the other in an index, because most have a great number of them.
  const { rows } = await sql<Omit<OwnerUse, 'openUploads' | 'newestMs'> & { open: number; newest: number | null }>`
    select owner, files, bytes,
      (select count(*) from uploads where uploads.owner = page.owner and status in (${sql.join(LIVE_STATES)})) as open,
      (select max(created_at) from library where library.owner = page.owner) as newest
    from (
      select * from (
        select owner, files, bytes from owner_usage
        union all
        select owner, 0, 0 from (${UPLOADERS}) as uploaders
        where not exists (select 1 from owner_usage where owner_usage.owner = uploaders.owner)
      ) as owners ${rest} order by ${order} limit ${limit}
    ) as page order by ${order}`.execute(db);
  return rows.map(({ owner, files, bytes, open, newest }) => ({
    owner,
    files,
    bytes,
    openUploads: Number(open),
    newestMs: newest,
  }));
}

const UPLOADERS = sql`
  with recursive each(owner) as (
    select min(owner) from uploads
    union all
    select (select min(owner) from uploads where uploads.owner > each.owner) from each where owner is not null
  )
  select owner from each where owner is not null`;

function isLater({ owner }: OwnerPosition) {
  return sql`owner > ${owner}`;
}

function isLess({ owner, bytes }: OwnerPosition) {
  return sql`(bytes < ${bytes} or (bytes = ${bytes} and owner > ${owner}))`;
}
