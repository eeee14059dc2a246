/** Copies an upload under way, part by part. Each part is compared with its recorded digest before it counts. */
import { MIB, partExtent } from '@cryolift/protocol/plan';
import { changeUpload, insertPart, insertUpload } from '../db/relocation/live-uploads.ts';
import type { PartRow, UploadRow } from '../db/tables.ts';
import { deleteParts, listParts } from '../db/uploads/parts.ts';
import { findUploadRow } from '../db/uploads/uploads.ts';
import type { ByteSource } from '../storage/byte-source.ts';
import type { StagedUpload } from '../storage/places.ts';
import type { Storage } from '../storage/storage.ts';
import { toStaged } from '../uploads/upload-record.ts';
import { forEachOf } from './concurrent.ts';
import type { OpenSide } from './sides.ts';
import { openStaged } from './staged-source.ts';

/** Parts of one upload that are copied at the same time. */
const PARTS_AT_ONCE = 4;
const READ_BYTES = MIB;

export interface CopiedUpload {
  readonly uploadId: string;
  readonly filename: string;
  /** Parts that were acknowledged at the source. */
  readonly parts: number;
  /** Of these, those that clients have to send again. */
  readonly lost: number;
}

interface CopyOptions {
  readonly signal: AbortSignal;
  /** Milliseconds since 1970: the upload does not expire before. */
  readonly expiresAtMs: number;
  onBytes(bytes: number): void;
}

/**
 * Copies row, parts and bytes; goes on where an earlier call has stopped. The row at the target has its final state only
 * at the end.
 *
 * @throws the errors of the target, and errors of reading the source that say nothing about its bytes.
 */
export async function copyUpload(
  source: OpenSide,
  target: OpenSide,
  row: UploadRow,
  { signal, expiresAtMs, onBytes }: CopyOptions,
): Promise<CopiedUpload> {
  const parts = await listParts(source.db, row.id, 0, row.part_count);
  const staged = await prepare(target, row);
  const copied = await listCopied(target, staged, row);
  const missing = parts.filter(({ idx }) => !copied.has(idx));
  const bytes = missing.length === 0 ? null : await openStaged(source.storage, row);
  if (bytes) {
    try {
      await forEachOf(missing, PARTS_AT_ONCE, async (part) => {
        signal.throwIfAborted();
        const receipt = await copyPart(bytes, target.storage, staged, row, part);
        if (receipt === undefined) return;
        await insertPart(target.db, { ...part, receipt });
        copied.add(part.idx);
        staged.empty = false;
        onBytes(partExtent(row.size, row.part_size, part.idx).length);
      });
    } finally {
      await bytes.close();
    }
  }
  // Flushes what was written.
  if ((await target.storage.uploads.renew(staged)) !== staged.ref) throw lost(row);
  await settle(target, row, copied, expiresAtMs);
  return { uploadId: row.id, filename: row.filename, parts: parts.length, lost: parts.length - copied.size };
}

/** The row and the place of the upload at the target. */
async function prepare({ db, storage }: OpenSide, row: UploadRow): Promise<StagedUpload> {
  const started = await findUploadRow(db, row.id);
  if (started) return toStaged(started);
  // The parts come through this process.
  const empty: UploadRow = {
    ...row,
    storage_ref: null,
    received_parts: 0,
    received_bytes: 0,
    must_recheck: 0,
    proxied: 1,
  };
  const staged = toStaged(empty);
  staged.ref = await storage.uploads.create(staged);
  await insertUpload(db, { ...empty, status: 'pending', file_id: null, storage_ref: staged.ref });
  return staged;
}

/** @returns the parts that are at the target, and that its storage still has. */
async function listCopied({ db, storage }: OpenSide, staged: StagedUpload, row: UploadRow): Promise<Set<number>> {
  const recorded = await listParts(db, row.id, 0, row.part_count);
  staged.empty = recorded.length === 0;
  // The system may have gone down since.
  const gone = recorded.length > 0 ? await storage.uploads.findLost(staged, recorded) : [];
  await deleteParts(db, row.id, gone);
  if (gone.length > 0) {
    staged.ref = await storage.uploads.renew(staged);
    await changeUpload(db, row.id, { storage_ref: staged.ref });
  }
  return new Set(recorded.map(({ idx }) => idx).filter((idx) => !gone.includes(idx)));
}

/** @returns its receipt; undefined when the source has other bytes than were acknowledged. */
async function copyPart(
  bytes: ByteSource,
  { uploads }: Storage,
  staged: StagedUpload,
  row: UploadRow,
  { idx, sha256 }: PartRow,
): Promise<string | null | undefined> {
  const extent = partExtent(row.size, row.part_size, idx);
  const sink = await uploads.openSink(staged, extent, sha256);
  if (sink === 'lost') throw lost(row);
  try {
    for (let at = 0; at < extent.length; at += READ_BYTES) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, extent.length - at));
      try {
        await bytes.read(extent.offset + at, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENODATA') return undefined;
        throw error;
      }
      await sink.write(chunk);
    }
    const committed = await sink.commit();
    return Buffer.compare(committed.sha256, sha256) === 0 ? committed.receipt : undefined;
  } finally {
    await sink.abort();
  }
}

function lost({ id }: UploadRow): Error {
  return new Error(`the target has lost what was written of upload ${id}`);
}

/** Brings the row to the state of its parts. */
async function settle(
  { db, storage }: OpenSide,
  row: UploadRow,
  copied: ReadonlySet<number>,
  expiresAtMs: number,
): Promise<void> {
  const isWhole = row.status === 'verifying' && copied.size === row.part_count;
  const status = isWhole ? 'verifying' : row.status === 'pending' ? 'pending' : 'uploading';
  await changeUpload(db, row.id, {
    status,
    received_parts: copied.size,
    received_bytes: [...copied].reduce((sum, idx) => sum + partExtent(row.size, row.part_size, idx).length, 0),
    file_id: isWhole ? (storage.uploads.fileIdOf(row.id) ?? row.file_id) : null,
    expires_at: Math.max(row.expires_at, expiresAtMs),
  });
}
