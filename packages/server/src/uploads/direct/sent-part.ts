/** Records one part that a client has sent to the storage by itself. */
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import type { UploadRow } from '../../db/tables.ts';
import { findPart } from '../../db/uploads/parts.ts';
import type { UploadContext } from '../context.ts';
import { recordPart } from '../parts/part-record.ts';

/** A part that the storage is said to have. */
export interface SentClaim {
  readonly idx: number;
  /** As the storage answered. */
  readonly receipt: string;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/**
 * `stored`: it is recorded now. `deduplicated`: it was, with this digest. `conflict`: it was, with another one. `missing`:
 * the storage does not have it with this receipt and digest.
 */
export interface Confirmation {
  readonly idx: number;
  readonly outcome: 'stored' | 'deduplicated' | 'conflict' | 'missing';
  /** Of the recorded part; null: none is recorded. */
  readonly sha256: Uint8Array | null;
}

/**
 * The caller has found the part in the storage, with this digest.
 *
 * @throws UploadError `upload_closed`, `upload_expired`.
 */
export async function recordSent(
  context: UploadContext,
  row: UploadRow,
  { idx, receipt, sha256 }: SentClaim,
): Promise<Confirmation> {
  const { length: lengthBytes } = partExtent(row.size, row.part_size, idx);
  const part = { uploadId: row.id, idx, lengthBytes };
  try {
    const stored = { sha256, receipt, isHashed: false, lease: null };
    const recorded = await recordPart(context, row, part, stored, null);
    // Its row was there, and was invalidated at once.
    if (recorded === 'lease_lost') return { idx, outcome: 'missing', sha256: null };
    const { deduplicated } = recorded;
    context.meter.notePart({ bytes: lengthBytes, deduplicated });
    return { idx, outcome: deduplicated ? 'deduplicated' : 'stored', sha256 };
  } catch (error) {
    if (!(error instanceof UploadError && error.code === 'part_conflict')) throw error;
    return { idx, outcome: 'conflict', sha256: (await findPart(context.db, row.id, idx))?.sha256 ?? null };
  }
}
