/**
 * Disk space that is kept for what open uploads may still write (decision 61). Staging files are sparse and use space
 * only as they fill, so a reservation only limits new uploads.
 */
import { OPEN_STATES } from '@cryolift/protocol/states';
import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** Since its init or its last part: for this time an upload reserves all bytes that it may still write. */
const FULL_MS = 10 * 60_000;
/** Then it reserves as many bytes as it has sent, for this time since its last part; after that, nothing. */
export const HALF_MS = 60 * 60_000;

/** The account that starts an upload: an owner, or a link of the owner. */
interface Account {
  readonly owner: string;
  readonly linkId: string | null;
}

/**
 * The bytes reserved against a new upload of `asker`: all of its own reservations, and those of each other owner up to
 * an equal share of the free space. Uploads by a link and by its owner's token are different accounts, so that a link
 * cannot take its owner's space.
 *
 * @param freeBytes of the storage; infinite: it has no limit, and nothing is reserved.
 */
export async function sumReserved(db: Database, asker: Account, freeBytes: number, nowMs: number): Promise<number> {
  if (!Number.isFinite(freeBytes)) return 0;
  const rows = await db
    .selectFrom('uploads')
    .select(['owner', 'link_id', sql<number>`sum(${reservedOfUpload(nowMs)})`.as('bytes')])
    // Literals, as in the partial index: SQLite does not use the index with parameters.
    .where(
      'status',
      'in',
      OPEN_STATES.map((state) => sql.lit(state)),
    )
    .where('updated_at', '>', nowMs - HALF_MS)
    .groupBy(['owner', 'link_id'])
    .execute();
  let own = 0;
  const others = new Map<string, number>();
  for (const { owner, link_id, bytes } of rows) {
    if (owner === asker.owner && link_id === asker.linkId) own += Number(bytes);
    else others.set(owner, (others.get(owner) ?? 0) + Number(bytes));
  }
  const share = Math.max(0, freeBytes) / (others.size + 1);
  return [...others.values()].reduce((sum, bytes) => sum + Math.min(bytes, share), own);
}

function reservedOfUpload(nowMs: number) {
  return sql<number>`case
    when updated_at > ${nowMs - FULL_MS} or received_bytes > size - received_bytes then size - received_bytes
    else received_bytes end`;
}
