/** Fetches a published file in ranges of equal size. Each can be requested again. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { MIB } from '@cryolift/protocol/plan';
import type { Api } from '../../api/api.ts';
import { SourceError } from '../../failures.ts';
import type { RetryPolicy } from '../../pacing/retry-policy.ts';

const RANGE_BYTES = 8 * MIB;

export interface DownloadOptions {
  /** The maximum number of ranges in flight. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Stored or written bytes, total bytes, and the error after which the download waits, or null. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number, lastError: string | null) => void) | undefined;
}

export function countRanges(file: FileRecord): number {
  return Math.ceil(file.size / RANGE_BYTES);
}

export function rangeExtent(file: FileRecord, idx: number): { offset: number; length: number } {
  const offset = idx * RANGE_BYTES;
  return { offset, length: Math.min(RANGE_BYTES, file.size - offset) };
}

/** @throws ServerError, ConnectionError, SourceError `integrity`, or the signal's reason. */
export async function fetchRange(
  api: Api,
  file: FileRecord,
  idx: number,
  retryPolicy: RetryPolicy,
  signal: AbortSignal | undefined,
  onRetry: (lastError: string) => void,
): Promise<Uint8Array> {
  const { offset, length } = rangeExtent(file, idx);
  const call = () => api.content(file.file_id, offset, offset + length - 1, `"${file.sha256}"`, { signal });
  const bytes = await retryPolicy.retry(call, signal, (error) => onRetry((error as Error).message));
  retryPolicy.noteProgress();
  return bytes;
}

/** @throws SourceError `integrity` unless the SHA-256 is that of the file. */
export function assertDigest(file: FileRecord, sha256: string): void {
  if (sha256 === file.sha256) return;
  throw new SourceError(
    'integrity',
    `The downloaded bytes have the SHA-256 ${sha256}, not ${file.sha256}.`,
    'Download it again; if this happens again, contact the administrator of the server.',
  );
}
