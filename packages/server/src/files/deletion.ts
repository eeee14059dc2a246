/** Deletes published files. */
import { forgetRead } from '../analysis/forget-read.ts';
import { updateSeries } from '../analysis/series-update.ts';
import type { Database } from '../db/database.ts';
import { dialectOf } from '../db/dialect.ts';
import { findFiles, forgetFile, listHalfDeleted, markDeleted } from '../db/files.ts';
import type { FileRow } from '../db/tables.ts';
import { betweenSteps } from '../durable-step.ts';
import { FILE_DELETED } from '../events/event.ts';
import type { Emit } from '../events/outbox.ts';
import { removeStored } from '../storage/removal.ts';
import { fileEvent } from './file-event.ts';
import { type FileContext, fileNotFound } from './files.ts';
import type { StoredFile } from './stored-file.ts';

/** Also for the analysis of a series whose `.mdoc` file is deleted. */
type DeletionContext = FileContext & { readonly fileJobs: { wake(): void } };

interface FileLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** Files per transaction. */
const BATCH = 50;
/** Files whose bytes are removed at the same time. */
const AT_ONCE = 4;

/** Deletes a file permanently. @throws UploadError `file_not_found` when another request was first. */
export async function deleteFile(context: DeletionContext, file: Pick<StoredFile, 'id' | 'owner'>): Promise<void> {
  const deleted = await mark(context, [file]);
  if (deleted.length === 0) throw fileNotFound(file.id);
  betweenSteps('file.deleted');
  for (const each of deleted) await removeDeleted(context, each);
}

/**
 * Deletes files permanently; safe to repeat. Bytes that cannot be removed now are removed by the next sweep.
 *
 * @returns the ids of those that this call has deleted, and no other one.
 */
export async function deleteFiles(
  context: DeletionContext & { readonly log: FileLog },
  ids: readonly string[],
  mayAccess: (owner: string) => boolean,
): Promise<Set<string>> {
  const deleted = new Set<string>();
  for (let from = 0; from < ids.length; from += BATCH) {
    const files = await findFiles(context.db, ids.slice(from, from + BATCH));
    const own = files.filter(({ owner }) => mayAccess(owner));
    const marked = await mark(context, own);
    betweenSteps('file.deleted');
    for (const { id } of marked) deleted.add(id);
    await removeAll(context, marked);
  }
  return deleted;
}

async function removeAll(context: FileContext & { readonly log: FileLog }, files: readonly FileRow[]): Promise<void> {
  const waiting = [...files];
  const removeNext = async () => {
    for (let file = waiting.pop(); file; file = waiting.pop()) {
      const { id } = file;
      await removeDeleted(context, file).catch((error: unknown) =>
        context.log.error({ file_id: id, err: error }, 'the bytes of a deleted file were not removed'),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, removeNext));
}

/** @returns those that were not deleted already. */
async function mark(context: DeletionContext, files: readonly Pick<StoredFile, 'id' | 'owner'>[]): Promise<FileRow[]> {
  const time = context.now();
  const owners = [...new Set(files.map(({ owner }) => owner))].sort();
  const ids = files.map(({ id }) => id);
  const deleted = await context.outbox.transact(async (tx: Database, emit: Emit) => {
    // Before any row is locked, and in one order, so that no two transactions wait for each other.
    for (const owner of owners) await dialectOf(tx).lock(tx, { owner });
    const marked = await markDeleted(tx, ids, time);
    for (const file of marked) await emit(fileEvent(FILE_DELETED, file, time));
    for (const file of marked) await updateSeries(context, tx, emit, file);
    return marked;
  });
  if (deleted.some(({ mdoc }) => mdoc !== null)) context.fileJobs.wake();
  return deleted;
}

async function removeDeleted(context: FileContext, { id, upload_id }: FileRow): Promise<void> {
  forgetRead(context, upload_id);
  await removeBytes(context, id);
}

/** Finishes interrupted deletions; a failure does not stop the others. @returns the number of finished ones. */
export async function finishDeletions(context: FileContext, log: FileLog): Promise<number> {
  let finished = 0;
  for (const row of await listHalfDeleted(context.db)) {
    try {
      await removeBytes(context, row.id);
      finished++;
    } catch (error) {
      log.error({ file_id: row.id, err: error }, 'the bytes of a deleted file were not removed');
    }
  }
  return finished;
}

/** The removal is flushed before the record is deleted, so that no power loss restores bytes without a record. */
async function removeBytes(context: FileContext, id: string): Promise<void> {
  await removeStored(context.storage, id);
  betweenSteps('file.removed');
  await forgetFile(context.db, id);
}
