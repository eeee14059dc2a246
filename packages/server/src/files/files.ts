/** Published files: found, read, deleted. */
import type { Readable } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import type { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Database } from '../db/database.ts';
import { hasEvent } from '../db/events.ts';
import { findFile, forgetFile, listFiles, listHalfDeleted, markDeleted } from '../db/files.ts';
import { type Page, toPage } from '../db/page.ts';
import type { FileRow } from '../db/tables.ts';
import { FILE_DELETED, fileSubject } from '../events/event.ts';
import type { Outbox } from '../events/outbox.ts';
import { removeStored } from '../storage/removal.ts';
import type { Storage } from '../storage/storage.ts';
import { toFilePlace, toFileRecord } from './record.ts';

export type { FileRow };

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

/** @throws UploadError `file_not_found` when there is none that `mayAccess` says yes to. */
export async function getFile(
  context: FileContext,
  id: string,
  mayAccess: (owner: string) => boolean,
): Promise<FileRow> {
  const row = await findFile(context.db, id);
  if (!row || !mayAccess(row.owner)) throw fileNotFound(id);
  return row;
}

/** An owner's files, newest first. */
export async function listOwned(
  context: FileContext,
  owner: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<FileRow>> {
  return toPage(await listFiles(context.db, owner, { before: cursor, limit: limit + 1 }), limit, (row) => row.id);
}

/**
 * Opens bytes `start` to `end` (inclusive) of a file.
 *
 * @throws UploadError `storage_unavailable` when they are not there or not all there: reported, not served;
 *   `file_not_found` when the file was deleted meanwhile.
 */
export async function readContent(
  context: FileContext,
  row: FileRow,
  range: { start: number; end: number },
): Promise<Readable> {
  const place = toFilePlace(row);
  const sizeBytes = await context.storage.files.stat(place);
  const bytes = sizeBytes === row.size ? await context.storage.files.read(place, range) : null;
  if (!bytes) {
    await assertNotDeleted(context, row);
    throw new UploadError(
      'storage_unavailable',
      `The storage has ${sizeBytes ?? 'none'} of the file's ${row.size} bytes.`,
      {
        hint: 'Tell whoever runs this server: the record is there, the bytes are not.',
      },
    );
  }
  return bytes;
}

/** Deletes a file for good. @throws UploadError `file_not_found` when another request was first. */
export async function deleteFile(context: FileContext, row: FileRow): Promise<void> {
  const time = context.now();
  await context.outbox.transact(async (tx, emit) => {
    if (!(await markDeleted(tx, row.id, time))) throw fileNotFound(row.id);
    await emit({
      type: FILE_DELETED,
      subject: fileSubject(row.id),
      owner: row.owner,
      uploadId: row.upload_id,
      time,
      data: toFileRecord(row, null),
    });
  });
  context.storage.prefixes?.forget(row.upload_id);
  void context.analyzer.forget(row.upload_id);
  await removeBytes(context, row);
}

/** Goes on with deletions that were cut off; one that fails does not hold up the others. @returns how many were finished. */
export async function finishDeletions(context: FileContext, log: FileLog): Promise<number> {
  let finished = 0;
  for (const row of await listHalfDeleted(context.db)) {
    try {
      await removeBytes(context, row);
      finished++;
    } catch (error) {
      log.error({ file_id: row.id, err: error }, 'the bytes of a deleted file were not removed');
    }
  }
  return finished;
}

/** Whether a deletion of this file is on record, as long as its event is kept. */
export async function wasDeleted(context: FileContext, id: string): Promise<boolean> {
  return await hasEvent(context.db, fileSubject(id), FILE_DELETED);
}

/** To be asked when bytes of a file are not there. @throws UploadError `file_not_found` when it was deleted meanwhile. */
export async function assertNotDeleted(context: FileContext, row: FileRow): Promise<void> {
  if (!(await findFile(context.db, row.id))) throw fileNotFound(row.id);
}

/** The removal is on the disk before the record goes: no power loss brings bytes back that have no record. */
async function removeBytes(context: FileContext, row: FileRow): Promise<void> {
  await removeStored(context.storage, row.id);
  await forgetFile(context.db, row.id);
}

export function fileNotFound(id: string): UploadError {
  return new UploadError('file_not_found', `There is no file ${id}.`);
}
