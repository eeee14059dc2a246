/** Finds, reads and deletes published files. */
import type { Readable } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import { forgetRead } from '../analysis/forget-read.ts';
import type { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Database } from '../db/database.ts';
import { hasEvent } from '../db/events.ts';
import { findFile, forgetFile, listFiles, listHalfDeleted, markDeleted } from '../db/files.ts';
import { type Page, toPage } from '../db/page.ts';
import { betweenSteps } from '../durable-step.ts';
import { FILE_DELETED, fileSubject } from '../events/event.ts';
import type { Outbox } from '../events/outbox.ts';
import { removeStored } from '../storage/removal.ts';
import type { Storage } from '../storage/storage.ts';
import { linkFile, linkFiles } from './sidecars.ts';
import { type StoredFile, toStoredFile } from './stored-file.ts';

export interface FileContext {
  readonly db: Database;
  readonly storage: Storage;
  readonly analyzer: MrcAnalyzer;
  readonly outbox: Outbox;
  now(): number;
  newId(): string;
}

interface FileLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** @throws UploadError `file_not_found` when there is none that the caller may access. */
export async function getFile(
  context: FileContext,
  id: string,
  mayAccess: (owner: string) => boolean,
): Promise<StoredFile> {
  const row = await findFile(context.db, id);
  if (!row || !mayAccess(row.owner)) throw fileNotFound(id);
  return toStoredFile(row);
}

/** As `getFile`, with the `.mdoc` file of a series, or the series of an `.mdoc` file. */
export async function getLinkedFile(
  context: FileContext,
  id: string,
  mayAccess: (owner: string) => boolean,
): Promise<StoredFile> {
  const row = await findFile(context.db, id);
  if (!row || !mayAccess(row.owner)) throw fileNotFound(id);
  return await linkFile(context.db, row);
}

/** An owner's files, newest first. */
export async function listOwned(
  context: FileContext,
  owner: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<StoredFile>> {
  const rows = await listFiles(context.db, owner, { before: cursor, limit: limit + 1 });
  const page = toPage(rows, limit, (row) => row.id);
  return { ...page, items: await linkFiles(context.db, page.items) };
}

/**
 * Opens bytes `start` to `end` (inclusive) of a file.
 *
 * @throws UploadError `storage_unavailable` when they are missing or incomplete: reported, not served;
 *   `file_not_found` when the file was deleted meanwhile.
 */
export async function readContent(
  context: FileContext,
  { id, place, sizeBytes }: StoredFile,
  range: { start: number; end: number },
): Promise<Readable> {
  const storedBytes = await context.storage.files.stat(place);
  const bytes = storedBytes === sizeBytes ? await context.storage.files.read(place, range) : null;
  if (!bytes) {
    await assertNotDeleted(context, id);
    throw new UploadError(
      'storage_unavailable',
      `The storage has ${storedBytes ?? 'none'} of the ${sizeBytes} bytes of this file.`,
      {
        hint: 'Contact the administrator of this server: the file has a record, but its bytes are missing.',
      },
    );
  }
  return bytes;
}

/** Deletes a file permanently. @throws UploadError `file_not_found` when another request was first. */
export async function deleteFile(context: FileContext, file: StoredFile): Promise<void> {
  const time = context.now();
  await context.outbox.transact(async (tx, emit) => {
    if (!(await markDeleted(tx, file.id, time))) throw fileNotFound(file.id);
    await emit({
      type: FILE_DELETED,
      subject: fileSubject(file.id),
      owner: file.owner,
      uploadId: file.uploadId,
      time,
      data: file.record,
    });
  });
  betweenSteps('file.deleted');
  forgetRead(context, file.uploadId);
  await removeBytes(context, file.id);
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

/** True while the event of the deletion of this file is stored. */
export async function wasDeleted(context: FileContext, id: string): Promise<boolean> {
  return await hasEvent(context.db, fileSubject(id), FILE_DELETED);
}

/**
 * To be called when bytes of a file are missing. @throws UploadError `file_not_found` when it was deleted meanwhile.
 */
export async function assertNotDeleted(context: FileContext, id: string): Promise<void> {
  if (!(await findFile(context.db, id))) throw fileNotFound(id);
}

/** The removal is flushed before the record is deleted, so that no power loss restores bytes without a record. */
async function removeBytes(context: FileContext, id: string): Promise<void> {
  await removeStored(context.storage, id);
  betweenSteps('file.removed');
  await forgetFile(context.db, id);
}

export function fileNotFound(id: string): UploadError {
  return new UploadError('file_not_found', `There is no file ${id}.`);
}
