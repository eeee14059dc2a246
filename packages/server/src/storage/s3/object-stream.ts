/** The bytes of an object from its first to its last, over connections that may break. */
import { BytesGone } from '../errors.ts';
import type { Bucket } from './bucket.ts';
import { explainS3 } from './errors.ts';

/** Broken connections in a row without a byte between them. */
const MAX_BREAKS = 4;

/**
 * A reader that stops early ends the connection.
 *
 * @throws BytesGone when the object is not there or shorter; UploadError.
 */
export async function* readObject(bucket: Bucket, key: string, sizeBytes: number): AsyncGenerator<Buffer> {
  let at = 0;
  for (let breaks = 0; at < sizeBytes; ) {
    const body = await bucket.get(key, { start: at, end: sizeBytes - 1 });
    if (!body) throw new BytesGone(`The object ends at ${at} of ${sizeBytes} bytes.`, { isAbsent: at === 0 });
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        at += chunk.length;
        breaks = 0;
        yield chunk;
      }
    } catch (error) {
      if (++breaks === MAX_BREAKS) throw explainS3(error);
    }
  }
}
