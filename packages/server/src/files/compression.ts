/** Compresses the bytes of movies that are old enough. What clients read of a file stays as it was. */
import { isMovie } from '@cryolift/mrc';
import { recordCompressed, takeOldStacks } from '../db/compression/compressed.ts';
import { findFile } from '../db/files.ts';
import { insertJob } from '../db/jobs.ts';
import { LIBRARY_COMPLETE, readFact } from '../db/server-state.ts';
import type { FileRow } from '../db/tables.ts';
import { sumReserved } from '../db/uploads/reservations.ts';
import { betweenSteps } from '../durable-step.ts';
import { FILE_COMPRESSED } from '../events/event.ts';
import type { CompressedBytes, FileCompressor } from '../storage/file-compressor.ts';
import { removeStored } from '../storage/removal.ts';
import { readFreeBytes } from '../storage/space.ts';
import { fileEvent } from './file-event.ts';
import type { FileContext } from './files.ts';
import { toFilePlace, toFileRecord } from './record.ts';

/** A kind of job. */
export const COMPRESS_JOB = 'compress';

/** Files per transaction. */
const BATCH = 100;
/** Voxels that are whole numbers: int8, int16, uint16 (MRC2014), and 4 bit of IMOD. */
const INTEGER_MODES: readonly number[] = [0, 1, 6, 101];

/** `later`: not now, for this reason. */
export type CompressionOutcome =
  | { kind: 'compressed'; sizeBytes: number }
  | { kind: 'unchanged' | 'later'; reason: string };

/**
 * Makes jobs for integer movies that were published before a time. Each movie is looked at once.
 *
 * @param untilMs milliseconds since 1970. @returns the number of jobs.
 */
export async function planCompressions(
  context: FileContext & { readonly fileJobs: { wake(): void } },
  untilMs: number,
): Promise<number> {
  // Until then, movies may be missing in it.
  if ((await readFact(context.db, LIBRARY_COMPLETE)) === undefined) return 0;
  let jobs = 0;
  for (let isMore = true; isMore; ) {
    await context.outbox.transact(async (tx) => {
      const taken = await takeOldStacks(tx, untilMs, BATCH);
      isMore = taken.isMore;
      for (const { id, owner } of taken.stacks.filter(isIntegerMovie)) {
        await insertJob(tx, { id: context.newId(), kind: COMPRESS_JOB, fileId: id, owner, nowMs: context.now() });
        jobs++;
      }
    });
    betweenSteps('compression.planned');
  }
  if (jobs > 0) context.fileJobs.wake();
  return jobs;
}

/**
 * Compresses a file; safe to repeat after a crash, and at two servers at once. The original is removed when the record
 * says that the file is compressed, and not before.
 *
 * @throws UploadError when the storage cannot do it now, or the reason of `signal`.
 */
export async function compressFile(
  context: FileContext,
  compressor: FileCompressor,
  fileId: string,
  signal: AbortSignal,
): Promise<CompressionOutcome> {
  const row = await findFile(context.db, fileId);
  if (!row) return { kind: 'unchanged', reason: 'The file was deleted.' };
  const compressed = toCompressed(row) ?? (await compressOriginal(context, compressor, row, signal));
  if ('kind' in compressed) return compressed;
  await compressor.removeOriginal(toFilePlace(row), compressed);
  return { kind: 'compressed', sizeBytes: compressed.sizeBytes };
}

async function compressOriginal(
  context: FileContext,
  compressor: FileCompressor,
  row: FileRow,
  signal: AbortSignal,
): Promise<CompressedBytes | CompressionOutcome> {
  if (row.sha256 === null) return { kind: 'later', reason: 'Its SHA-256 is not known yet.' };
  if (row.fault !== null) return { kind: 'unchanged', reason: `The scrub has found that its bytes are ${row.fault}.` };
  // Both are there for a while. Open uploads go first.
  const freeBytes = await readFreeBytes(context.storage);
  const reserved = await sumReserved(context.db, { owner: '', linkId: null }, freeBytes, context.now());
  if (freeBytes - reserved < row.size) return { kind: 'later', reason: 'The storage does not have space for both.' };
  const compressed = await compressor.compress(toFilePlace(row), row.sha256, signal);
  if (!compressed) return { kind: 'unchanged', reason: 'Its bytes cannot be compressed.' };
  betweenSteps('compression.stored');
  const recorded = await context.outbox.transact(async (tx, emit) => {
    const changed = await recordCompressed(tx, row.id, compressed);
    if (changed) await emit(fileEvent(FILE_COMPRESSED, changed, context.now()));
    return changed;
  });
  betweenSteps('compression.recorded');
  if (recorded) return compressed;
  const other = await findFile(context.db, row.id);
  const theirs = other && toCompressed(other);
  if (theirs) return theirs;
  // It was deleted meanwhile: its bytes may have been removed before the compressed ones were stored.
  await removeStored(context.storage, row.id);
  return { kind: 'unchanged', reason: 'The file was deleted.' };
}

function toCompressed({ compressed_size, compressed_sha256 }: FileRow): CompressedBytes | null {
  if (compressed_size === null || compressed_sha256 === null) return null;
  return { sizeBytes: compressed_size, sha256: compressed_sha256 };
}

function isIntegerMovie(row: FileRow): boolean {
  const { mrc, filename } = toFileRecord(row, null);
  if (row.compressed_size !== null || mrc === null) return false;
  return INTEGER_MODES.includes(mrc.mode) && isMovie(mrc, filename);
}
