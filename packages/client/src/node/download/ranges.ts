/** Fetches a published file in ranges of equal size. Each can be requested again. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { MIB } from '@cryolift/protocol/plan';
import type { Api } from '../../api/api.ts';
import type { RetryPolicy } from '../../pacing/retry-policy.ts';
import { digestOf } from './file-digest.ts';

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

/** @throws ServerError, ConnectionError, or the signal's reason. */
export async function fetchRange(
  api: Api,
  file: FileRecord,
  idx: number,
  retryPolicy: RetryPolicy,
  signal: AbortSignal | undefined,
  onRetry: (lastError: string) => void,
): Promise<Uint8Array> {
  const { offset, length } = rangeExtent(file, idx);
  const call = () => api.content(file.file_id, offset, offset + length - 1, `"${digestOf(file)}"`, { signal });
  const bytes = await retryPolicy.retry(call, signal, (error) => onRetry((error as Error).message));
  retryPolicy.noteProgress();
  return bytes;
}
