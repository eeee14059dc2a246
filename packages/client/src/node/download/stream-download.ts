/** Downloads a file into a pipe. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Api } from '../../api/api.ts';
import { RetryPolicy } from '../../pacing/retry-policy.ts';
import { FileDigest } from './file-digest.ts';
import { countRanges, type DownloadOptions, fetchRange } from './ranges.ts';

/**
 * Writes a file in order, for a pipe: with `write`, which is called again only after its promise has settled. The last
 * range is written only when the SHA-256 of the whole is that of the file, so that a reader never receives a complete
 * wrong file.
 *
 * @throws as `download` does, and what `write` throws.
 */
export async function streamDownload(
  api: Api,
  file: FileRecord,
  write: (bytes: Uint8Array) => Promise<void>,
  { parallel = 4, signal, onProgress }: DownloadOptions = {},
): Promise<void> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const retryPolicy = new RetryPolicy();
  const digest = new FileDigest(file);
  const count = countRanges(file);
  const coming: Promise<Uint8Array>[] = [];
  let asked = 0;
  let doneBytes = 0;
  const report = (lastError: string | null) => onProgress?.(doneBytes, file.size, lastError);
  report(null);
  try {
    for (let idx = 0; idx < count; idx++) {
      for (; asked < count && coming.length < parallel; asked++) {
        const range = fetchRange(api, file, asked, retryPolicy, either, report);
        // A failure ends all ranges. The caller that awaits the range reports it.
        range.catch((error) => stop.abort(error));
        coming.push(range);
      }
      const bytes = await (coming.shift() as Promise<Uint8Array>);
      digest.update(bytes);
      if (idx === count - 1) digest.assertWhole();
      await write(bytes);
      doneBytes += bytes.length;
      report(null);
    }
    if (count === 0) digest.assertWhole();
  } finally {
    stop.abort();
    await Promise.allSettled(coming);
  }
}
