/** Makes an object of bytes whose number is not known before. */
import { createHash } from 'node:crypto';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import type { Bucket, PartAnswer } from './bucket.ts';
import { explainS3 } from './errors.ts';
import { PartBody } from './part-body.ts';

/** Of the parts, bytes. Each is held in memory while it is sent. */
const PART_BYTES = 16 * 1024 * 1024;

/**
 * An object of this name that is there stays as it is.
 *
 * @param mostBytes there are no more.
 * @throws UploadError, and the errors of `bytes`; the bucket has no more of the object then.
 */
export async function writeObject(
  bucket: Bucket,
  key: string,
  bytes: AsyncIterable<Buffer>,
  mostBytes: number,
  partBytes = PART_BYTES,
): Promise<void> {
  const id = await bucket.createMultipart(key);
  try {
    const parts: (PartAnswer & { number: number })[] = [];
    for await (const part of inParts(bytes, Math.max(partBytes, Math.ceil(mostBytes / MAX_PART_COUNT)))) {
      const number = parts.length + 1;
      parts.push({ number, ...(await sendPart(bucket, key, id, number, part)) });
    }
    const outcome = await bucket.complete(key, id, parts);
    if (outcome === 'completed') return;
    const isThere = outcome === 'exists' || (typeof outcome === 'object' && (await bucket.head(key)) !== null);
    if (!isThere) throw explainS3(typeof outcome === 'object' ? outcome.unknown : new Error(outcome));
    await bucket.abort(key, id);
  } catch (error) {
    // What stays is found by the sweep.
    await bucket.abort(key, id).catch(() => {});
    throw error;
  }
}

async function sendPart(
  bucket: Bucket,
  key: string,
  id: string,
  number: number,
  bytes: readonly Buffer[],
): Promise<PartAnswer> {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  const sha256 = hash.digest();
  const body = new PartBody();
  body.end(bytes);
  const lengthBytes = bytes.reduce((sum, { length }) => sum + length, 0);
  const never = new AbortController().signal;
  const answer = await bucket.uploadPart(key, id, number, { body, lengthBytes, sha256, headers: {} }, never);
  return { ...answer, checksum: answer.checksum === null ? null : sha256.toString('base64') };
}

/** Pieces of `partBytes` or a little more; the last ones may have fewer. */
async function* inParts(bytes: AsyncIterable<Buffer>, partBytes: number): AsyncGenerator<Buffer[]> {
  let part: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    part.push(chunk);
    length += chunk.length;
    if (length < partBytes) continue;
    yield part;
    part = [];
    length = 0;
  }
  if (length > 0) yield part;
}
