/** Published files: found, read, deleted. */
import type { Readable } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import { type Database, transact } from '../db/database.ts';
import { hasEvent, insertEvent } from '../db/events.ts';
import { findFile, forgetFile, listFiles, listHalfDeleted, markDeleted } from '../db/files.ts';
import { type Page, toPage } from '../db/page.ts';
import type { FileRow } from '../db/tables.ts';
import type { Bus } from '../events/bus.ts';
import { FILE_DELETED, fileSubject } from '../events/event.ts';
import type { PartStore } from '../storage/storage.ts';
import { toFilePlace, toFileRecord } from './record.ts';

export type { FileRow };

export interface FileRoom {
  readonly db: Database;
  readonly store: PartStore;
  readonly bus: Bus;
  now(): number;
  newId(): string;
}

interface FileLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** @throws UploadError `file_not_found` when there is none that `mayReach` says yes to. */
export async function getFile(room: FileRoom, id: string, mayReach: (owner: string) => boolean): Promise<FileRow> {
  const row = await findFile(room.db, id);
  if (!row || !mayReach(row.owner)) throw fileNotFound(id);
  return row;
}

/** An owner's files, newest first. */
export async function listOwned(
  room: FileRoom,
  owner: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<FileRow>> {
  return toPage(await listFiles(room.db, owner, { before: cursor, limit: limit + 1 }), limit, (row) => row.id);
}

/**
 * Opens bytes `start` to `end` (inclusive) of a file.
 *
 * @throws UploadError `storage_unavailable` when they are not there or not all there: reported, not served;
 *   `file_not_found` when the file was deleted meanwhile.
 */
export async function readContent(
  room: FileRoom,
  row: FileRow,
  range: { start: number; end: number },
): Promise<Readable> {
  const place = toFilePlace(row);
  const sizeBytes = await room.store.statFile(place);
  const bytes = sizeBytes === row.size ? await room.store.readFile(place, range) : null;
  if (!bytes) {
    await assertNotDeleted(room, row);
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
export async function deleteFile(room: FileRoom, row: FileRow): Promise<void> {
  const time = room.now();
  await transact(room.db, async (tx) => {
    if (!(await markDeleted(tx, row.id, time))) throw fileNotFound(row.id);
    const data = JSON.stringify(toFileRecord(row, null));
    await insertEvent(tx, {
      id: room.newId(),
      type: FILE_DELETED,
      subject: fileSubject(row.id),
      owner: row.owner,
      time,
      data,
    });
  });
  room.bus.noteNews({ owner: row.owner, uploadId: row.upload_id });
  room.store.forgetDigest(row.upload_id);
  await removeBytes(room, row);
}

/** Goes on with deletions that were cut off; one that fails does not hold up the others. @returns how many were finished. */
export async function finishDeletions(room: FileRoom, log: FileLog): Promise<number> {
  let finished = 0;
  for (const row of await listHalfDeleted(room.db)) {
    try {
      await removeBytes(room, row);
      finished++;
    } catch (error) {
      log.error({ file_id: row.id, err: error }, 'the bytes of a deleted file were not removed');
    }
  }
  return finished;
}

/** Whether a deletion of this file is on record, as long as its event is kept. */
export async function wasDeleted(room: FileRoom, id: string): Promise<boolean> {
  return await hasEvent(room.db, fileSubject(id), FILE_DELETED);
}

/** To be asked when bytes of a file are not there. @throws UploadError `file_not_found` when it was deleted meanwhile. */
export async function assertNotDeleted(room: FileRoom, row: FileRow): Promise<void> {
  if (!(await findFile(room.db, row.id))) throw fileNotFound(row.id);
}

/** The removal is on the disk before the record goes: no power loss brings bytes back that have no record. */
async function removeBytes(room: FileRoom, row: FileRow): Promise<void> {
  await room.store.removeFile(row.id);
  await forgetFile(room.db, row.id);
}

export function fileNotFound(id: string): UploadError {
  return new UploadError('file_not_found', `There is no file ${id}.`);
}
