/** Copies one published file. It is published at the target only when its digest was right, so that what is there is right. */
import { MIB, type PartPlan, partExtent, planParts } from '@cryolift/protocol/plan';
import type { FileRow } from '../db/tables.ts';
import { toFilePlace } from '../files/record.ts';
import type { StagedUpload, StoredPart } from '../storage/places.ts';
import type { Storage } from '../storage/storage.ts';
import type { PartSink } from '../storage/upload-storage.ts';
import { FileFault } from './faults.ts';
import { FileDigest } from './file-digest.ts';
import { readPublished } from './source-bytes.ts';

const PART_BYTES = 16 * MIB;

interface CopyOptions {
  readonly signal: AbortSignal;
  onBytes(bytes: number): void;
  /** Called before the file is published at the target. @param sha256 of the whole. */
  onVerified(sha256: Uint8Array): Promise<void>;
}

/** @throws FileFault when the source is at fault; the errors of the target's storage; the reason of the signal. */
export async function copyFile(source: Storage, target: Storage, row: FileRow, options: CopyOptions): Promise<void> {
  const place = toFilePlace(row);
  const { limits } = target.uploads;
  const plan = planParts(row.size, { ...limits, partSizeBytes: Math.max(PART_BYTES, limits.minPartSizeBytes) });
  // Where the place of a file is chosen with its upload, this is the place of the file.
  const staged: StagedUpload = { ...place, id: row.id, ref: null, partSizeBytes: plan.partSizeBytes, empty: true };
  staged.ref = await target.uploads.create(staged);
  try {
    const digest = new FileDigest(row);
    const parts = await sendParts(source, target, staged, plan, digest, row, options);
    const sha256 = digest.finish();
    if (!sha256) throw new FileFault('damaged', 'Its bytes do not have the digest that it was published with.');
    await options.onVerified(sha256);
    await target.uploads.assemble(staged, place, parts);
    await target.uploads.publish(staged, place);
  } catch (error) {
    // What remains is found when the relocation ends.
    await target.uploads.discard(staged).catch(() => {});
    throw error;
  }
}

async function sendParts(
  source: Storage,
  target: Storage,
  staged: StagedUpload,
  plan: PartPlan,
  digest: FileDigest,
  row: FileRow,
  { signal, onBytes }: CopyOptions,
): Promise<StoredPart[]> {
  const parts: StoredPart[] = [];
  let part: { sink: PartSink; leftBytes: number } | null = null;
  try {
    for await (const chunk of readPublished(source, toFilePlace(row))) {
      signal.throwIfAborted();
      digest.update(chunk);
      for (let from = 0; from < chunk.length; ) {
        part ??= await openPart(target, staged, plan, parts.length);
        const piece = chunk.subarray(from, from + part.leftBytes);
        await part.sink.write(piece);
        from += piece.length;
        part.leftBytes -= piece.length;
        if (part.leftBytes > 0) continue;
        parts.push({ idx: parts.length, ...(await part.sink.commit()) });
        part = null;
      }
      onBytes(chunk.length);
    }
    return parts;
  } finally {
    await part?.sink.abort();
  }
}

async function openPart(target: Storage, staged: StagedUpload, plan: PartPlan, idx: number) {
  const extent = partExtent(staged.sizeBytes, plan.partSizeBytes, idx);
  const sink = await target.uploads.openSink({ ...staged, empty: idx === 0 }, extent, null);
  if (sink === 'lost') throw new Error(`the target has lost what was written of file ${staged.id}`);
  return { sink, leftBytes: extent.length };
}
