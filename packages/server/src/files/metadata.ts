/** The metadata of files and uploads. */
import { UploadError } from '@cryolift/protocol/errors';
import { analyzeAgain } from '../analysis/analyze-again.ts';
import { ANALYSIS_JOB } from '../analysis-job.ts';
import type { Database } from '../db/database.ts';
import { findFile, forgetStatistics, replaceMetadata } from '../db/files.ts';
import type { FileRow } from '../db/tables.ts';
import { FILE_UPDATED } from '../events/event.ts';
import { fileEvent } from './file-event.ts';
import { type FileContext, fileNotFound } from './files.ts';
import { overridesOf, toFileRecord } from './record.ts';
import { recordShownKind } from './shown-kind.ts';
import { type StoredFile, toStoredFile } from './stored-file.ts';
import type { UpdateLimit } from './update-limit.ts';

const MAX_PAIRS = 32;
const MAX_BYTES = 4096;

/** @throws UploadError `invalid_request` when it exceeds the limits. */
export function assertMetadata(metadata: Record<string, string>): void {
  const pairs = Object.entries(metadata);
  const bytes = pairs.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (pairs.length > MAX_PAIRS || bytes > MAX_BYTES) {
    throw new UploadError(
      'invalid_request',
      `metadata has ${pairs.length} pairs and ${bytes} bytes; ${MAX_PAIRS} and ${MAX_BYTES} are allowed.`,
    );
  }
}

interface MetadataContext extends FileContext {
  readonly updateLimit: UpdateLimit;
  readonly fileJobs: { kindsFor(filename: string): readonly string[]; wake(): void };
}

/**
 * Sets the given pairs, removes those that are null, and keeps the others (RFC 7396).
 *
 * @param before JSON, as the result is.
 * @throws UploadError `invalid_request` when the result exceeds the limits.
 */
export function mergeMetadata(before: string, changes: Readonly<Record<string, string | null>>): string {
  const merged = new Map(Object.entries(JSON.parse(before) as Record<string, string>));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  const metadata = Object.fromEntries(merged);
  assertMetadata(metadata);
  return JSON.stringify(metadata);
}

/**
 * Merges `changes` into the metadata of a file (RFC 7396: null removes a pair). Concurrent changes are both applied.
 *
 * @param account for which changes are counted.
 * @throws UploadError `invalid_request`, `rate_limited`, or `file_not_found` when it was deleted meanwhile.
 */
export async function changeMetadata(
  context: MetadataContext,
  fileId: string,
  changes: Record<string, string | null>,
  account: string,
): Promise<StoredFile> {
  context.updateLimit.take(account);
  for (;;) {
    const row = await findFile(context.db, fileId);
    if (!row) throw fileNotFound(fileId);
    const changed = await record(context, row, mergeMetadata(row.metadata, changes));
    if (!changed) continue;
    context.fileJobs.wake();
    return toStoredFile(changed);
  }
}

async function record(context: MetadataContext, row: FileRow, metadata: string): Promise<FileRow | undefined> {
  return await context.outbox.transact(async (tx, emit) => {
    const changed = await replaceMetadata(tx, row.id, row.metadata, metadata);
    if (!changed) return undefined;
    await recordShownKind(tx, changed);
    if (isReadOtherwise(row, changed)) await readAgain(context, tx, row);
    await emit(fileEvent(FILE_UPDATED, changed, context.now()));
    return changed;
  });
}

/** True when the signedness of mode 0 has changed, so that statistics and pictures must be computed again. */
function isReadOtherwise(before: FileRow, after: FileRow): boolean {
  return toFileRecord(before, null).mrc?.mode === 0 && overridesOf(before).mode0 !== overridesOf(after).mode0;
}

async function readAgain(context: MetadataContext, tx: Database, row: FileRow): Promise<void> {
  if (!context.fileJobs.kindsFor(row.filename).includes(ANALYSIS_JOB)) return;
  await forgetStatistics(tx, row.id);
  await analyzeAgain(context, tx, row);
}
