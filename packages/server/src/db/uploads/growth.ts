/** The size of an upload whose length is not known. */
import { OPEN_STATES } from '@cryolift/protocol/states';
import { type Database, transact } from '../database.ts';
import { dialectOf } from '../dialect.ts';
import type { LinkRow, UploadRow } from '../tables.ts';
import { sumByLinks, UNUSED } from './links.ts';
import { sumReserved } from './reservations.ts';
import { findUploadRow, sumHeld } from './uploads.ts';

export interface ResizeRequest {
  id: string;
  sizeBytes: number;
  partCount: number;
  /** The length is known from now on. */
  isFinal: boolean;
  /** Quota of the owner, bytes; null: no limit. */
  quotaBytes: number | null;
  /** With which the upload was started. */
  link: Pick<LinkRow, 'id' | 'max_bytes'> | null;
  /** Free space of the storage, bytes. */
  freeBytes: number;
  nowMs: number;
}

export type ResizeOutcome =
  | { kind: 'resized'; row: UploadRow }
  /** Its length is known, or it has ended. */
  | { kind: 'fixed'; row: UploadRow | undefined }
  | { kind: 'quota_exceeded'; usedBytes: number; limitBytes: number }
  | { kind: 'no_space'; availableBytes: number };

/** Changes the size of an upload whose length is not known. The limits of its owner and its link are checked. */
export async function resizeUploadRow(db: Database, request: ResizeRequest): Promise<ResizeOutcome> {
  const { id, quotaBytes, link, freeBytes, sizeBytes } = request;
  return await transact(db, async (tx) => {
    const before = await findUploadRow(tx, id);
    if (!before || before.is_growing === 0 || !OPEN_STATES.includes(before.status)) {
      return { kind: 'fixed', row: before };
    }
    await dialectOf(tx).lock(tx, { owner: before.owner });
    const moreBytes = sizeBytes - before.size;
    if (moreBytes > 0) {
      if (quotaBytes !== null) {
        const usedBytes = await sumHeld(tx, before.owner);
        if (usedBytes + moreBytes > quotaBytes) return { kind: 'quota_exceeded', usedBytes, limitBytes: quotaBytes };
      }
      if (link && link.max_bytes !== null) {
        const used = (await sumByLinks(tx, [link.id])).get(link.id) ?? UNUSED;
        if (used.bytes + moreBytes > link.max_bytes) {
          return { kind: 'quota_exceeded', usedBytes: used.bytes, limitBytes: link.max_bytes };
        }
      }
      const asker = { owner: before.owner, linkId: before.link_id };
      const availableBytes = Math.floor(freeBytes - (await sumReserved(tx, asker, freeBytes, request.nowMs)));
      if (moreBytes > availableBytes) return { kind: 'no_space', availableBytes };
    }
    const row = await tx
      .updateTable('uploads')
      .set({ size: sizeBytes, part_count: request.partCount, ...(request.isFinal ? { is_growing: 0 } : {}) })
      .where('id', '=', id)
      .where('is_growing', '=', 1)
      .where('status', 'in', OPEN_STATES)
      .returningAll()
      .executeTakeFirst();
    return row ? { kind: 'resized', row } : { kind: 'fixed', row: before };
  });
}
