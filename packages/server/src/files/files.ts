/** Finds and reads published files. */
import type { Readable } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import type { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Database } from '../db/database.ts';
import { hasEvent } from '../db/events.ts';
import { findFile } from '../db/files.ts';
import { FILE_DELETED, fileSubject } from '../events/event.ts';
import type { Outbox } from '../events/outbox.ts';
import type { Storage } from '../storage/storage.ts';
import { linkFile } from './sidecars.ts';
import { type StoredFile, toStoredFile } from './stored-file.ts';

export interface FileContext {
  readonly db: Database;
  readonly storage: Storage;
  readonly analyzer: MrcAnalyzer;
  readonly outbox: Outbox;
  now(): number;
  newId(): string;
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

export function fileNotFound(id: string): UploadError {
  return new UploadError('file_not_found', `There is no file ${id}.`);
}
