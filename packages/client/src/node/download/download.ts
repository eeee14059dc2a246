/** Downloads a file in parallel ranges, resumable and verified. The file appears only when it is complete. */
import { createHash } from 'node:crypto';
import { type FileHandle, lstat, rename, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { MIB } from '@cryolift/protocol/plan';
import type { Api } from '../../api/api.ts';
import { ServerError, SourceError, TargetError } from '../../failures.ts';
import { RetryPolicy } from '../../pacing/retry-policy.ts';
import { mayBeHeld, retryWhileHeld } from '../held-file.ts';
import { openRegularFile } from '../regular-file.ts';
import { digestOf, FileDigest } from './file-digest.ts';
import { PartialFolder, type TakeLock } from './partial-folder.ts';
import { placeNew, syncFolder } from './place.ts';
import { countRanges, type DownloadOptions, fetchRange, rangeExtent } from './ranges.ts';
import { fileExists, toNameError, toTargetError } from './target-failure.ts';

const READ_BYTES = 4 * MIB;

export interface DownloadPlace {
  readonly path: string;
  /** Replace an existing file. */
  readonly replace?: boolean | undefined;
  /** No two processes write the same partial file. */
  readonly lock: TakeLock;
}

/**
 * Downloads into a PartialFolder beside `path`, which a later call resumes. A file at `path` is replaced only on
 * request, and only by the whole file. The file that is renamed is the one whose SHA-256 was compared.
 *
 * @throws ServerError, ConnectionError, the signal's reason; TargetError when the file cannot be stored there;
 * SourceError `integrity` when the bytes are not those of the file: then they are removed.
 */
export async function download(
  api: Api,
  file: FileRecord,
  place: DownloadPlace,
  options: DownloadOptions = {},
): Promise<void> {
  try {
    const partial = await PartialFolder.claim(dirname(place.path), file, place.lock);
    try {
      await fill(api, file, place, partial, options);
    } catch (error) {
      if (partial.hasBytes && !makesUseless(error)) await partial.release();
      // The first failure is the one to report.
      else await partial.discard().catch(() => {});
      throw error;
    }
    // The file is complete. What another program holds of the folder stays there.
    await partial.discard().catch((error) => {
      if (!mayBeHeld(error)) throw error;
    });
  } catch (error) {
    throw toTargetError(error, place.path);
  }
}

/** True when the downloaded bytes cannot be used after this failure. */
function makesUseless(error: unknown): boolean {
  // After a failed fsync(2) the bytes in the page cache may differ from those on the disk.
  if (error instanceof Error && 'code' in error && error.code === 'EIO') return true;
  if (error instanceof ServerError) return error.status === 404 || error.status === 410;
  return error instanceof SourceError && error.code === 'integrity';
}

async function fill(
  api: Api,
  file: FileRecord,
  { path, replace }: DownloadPlace,
  partial: PartialFolder,
  options: DownloadOptions,
): Promise<void> {
  const { handle, done } = await partial.open();
  try {
    // All checks that do not need the bytes come before the download.
    await partial.tryName(basename(path)).catch((error) => {
      throw toNameError(error, path, basename(path));
    });
    const mode = await assertFree(path, replace);
    await fetchMissing(api, file, handle, partial, done, options);
    await handle.sync();
    const digest = new FileDigest(file);
    await readAll(handle, digest, options.signal);
    digest.assertWhole();
    if (mode !== null) await handle.chmod(mode);
  } finally {
    await handle.close();
  }
  if (replace) await retryWhileHeld(() => rename(partial.bytesPath, path), options.signal);
  else if (!(await placeNew(partial.bytesPath, path))) {
    throw fileExists(
      path,
      'It was created during the download. Give another name (-o): the downloaded bytes are reused.',
    );
  }
  await syncFolder(dirname(path));
}

/**
 * @returns the mode of the file that will be replaced; the new file gets it. Null when there is none.
 * @throws TargetError
 */
async function assertFree(path: string, replace: boolean | undefined): Promise<number | null> {
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!there) return null;
  if (!replace) throw fileExists(path, 'Give another name (-o), or replace it (--force).');
  // Devices and similar, also behind a symbolic link. Of a link to a file only the link is replaced.
  const isFile = (await stat(path).catch(() => null))?.isFile() ?? there.isSymbolicLink();
  if (!isFile) {
    throw new TargetError(
      'file_exists',
      `${path} is not a regular file and is not replaced.`,
      'Give another name (-o).',
    );
  }
  return there.isFile() ? there.mode & 0o777 : null;
}

async function fetchMissing(
  api: Api,
  file: FileRecord,
  handle: FileHandle,
  partial: PartialFolder,
  done: Set<number>,
  { parallel = 4, signal, onProgress }: DownloadOptions,
): Promise<void> {
  const missing = Array.from({ length: countRanges(file) }, (_, idx) => idx).filter((idx) => !done.has(idx));
  const retryPolicy = new RetryPolicy();
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let doneBytes = [...done].reduce((sum, idx) => sum + rangeExtent(file, idx).length, 0);
  const report = (lastError: string | null) => onProgress?.(doneBytes, file.size, lastError);
  report(null);

  const worker = async () => {
    for (let idx = missing.shift(); idx !== undefined; idx = missing.shift()) {
      const bytes = await fetchRange(api, file, idx, retryPolicy, either, report);
      await writeAll(handle, bytes, rangeExtent(file, idx).offset);
      await handle.datasync();
      done.add(idx);
      doneBytes += bytes.length;
      report(null);
      await partial.note(idx);
    }
  };
  const workers = Array.from({ length: parallel }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    missing.length = 0;
    // A permanent failure ends all ranges, also those that wait.
    stop.abort(error);
    await Promise.allSettled(workers);
    throw error;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
  }
}

async function readAll(
  handle: FileHandle,
  digest: Pick<FileDigest, 'update'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await retryWhileHeld(() => handle.read(buffer, 0, buffer.length, at), signal);
    if (bytesRead === 0) return;
    digest.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** Plain SHA-256 of a local file, hex: what `sha256sum` prints. @throws SourceError when it cannot be opened. */
export async function hashPath(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const { handle } = await openRegularFile(path, signal);
  try {
    await readAll(handle, hash, signal);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Whether a local file has the bytes of a record. @throws SourceError when it cannot be opened. */
export async function hasBytesOf(file: FileRecord, path: string, signal?: AbortSignal): Promise<boolean> {
  const digest = new FileDigest(file);
  const { handle } = await openRegularFile(path, signal);
  try {
    await readAll(handle, digest, signal);
    return digest.end() === digestOf(file);
  } finally {
    await handle.close();
  }
}
