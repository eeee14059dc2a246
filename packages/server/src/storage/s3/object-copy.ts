/** Copies of objects that the service makes itself: no byte passes through this process. */
import { CopyObjectCommand, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { GIB, MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { durableStep } from '../../durable-step.ts';
import { BytesGone } from '../errors.ts';
import { type Bucket, type PartAnswer, unquote } from './bucket.ts';
import { explainS3, isThere } from './errors.ts';

export interface CopySizes {
  /** The largest object that one call copies, bytes. */
  readonly singleBytes: number;
  /** Of the parts of larger ones, bytes. */
  readonly partBytes: number;
}

/** Of AWS and what is compatible with it. */
const COPY_SIZES: CopySizes = { singleBytes: 5 * GIB, partBytes: GIB };
const PARTS_AT_ONCE = 4;

/**
 * Copies an object. Safe to repeat, and for two at once: both write the same bytes.
 *
 * @throws BytesGone when there is no source of this size, or it was replaced meanwhile; or UploadError.
 */
export async function copyObject(
  bucket: Bucket,
  from: string,
  to: string,
  sizeBytes: number,
  sizes: CopySizes = COPY_SIZES,
): Promise<void> {
  const source = await bucket.head(from);
  if (source?.sizeBytes !== sizeBytes) {
    const found = source?.sizeBytes ?? 'none';
    throw new BytesGone(`The object that is copied has ${found} of ${sizeBytes} bytes.`, { isAbsent: !source });
  }
  if (sizeBytes <= sizes.singleBytes) await copyAtOnce(bucket, from, to, source.etag);
  else await copyInParts(bucket, from, to, { sizeBytes, etag: source.etag }, sizes.partBytes);
  const head = await bucket.head(to);
  if (head?.sizeBytes !== sizeBytes) {
    throw new BytesGone(`The copy of the object has ${head?.sizeBytes ?? 'none'} of ${sizeBytes} bytes.`);
  }
}

/** What both calls say of the source: the same object as was looked at. */
function sourceOf(bucket: Bucket, key: string, etag: string) {
  const path = [bucket.name, ...key.split('/')].map(encodeURIComponent).join('/');
  return { CopySource: path, ...(etag === '' ? {} : { CopySourceIfMatch: `"${etag}"` }) };
}

async function copyAtOnce(bucket: Bucket, from: string, to: string, etag: string): Promise<void> {
  const command = new CopyObjectCommand({ Bucket: bucket.name, Key: to, ...sourceOf(bucket, from, etag) });
  await durableStep('s3.copy', () => bucket.patient.send(command)).catch(explain);
}

async function copyInParts(
  bucket: Bucket,
  from: string,
  to: string,
  { sizeBytes, etag }: { sizeBytes: number; etag: string },
  wantedBytes: number,
): Promise<void> {
  const partBytes = Math.max(wantedBytes, Math.ceil(sizeBytes / MAX_PART_COUNT));
  const id = await bucket.createMultipart(to);
  try {
    const parts: (PartAnswer & { number: number })[] = [];
    const count = Math.ceil(sizeBytes / partBytes);
    let next = 1;
    const copyNext = async () => {
      for (let number = next++; number <= count; number = next++) {
        const start = (number - 1) * partBytes;
        const end = Math.min(start + partBytes, sizeBytes) - 1;
        const range = { CopySourceRange: `bytes=${start}-${end}`, ...sourceOf(bucket, from, etag) };
        const command = new UploadPartCopyCommand({
          ...{ Bucket: bucket.name, Key: to, UploadId: id, PartNumber: number },
          ...range,
        });
        const { CopyPartResult } = await durableStep('s3.copy-part', () => bucket.patient.send(command));
        const { ETag, ChecksumSHA256 = null } = CopyPartResult ?? {};
        if (!ETag) throw new Error('a copied part without an ETag');
        parts.push({ number, etag: unquote(ETag), checksum: ChecksumSHA256 });
      }
    };
    // The others have ended before the multipart upload is given up.
    const ends = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, copyNext));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const outcome = await bucket.complete(
      to,
      id,
      parts.sort((a, b) => a.number - b.number),
    );
    if (outcome === 'completed') return;
    // Another request has made it, or this one without an answer: what is left of this one goes.
    const isMade = outcome === 'exists' || (typeof outcome === 'object' && (await bucket.head(to)) !== null);
    if (isMade) return void (await bucket.abort(to, id));
    throw typeof outcome === 'object' ? outcome.unknown : new Error(`the copied parts were refused: ${outcome}`);
  } catch (error) {
    // What stays is found by the sweep.
    await bucket.abort(to, id).catch(() => {});
    explain(error);
  }
}

function explain(error: unknown): never {
  if (isThere(error)) throw new BytesGone('The object was replaced while it was copied.', { cause: error });
  throw explainS3(error);
}
