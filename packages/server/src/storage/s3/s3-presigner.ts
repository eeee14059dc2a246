/** Signed URLs with which clients store parts in the bucket by themselves. */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { partExtent } from '@cryolift/protocol/plan';
import type { StagedUpload } from '../places.ts';
import type { Presigner, SentPart, SignedPut } from '../presigner.ts';
import type { Bucket } from './bucket.ts';
import { explainS3 } from './errors.ts';
import type { Keys } from './keys.ts';
import { listParts } from './multiparts.ts';

const CHECKSUM = 'x-amz-checksum-sha256';
const PROBE_SECONDS = 300;
const PROBE_MS = 30_000;
/** A service that fails now and then is asked again, with growing pauses. */
const PROBE_ATTEMPTS = 8;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2_000];

export class S3Presigner implements Presigner {
  readonly origin: string;
  readonly #bucket: Bucket;
  readonly #keys: Keys;

  private constructor(bucket: Bucket, keys: Keys, origin: string) {
    this.#bucket = bucket;
    this.#keys = keys;
    this.origin = origin;
  }

  /**
   * Tries whether the service refuses a body that differs from the signed checksum. Some services ignore it (decision 76).
   *
   * @returns null when it does not, or when that cannot be found out.
   */
  static async open(bucket: Bucket, keys: Keys): Promise<S3Presigner | null> {
    // Below the folder of files, so that the sweep finds what a killed process leaves.
    const key = `${keys.files}probe-${randomUUID()}/probe`;
    const body = Buffer.from('probe');
    const id = await bucket.createMultipart(key).catch(() => null);
    if (id === null) return null;
    try {
      const put = await signPart(
        bucket,
        key,
        id,
        1,
        body.length,
        createHash('sha256').update(body).digest(),
        PROBE_SECONDS,
      );
      const [right, wrong] = [await send(put, body), await send(put, Buffer.from('wrong'))];
      const { origin } = new URL(put.url);
      return right < 300 && wrong >= 400 && wrong < 500 ? new S3Presigner(bucket, keys, origin) : null;
    } catch {
      return null;
    } finally {
      await bucket.abort(key, id).catch(() => {});
    }
  }

  async sign(upload: StagedUpload, idx: number, sha256: Uint8Array, seconds: number): Promise<SignedPut> {
    const { length } = partExtent(upload.sizeBytes, upload.partSizeBytes, idx);
    const key = this.#keys.ofUpload(upload);
    return await signPart(this.#bucket, key, upload.ref as string, idx + 1, length, sha256, seconds);
  }

  async findSent(upload: StagedUpload, firstIdx: number, lastIdx: number): Promise<SentPart[]> {
    if (upload.ref === null) return [];
    const range = { first: firstIdx + 1, last: lastIdx + 1 };
    const listed = await listParts(this.#bucket, this.#keys.ofUpload(upload), upload.ref, range);
    return (listed ?? []).map(({ number, etag, sizeBytes, checksum }) => ({
      idx: number - 1,
      receipt: etag,
      sizeBytes,
      sha256: checksum === null ? null : Buffer.from(checksum, 'base64'),
    }));
  }
}

async function signPart(
  { client, name, signingDate }: Bucket,
  key: string,
  id: string,
  number: number,
  lengthBytes: number,
  sha256: Uint8Array,
  seconds: number,
): Promise<SignedPut> {
  const checksum = Buffer.from(sha256).toString('base64');
  const command = new UploadPartCommand({
    Bucket: name,
    Key: key,
    UploadId: id,
    PartNumber: number,
    ContentLength: lengthBytes,
    ChecksumSHA256: checksum,
  });
  try {
    // As a header, because not every service compares a checksum in the query with the body.
    const unhoistableHeaders = new Set([CHECKSUM]);
    const url = await getSignedUrl(client, command, { expiresIn: seconds, unhoistableHeaders, signingDate });
    const signed = new URL(url).searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? [];
    if (!signed.includes('content-length') || !signed.includes(CHECKSUM)) {
      throw new Error(`only ${signed} of a part are signed`);
    }
    return { url, headers: { 'Content-Length': String(lengthBytes), [CHECKSUM]: checksum } };
  } catch (error) {
    throw explainS3(error);
  }
}

/** @returns the status of the answer; 500 and above: no answer, or none that says something. */
async function send(put: SignedPut, body: Buffer<ArrayBuffer>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const status = await sendOnce(put, body);
    if ((status < 500 && status !== 429) || attempt === PROBE_ATTEMPTS) return status;
    await delay(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)));
  }
}

async function sendOnce({ url, headers }: SignedPut, body: Buffer<ArrayBuffer>): Promise<number> {
  const { [CHECKSUM]: checksum = '' } = headers;
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const answer = await fetch(url, { method: 'PUT', headers: { [CHECKSUM]: checksum }, body, signal });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return 503;
  }
}
