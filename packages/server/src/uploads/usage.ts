/** Quota and usage of a caller, which init checks. */
import { findUsage } from '../db/files.ts';
import { sumByLinks, UNUSED } from '../db/uploads/links.ts';
import { countUnpublished } from '../db/uploads/upload-opening.ts';
import { sumHeld } from '../db/uploads/uploads.ts';
import type { UploadContext } from './context.ts';
import type { UploadLink } from './upload-links.ts';

interface Usage {
  quota_bytes: number | null;
  used_bytes: number;
  quota_files: number | null;
  used_files: number;
}

/** @param link of the caller instead of a token: the usage of its owner is not revealed. */
export async function readUsage({ db, policy }: UploadContext, owner: string, link: UploadLink | null): Promise<Usage> {
  if (link) {
    const used = (await sumByLinks(db, [link.id])).get(link.id) ?? UNUSED;
    return {
      quota_bytes: link.maxBytes,
      used_bytes: used.bytes,
      quota_files: link.maxFiles,
      used_files: used.files,
    };
  }
  const unpublished = await countUnpublished(db, owner);
  return {
    quota_bytes: policy.quotaBytes,
    used_bytes: await sumHeld(db, owner),
    quota_files: policy.maxFiles,
    used_files: (await findUsage(db, owner)).files + unpublished.reduce((sum, { count }) => sum + Number(count), 0),
  };
}
