/** The SHA-256 of a file that was published before it was known, because its storage has to read the file for it. */
import { createHash } from 'node:crypto';
import { findFile, recordDigest } from '../db/files.ts';
import type { FileRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import { FILE_DAMAGED, FILE_DIGEST_READY } from '../events/event.ts';
import type { WholeDigest } from '../storage/upload-storage.ts';
import { fileEvent } from './file-event.ts';
import type { FileContext } from './files.ts';
import { toFilePlace } from './record.ts';

/** A kind of job. */
export const DIGEST_JOB = 'digest';

/**
 * Reads a file once, compares its parts with those that were acknowledged, and records its SHA-256; safe to repeat.
 *
 * @returns 'damaged' when the stored parts are others: then no digest is recorded. 'nothing' when it is known, or the file
 *   was deleted.
 * @throws UploadError when the file cannot be read now, or the reason of `signal`.
 */
export async function digestFile(
  context: FileContext,
  fileId: string,
  signal: AbortSignal,
): Promise<'recorded' | 'damaged' | 'nothing'> {
  const row = await findFile(context.db, fileId);
  const { lateDigests } = context.storage;
  if (!row || row.sha256 || !lateDigests) return 'nothing';
  const parts = { partSizeBytes: row.part_size, selected: new Uint8Array(row.part_count).fill(1) };
  const digest = await lateDigests.digest(toFilePlace(row), parts, signal);
  if (!isAcknowledged(row, digest)) {
    await emit(context, row, FILE_DAMAGED);
    return 'damaged';
  }
  betweenSteps('file.digested');
  const recorded = await context.outbox.transact(async (tx, emitEvent) => {
    const changed = await recordDigest(tx, row.id, digest.sha256);
    if (changed) await emitEvent(fileEvent(FILE_DIGEST_READY, changed, context.now()));
    return changed;
  });
  return recorded ? 'recorded' : 'nothing';
}

function isAcknowledged(row: FileRow, { parts }: WholeDigest): boolean {
  const hash = createHash('sha256');
  for (let idx = 0; idx < row.part_count; idx++) hash.update(parts.get(idx) ?? '');
  return hash.digest().equals(row.parts_sha256);
}

async function emit(context: FileContext, row: FileRow, type: string): Promise<void> {
  await context.outbox.transact(async (_tx, emitEvent) => await emitEvent(fileEvent(type, row, context.now())));
}
