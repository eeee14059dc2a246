/** Records parts that the storage has and nobody has confirmed: their client ended, or its answer was lost. */
import { partExtent } from '@cryolift/protocol/plan';
import type { UploadRow } from '../../db/tables.ts';
import { listSigned } from '../../db/uploads/signed-parts.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import type { SentPart } from '../../storage/presigner.ts';
import type { UploadContext } from '../context.ts';
import { toStaged } from '../upload-record.ts';
import { recordSent } from './sent-part.ts';

/** @returns the row after that. @throws UploadError `upload_closed`, `upload_expired`; those of the storage. */
export async function recordUnconfirmed(context: UploadContext, row: UploadRow): Promise<UploadRow> {
  const { db, storage, log } = context;
  if (!storage.presigner) return row;
  const open = (await listSigned(db, row.id, 0, row.part_count - 1)).filter(({ recorded }) => recorded === null);
  const [first, last] = [open[0], open.at(-1)];
  if (!first || !last) return row;
  const listed = await storage.presigner.findSent(toStaged(row), first.idx, last.idx);
  const sent = Map.groupBy(listed, ({ idx }) => idx);
  // After the list: what is listed and came through a server has been noted before.
  const now = (await findUploadRow(db, row.id)) ?? row;
  let count = 0;
  for (const { idx, sha256 } of open) {
    const part = sent.get(idx)?.find((each) => isSigned(now, each, sha256));
    if (!part) continue;
    const { outcome } = await recordSent(context, now, { idx, receipt: part.receipt, sha256 });
    if (outcome === 'stored') count++;
  }
  if (count > 0) log.info({ upload_id: row.id, parts: count }, 'parts that were not confirmed are recorded');
  return (await findUploadRow(db, row.id)) ?? now;
}

/**
 * Where the service lists no checksum, a part of the right size has the digest that was signed, because no other one ever
 * was; unless some part of the upload came through a server, which may have left other bytes before it ended.
 */
function isSigned(row: UploadRow, part: SentPart, signed: Uint8Array): boolean {
  if (part.sizeBytes !== partExtent(row.size, row.part_size, part.idx).length) return false;
  return part.sha256 === null ? row.proxied === 0 : Buffer.compare(part.sha256, signed) === 0;
}
