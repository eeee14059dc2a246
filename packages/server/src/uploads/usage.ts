/** What a caller may hold, and holds: the bounds that init checks. */
import { sumByLink } from '../db/links.ts';
import { sumHeld } from '../db/sessions.ts';
import type { LinkRow } from '../db/tables.ts';
import type { UploadRoom } from './room.ts';

/** @param link that the caller has instead of a token: what its owner holds is not told. */
export async function readUsage(
  { db, policy }: UploadRoom,
  owner: string,
  link: LinkRow | null,
): Promise<{ quota_bytes: number | null; used_bytes: number }> {
  if (link) return { quota_bytes: link.max_bytes, used_bytes: (await sumByLink(db, link.id)).bytes };
  return { quota_bytes: policy.quotaBytes, used_bytes: await sumHeld(db, owner) };
}
