/** Keeps parts that come through this server apart from those that clients send to the storage by themselves. */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRow } from '../../db/tables.ts';
import { findSigned, noteProxied } from '../../db/uploads/signed-parts.ts';
import type { UploadContext } from '../context.ts';
import type { PartRequest } from '../parts/part-request.ts';

/**
 * While a signed URL of a part works, no other bytes are taken for it: they would be acknowledged, and the URL could
 * replace them in the storage.
 *
 * @throws UploadError `overloaded` until the URL has expired.
 */
export async function assertNotSigned(
  { db, storage, now }: UploadContext,
  row: UploadRow,
  { idx, sha256 }: PartRequest,
): Promise<void> {
  if (!storage.presigner) return;
  if (row.proxied === 0) await noteProxied(db, row.id);
  const signed = await findSigned(db, row.id, idx);
  const leftMs = signed ? signed.expires_at - now() : 0;
  if (!signed || leftMs <= 0 || (sha256 && Buffer.compare(sha256, signed.sha256) === 0)) return;
  throw new UploadError(
    'overloaded',
    `Part ${idx} may still be sent to the storage with other bytes, by a signed URL.`,
    {
      retryAfterSeconds: Math.ceil(leftMs / 1000),
    },
  );
}
