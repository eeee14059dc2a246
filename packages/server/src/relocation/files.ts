/** Published files, several at a time. What the target has in full was verified before it was published there. */
import type { Database } from '../db/database.ts';
import { findFile, listFileIds, listFilesAfter, recordDigest } from '../db/files.ts';
import { endJobsOf } from '../db/jobs.ts';
import type { FileRow } from '../db/tables.ts';
import { Bus } from '../events/bus.ts';
import { FILE_DIGEST_READY } from '../events/event.ts';
import { Outbox } from '../events/outbox.ts';
import { fileEvent } from '../files/file-event.ts';
import { DIGEST_JOB } from '../files/late-digest.ts';
import { toFilePlace } from '../files/record.ts';
import { createIds } from '../ids.ts';
import { removeStored } from '../storage/removal.ts';
import { forEachOf } from './concurrent.ts';
import { type FaultKind, FileFault } from './faults.ts';
import { copyFile } from './file-copy.ts';
import { eachRow } from './pages.ts';
import type { OpenSide } from './sides.ts';

const BATCH = 500;
const FILES_AT_ONCE = 4;
/** The storage of the source is at fault, not its files. */
const MAX_UNREADABLE = 20;
/** Above all ids. */
const LAST_ID = '~';

export interface FaultyFile {
  readonly fileId: string;
  readonly filename: string;
  readonly fault: FaultKind;
  readonly message: string;
}

interface CopyOptions {
  readonly signal: AbortSignal;
  onBytes(bytes: number): void;
  /** A file is at the target. @param isCopied false: it was there before. */
  onFile(row: FileRow, isCopied: boolean): void;
}

/** @returns the files that could not be copied. @throws the errors of the target, or of a source that cannot be read. */
export async function copyFiles(source: OpenSide, target: OpenSide, options: CopyOptions): Promise<FaultyFile[]> {
  const faulty: FaultyFile[] = [];
  let unreadableInARow = 0;
  await forEachOf(eachFile(source.db), FILES_AT_ONCE, async (row) => {
    options.signal.throwIfAborted();
    try {
      options.onFile(row, await copyOnce(source, target, row, options));
      unreadableInARow = 0;
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      faulty.push({ fileId: row.id, filename: row.filename, fault: error.fault, message: error.message });
      unreadableInARow = error.fault === 'unreadable' ? unreadableInARow + 1 : 0;
      if (unreadableInARow === MAX_UNREADABLE) {
        throw new Error(`${MAX_UNREADABLE} files in a row cannot be read at the source: ${error.message}`);
      }
    }
  });
  return faulty.sort((a, b) => (a.fileId < b.fileId ? -1 : 1));
}

/** Removes files at the target whose records are gone: the source was used between two runs. */
export async function removeUnknown({ db, storage }: OpenSide): Promise<void> {
  const recorded = await listFileIds(db);
  for (const id of await storage.files.list()) if (!recorded.has(id)) await removeStored(storage, id);
}

function eachFile(db: Database): AsyncGenerator<FileRow> {
  return eachRow((after) => listFilesAfter(db, { after, until: LAST_ID, limit: BATCH }));
}

/** @returns false when it was there before. */
async function copyOnce(source: OpenSide, target: OpenSide, row: FileRow, options: CopyOptions): Promise<boolean> {
  if ((await target.storage.files.stat(toFilePlace(row))) === row.size) return false;
  await copyFile(source.storage, target.storage, row, {
    ...options,
    async onVerified(sha256) {
      if (row.sha256 === null) await recordLateDigest(target.db, row.id, sha256);
    },
  });
  return true;
}

/** As the job does it that reads a file of a bucket after it was published. */
async function recordLateDigest(db: Database, fileId: string, sha256: Uint8Array): Promise<void> {
  const outbox = new Outbox(db, new Bus(), createIds());
  const nowMs = Date.now();
  await outbox.transact(async (tx, emit) => {
    const row = (await recordDigest(tx, fileId, sha256)) ?? (await findFile(tx, fileId));
    await endJobsOf(tx, fileId, DIGEST_JOB, nowMs);
    if (row) await emit(fileEvent(FILE_DIGEST_READY, row, nowMs));
  });
}
