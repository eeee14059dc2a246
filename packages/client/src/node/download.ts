/** Getting a file back: in parallel ranges, resumable, verified, there whole or not at all. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { MIB } from '@cryolift/protocol/plan';
import type { Api } from '../api.ts';
import { SourceError } from '../failures.ts';
import { Patience } from '../patience.ts';

const RANGE_BYTES = 8 * MIB;
const READ_BYTES = 4 * MIB;

export interface DownloadOptions {
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that lie in the target's partial file, of all. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Which ranges of a partial file are there; of no use for another file. */
interface Journal {
  sha256: string;
  done: number[];
}

/**
 * Downloads to `path`, by way of `path.part` and a small `path.part.json`, which a later call goes on from.
 *
 * @throws ServerError, ConnectionError, the signal's reason, or SourceError `integrity` when the bytes that came are not
 *   the file's: then the partial file is removed.
 */
export async function download(api: Api, file: FileRecord, path: string, options: DownloadOptions = {}): Promise<void> {
  const partial = `${path}.part`;
  const journalPath = `${partial}.json`;
  const journal = await readJournal(journalPath, file);
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    // A journal without its bytes says nothing.
    if ((await handle.stat()).size !== file.size) journal.done = [];
    await handle.truncate(file.size);
    await fetchRanges(api, file, handle, journalPath, journal, options);
    await handle.sync();
    const sha256 = await hashFile(handle, options.signal);
    if (sha256 !== file.sha256) {
      await rm(journalPath, { force: true });
      await rm(partial, { force: true });
      throw new SourceError(
        'integrity',
        `The bytes that came have the SHA-256 ${sha256}, not ${file.sha256}.`,
        'Download it again; if it stays, tell whoever runs the server.',
      );
    }
  } finally {
    await handle.close();
  }
  await rename(partial, path);
  await rm(journalPath, { force: true });
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

async function fetchRanges(
  api: Api,
  file: FileRecord,
  handle: FileHandle,
  journalPath: string,
  journal: Journal,
  { parallel = 4, signal, onProgress }: DownloadOptions,
): Promise<void> {
  const count = Math.ceil(file.size / RANGE_BYTES);
  const done = new Set(journal.done);
  const missing = Array.from({ length: count }, (_, idx) => idx).filter((idx) => !done.has(idx));
  const lengthOf = (idx: number) => Math.min(RANGE_BYTES, file.size - idx * RANGE_BYTES);
  const patience = new Patience();
  let doneBytes = [...done].reduce((sum, idx) => sum + lengthOf(idx), 0);
  let writing = Promise.resolve();
  onProgress?.(doneBytes, file.size);

  const lane = async () => {
    for (let idx = missing.shift(); idx !== undefined; idx = missing.shift()) {
      const start = idx * RANGE_BYTES;
      const end = start + lengthOf(idx) - 1;
      const call = () => api.content(file.file_id, start, end, `"${file.sha256}"`, { signal });
      const bytes = await patience.retry(call, signal);
      await writeAll(handle, bytes, start);
      await handle.datasync();
      done.add(idx);
      doneBytes += bytes.length;
      patience.noteProgress();
      onProgress?.(doneBytes, file.size);
      const snapshot = JSON.stringify({ sha256: file.sha256, done: [...done] } satisfies Journal);
      writing = writing.then(() => replaceFile(journalPath, snapshot));
      await writing;
    }
  };
  const lanes = Array.from({ length: parallel }, lane);
  try {
    await Promise.all(lanes);
  } catch (error) {
    missing.length = 0;
    await Promise.allSettled(lanes);
    throw error;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
  }
}

async function readJournal(path: string, file: FileRecord): Promise<Journal> {
  try {
    const journal = JSON.parse(await readFile(path, 'utf8')) as Journal;
    if (journal.sha256 === file.sha256 && Array.isArray(journal.done)) return journal;
  } catch {
    // None, or one that was cut off: begin from the first byte.
  }
  return { sha256: file.sha256, done: [] };
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function hashFile(handle: FileHandle, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** Plain SHA-256 of a local file, hex: what `sha256sum` prints. */
export async function hashPath(path: string, signal?: AbortSignal): Promise<string> {
  const handle = await open(path, 'r');
  try {
    return await hashFile(handle, signal);
  } finally {
    await handle.close();
  }
}
