/** What a caller may hold, and holds: the bounds that init checks. */
import { sumByLinks, UNUSED } from '../db/links.ts';
import { sumHeld } from '../db/uploads.ts';
import type { UploadContext } from './context.ts';
import type { UploadLink } from './upload-links.ts';

/** @param link that the caller has instead of a token: what its owner holds is not told. */
export async function readUsage(
  { db, policy }: UploadContext,
  owner: string,
  link: UploadLink | null,
): Promise<{ quota_bytes: number | null; used_bytes: number }> {
  if (link) {
    const used = (await sumByLinks(db, [link.id])).get(link.id) ?? UNUSED;
    return { quota_bytes: link.maxBytes, used_bytes: used.bytes };
  }
  return { quota_bytes: policy.quotaBytes, used_bytes: await sumHeld(db, owner) };
}
