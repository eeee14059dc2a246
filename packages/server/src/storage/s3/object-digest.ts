/** SHA-256 of an object and of selected parts of it, in one pass. */
import type { PartSelection } from '../places.ts';
import type { PartSink, WholeDigest } from '../upload-storage.ts';
import type { Bucket } from './bucket.ts';
import { readObject } from './object-stream.ts';

/** @param openHash opens a sink that only hashes. @throws BytesGone, UploadError, or the reason of `signal`. */
export async function digestObject(
  bucket: Bucket,
  key: string,
  sizeBytes: number,
  unverified: PartSelection | null,
  openHash: () => PartSink,
  signal?: AbortSignal,
): Promise<WholeDigest> {
  const whole = openHash();
  const parts = new Map<number, Uint8Array>();
  let part: PartSink | null = null;
  let at = 0;
  try {
    for await (const chunk of readObject(bucket, key, sizeBytes)) {
      signal?.throwIfAborted();
      await whole.write(chunk);
      for (let from = 0; unverified && from < chunk.length; ) {
        const idx = Math.floor((at + from) / unverified.partSizeBytes);
        const partEnd = Math.min((idx + 1) * unverified.partSizeBytes, sizeBytes);
        const to = Math.min(chunk.length, partEnd - at);
        if (unverified.selected[idx]) {
          part ??= openHash();
          await part.write(chunk.subarray(from, to));
          if (at + to === partEnd) {
            parts.set(idx, (await part.commit()).sha256);
            part = null;
          }
        }
        from = to;
      }
      at += chunk.length;
    }
    return { sha256: (await whole.commit()).sha256, parts };
  } finally {
    await Promise.all([whole.abort(), part?.abort()]);
  }
}
