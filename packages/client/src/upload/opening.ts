/** Finds the upload of an earlier run, or opens a new one. */
import { isMrcName, isTiffName } from '@cryolift/mrc';
import type { FileRecord, InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import type { Api } from '../api/api.ts';
import type { CallOptions } from '../api/authorized-transport.ts';
import { ForeignReplyError, ServerError, SourceError } from '../failures.ts';
import type { ResumeKey, ResumeStore, Source } from '../ports.ts';
import type { Claims } from './claims.ts';
import { preferPartSize } from './part-size.ts';
import { assertMatchesRecord, fingerprintAt, fingerprintOfCopy } from './same-file.ts';
import type { UploadOptions } from './upload-options.ts';

/** The server needs 1,024 bytes to check an MRC or a TIFF file. */
const HEADER_BYTES = 4096;
const OPEN: readonly UploadRecord['status'][] = ['pending', 'uploading'];
/** States in which an upload can continue. A completed one only has to be reported. */
const OF_USE: readonly UploadRecord['status'][] = [...OPEN, 'verifying', 'completed'];
const CANCELLABLE: readonly UploadRecord['status'][] = [...OPEN, 'verifying', 'failed'];

export interface Opening {
  readonly api: Api;
  readonly resumeStore: ResumeStore;
  readonly key: ResumeKey;
  readonly source: Source;
  /** The fingerprint of the file. */
  readonly fingerprint: string;
  readonly options: UploadOptions;
  /** Uploads that belong to other files. */
  readonly others: ReadonlySet<string>;
  readonly claims: Claims;
  /** Options of every call. */
  readonly call: CallOptions;
  /** The duration of the fastest call so far, milliseconds. */
  roundTripMs(): number;
  /** Repeats a call that is safe to repeat, while its error is temporary. */
  retry<Result>(call: () => Promise<Result>): Promise<Result>;
}

/** An upload that only this task works on. */
export interface Opened {
  readonly upload: UploadRecord;
  /**
   * True when the upload certainly belongs to this file: it was started for it, and the file is unchanged. Otherwise
   * its parts must be compared before anything is sent.
   */
  readonly isOwn: boolean;
  /** The fingerprint that it was opened with. */
  readonly openedWith: string;
}

/**
 * Finds the upload of this file by its resume record, then by its fingerprint, or opens a new one. The upload is
 * claimed.
 *
 * @throws SourceError `source_changed` when the file has changed since the recorded upload began.
 */
export async function findOrStartUpload(opening: Opening): Promise<Opened> {
  const { resumeStore, key, source, fingerprint, options, others, claims } = opening;
  const resumeRecord = await resumeStore.load(key);
  if (resumeRecord && !others.has(resumeRecord.uploadId) && claims.take(resumeRecord.uploadId)) {
    const { uploadId, openedWith, identity, sizeBytes } = resumeRecord;
    try {
      const upload = await findUpload(opening, uploadId);
      if (upload && options.restart) await cancelUpload(opening, upload);
      else if (upload && OF_USE.includes(upload.status) && upload.size === sizeBytes) {
        assertMatchesRecord(source, fingerprint, resumeRecord);
        return { upload, isOwn: identity !== null && identity === source.identity, openedWith };
      }
    } catch (error) {
      claims.release(uploadId);
      throw error;
    }
    claims.release(uploadId);
  }
  return await startUpload(opening);
}

/** Records that the upload belongs to this file, as it is now. */
export async function saveResumeRecord(opening: Opening, { upload, openedWith }: Opened): Promise<void> {
  const { resumeStore, key, source, fingerprint } = opening;
  const { sizeBytes, modifiedMs, identity } = source;
  await resumeStore.save({
    ...key,
    sizeBytes,
    modifiedMs,
    identity,
    fingerprint,
    openedWith,
    uploadId: upload.upload_id,
  });
}

/**
 * Applies the metadata of this run to an open upload of this file.
 *
 * @returns the upload after that.
 */
export async function updateMetadata(opening: Opening, { upload, openedWith }: Opened): Promise<UploadRecord> {
  const { options, api, call, retry } = opening;
  if (!OPEN.includes(upload.status) || hasPairs(upload.metadata, options.metadata)) return upload;
  const request = await describe(opening, openedWith);
  const idempotencyKey = crypto.randomUUID();
  const now = await retry(() => api.init(request, idempotencyKey, call));
  if (now.upload_id === upload.upload_id) return now;
  // The upload has ended. The new one is not needed.
  if (!now.resumed) await cancelUpload(opening, now);
  return upload;
}

/**
 * Applies the metadata of this run to a file that an earlier run completed without learning of it.
 *
 * @returns the record after that.
 * @throws SourceError `metadata_differs` when the caller may not change it.
 */
export async function updateFileMetadata(opening: Opening, file: FileRecord): Promise<FileRecord> {
  const { options, api, call, retry } = opening;
  const { metadata } = options;
  if (!metadata || hasPairs(file.metadata, metadata)) return file;
  try {
    return await retry(() => api.changeMetadata(file.file_id, metadata, call));
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    throw new SourceError(
      'metadata_differs',
      `The file is published as ${file.file_id} with the metadata of an earlier run, which could not be changed: ${error.message}`,
      'Change it with a token that permits this, or upload without other metadata.',
      { cause: error },
    );
  }
}

/** True when the metadata has every pair that was given. */
export function hasPairs(
  metadata: Readonly<Record<string, string>> = {},
  given: UploadOptions['metadata'] = {},
): boolean {
  return Object.entries(given).every(([key, value]) => metadata[key] === value);
}

/** Similar files have an upload each. Uses the first one that does not belong to another file. */
async function startUpload(opening: Opening): Promise<Opened> {
  const { options, fingerprint, others, claims } = opening;
  const inTree = await fingerprintAt(options.metadata?.path, fingerprint);
  const tried = new Set<string>();
  for (let copy = 1; ; copy++) {
    const openedWith = fingerprintOfCopy(inTree, copy);
    const upload = await init(opening, openedWith);
    if (tried.has(upload.upload_id)) {
      throw new ForeignReplyError('the server returns the same upload for files with different fingerprints');
    }
    tried.add(upload.upload_id);
    if (others.has(upload.upload_id) || !claims.take(upload.upload_id)) continue;
    return { upload, isOwn: !upload.resumed, openedWith };
  }
}

/** @param isSecond true when the first request, or its answer, was damaged. */
async function init(opening: Opening, openWith: string, isSecond = false): Promise<UploadRecord> {
  const { api, source, call, retry } = opening;
  // The upload that is found may belong to another file. Its metadata is not changed until that is known.
  const request: InitRequest = { ...(await describe(opening, openWith)), keep_metadata: true };
  // Covers a lost reply within this run. Later runs find the upload by its fingerprint.
  const idempotencyKey = crypto.randomUUID();
  const upload = await retry(() => api.init(request, idempotencyKey, call));
  if (isOf(upload, source)) return upload;
  await cancelUpload(opening, upload);
  if (isSecond) throw new ForeignReplyError('the server started an upload for another file');
  return await init(opening, openWith, true);
}

/** A damaged digit would truncate the file. */
function isOf(upload: UploadRecord, { sizeBytes, name }: Source): boolean {
  return upload.size === sizeBytes && upload.filename.normalize() === name.normalize();
}

async function describe(opening: Opening, key: string): Promise<InitRequest> {
  const { source, options } = opening;
  const { metadata, sha256, force } = options;
  const partSizeBytes = options.partSizeBytes ?? (await choosePartSize(opening));
  const isChecked = isMrcName(source.name) || isTiffName(source.name);
  const header = isChecked ? new Uint8Array(Math.min(HEADER_BYTES, source.sizeBytes)) : null;
  if (header) await source.read(0, header);
  return {
    filename: source.name,
    size: source.sizeBytes,
    fingerprint: key,
    ...(header ? { header: btoa(String.fromCharCode(...header)) } : {}),
    ...(metadata ? { metadata } : {}),
    ...(partSizeBytes ? { part_size: partSizeBytes } : {}),
    ...(sha256 ? { sha256 } : {}),
    ...(force ? { force } : {}),
  };
}

/** @returns undefined when the default of the server is as small. */
async function choosePartSize(opening: Opening): Promise<number | undefined> {
  const { api, source, call, retry, roundTripMs } = opening;
  // The call shows the round trip, too: the first one may have opened a connection.
  if (preferPartSize(source.sizeBytes, Number.POSITIVE_INFINITY) === null) return undefined;
  const { part_size } = await retry(() => api.limits(call));
  const preferred = preferPartSize(source.sizeBytes, roundTripMs());
  return preferred !== null && preferred < part_size ? preferred : undefined;
}

/** @returns null when the server does not have the upload any more, or its file was deleted. */
async function findUpload({ api, call, retry }: Opening, uploadId: string): Promise<UploadRecord | null> {
  try {
    const upload = await retry(() => api.upload(uploadId, call));
    if (upload.status === 'completed') await retry(() => api.complete(uploadId, undefined, call));
    return upload;
  } catch (error) {
    const gone = ['upload_not_found', 'upload_expired', 'file_not_found'];
    if (error instanceof ServerError && gone.includes(error.code)) return null;
    throw error;
  }
}

export async function cancelUpload({ api, call, retry }: Opening, upload: UploadRecord): Promise<void> {
  if (!CANCELLABLE.includes(upload.status)) return;
  try {
    await retry(() => api.cancel(upload.upload_id, call));
  } catch (error) {
    if (!(error instanceof ServerError && error.code === 'upload_not_found')) throw error;
  }
}
