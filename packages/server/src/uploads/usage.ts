/** Quota and usage of a caller, which init checks. */
import { sumByLinks, UNUSED } from '../db/uploads/links.ts';
import { sumHeld } from '../db/uploads/uploads.ts';
import type { UploadContext } from './context.ts';
import type { UploadLink } from './upload-links.ts';

/** @param link of the caller instead of a token: the usage of its owner is not revealed. */
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
