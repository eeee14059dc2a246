/** A bucket, by the calls that the storage makes. */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { explainS3, hasNoAnswer, isAbsent, isConflict, isRefusal, isSlowDown, isThere, isWrongPart } from './errors.ts';
import type { PartBody } from './part-body.ts';
import type { S3Settings } from './settings.ts';
import { Throttle } from './throttle.ts';

/** Of one call and of what it repeats. A budget that all calls share bounds the repetitions (the library's "standard" mode). */
const MAX_ATTEMPTS = 5;
const CONNECT_MS = 10_000;
/** Nothing is sent or comes for so long. Clients do not wait longer for a part. */
const SILENT_MS = 30_000;
/** To complete a large upload takes some services minutes, and a download is as slow as its reader. */
const LONG_SILENT_MS = 5 * 60_000;
/** Parts of all uploads that are sent at once, and all other calls. */
const MAX_SOCKETS = 512;

/** A part as it is sent. */
export interface PartUpload {
  readonly body: PartBody;
  /** Of the body as it is sent, encoding included. */
  readonly lengthBytes: number;
  /** Declared before the body, 32 bytes; null: the headers say where it is. */
  readonly sha256: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the service says of a part that it has stored. */
export interface PartAnswer {
  /** Without quotes. */
  readonly etag: string;
  /** SHA-256, base64; null: the service does not say. */
  readonly checksum: string | null;
}

export interface ListedPart extends PartAnswer {
  /** From 1. */
  readonly number: number;
  readonly sizeBytes: number;
}

export interface ObjectHead {
  readonly sizeBytes: number;
  /** Of the digests of the parts, `BASE64-COUNT`; null: the service does not say. */
  readonly checksum: string | null;
}

/** `busy`: another request is at it. `unknown`: no answer, or one that leaves open what was done. */
export type CompleteOutcome = 'completed' | 'exists' | 'busy' | 'absent' | 'wrong_part' | { unknown: unknown };

const SILENT_LOG = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

export class Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly throttle = new Throttle();
  /** For calls that may be silent for longer. */
  readonly #patient: S3Client;

  /** @param silentMs a call fails when nothing was sent or has come for so long. */
  constructor(settings: S3Settings, silentMs = SILENT_MS) {
    this.name = settings.bucket;
    this.client = createClient(settings, silentMs);
    this.#patient = createClient(settings, LONG_SILENT_MS);
  }

  async ping(): Promise<void> {
    await explained(this.client.send(new HeadBucketCommand({ Bucket: this.name })));
  }

  close(): void {
    this.client.destroy();
    this.#patient.destroy();
  }

  /** @returns the id of the multipart upload. */
  async createMultipart(key: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({ ...this.#at(key), ChecksumAlgorithm: 'SHA256' });
    const { UploadId } = await explained(this.client.send(command));
    if (!UploadId) throw explainS3(new Error('no id of a multipart upload'));
    return UploadId;
  }

  /** Sends one part, once. @throws UploadError, BytesGone when there is no such multipart upload. */
  async uploadPart(
    key: string,
    id: string,
    number: number,
    part: PartUpload,
    signal: AbortSignal,
  ): Promise<PartAnswer> {
    const { body, lengthBytes, sha256, headers } = part;
    const command = new UploadPartCommand({
      ...this.#at(key),
      UploadId: id,
      PartNumber: number,
      Body: body,
      ContentLength: lengthBytes,
      ...(sha256 ? { ChecksumAlgorithm: 'SHA256', ChecksumSHA256: Buffer.from(sha256).toString('base64') } : {}),
    });
    command.middlewareStack.add(
      (next) => async (args) => {
        Object.assign((args.request as { headers: Record<string, string> }).headers, headers);
        return await next(args);
      },
      { step: 'build', priority: 'low', name: 'cryoliftPartHeaders' },
    );
    try {
      const { ETag, ChecksumSHA256 = null } = await this.client.send(command, { abortSignal: signal });
      this.throttle.noteTaken();
      if (!ETag) throw new Error('a part without an ETag');
      return { etag: unquote(ETag), checksum: ChecksumSHA256 };
    } catch (error) {
      if (isSlowDown(error)) this.throttle.noteRefused();
      if (hasNoAnswer(error) && !signal.aborted) await this.#assertMultipart(key, id);
      throw explainS3(error);
    }
  }

  /** @returns whether the multipart upload was there. */
  async abort(key: string, id: string): Promise<boolean> {
    try {
      await this.client.send(new AbortMultipartUploadCommand({ ...this.#at(key), UploadId: id }));
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw explainS3(error);
    }
  }

  /** Makes the object of its parts, unless there is one of that name. */
  async complete(
    key: string,
    id: string,
    parts: readonly (PartAnswer & { number: number })[],
  ): Promise<CompleteOutcome> {
    const Parts = parts.map(({ number, etag, checksum }) => ({
      PartNumber: number,
      ETag: `"${etag}"`,
      ...(checksum === null ? {} : { ChecksumSHA256: checksum }),
    }));
    try {
      await this.#patient.send(
        new CompleteMultipartUploadCommand({
          ...this.#at(key),
          UploadId: id,
          MultipartUpload: { Parts },
          IfNoneMatch: '*',
        }),
      );
      return 'completed';
    } catch (error) {
      if (isThere(error)) return 'exists';
      if (isConflict(error)) return 'busy';
      if (isAbsent(error)) return 'absent';
      if (isWrongPart(error)) return 'wrong_part';
      if (isRefusal(error)) throw explainS3(error);
      return { unknown: error };
    }
  }

  /** Null when there is no such object. */
  async head(key: string): Promise<ObjectHead | null> {
    const command = new HeadObjectCommand({ ...this.#at(key), ChecksumMode: 'ENABLED' });
    const answer = await orAbsent(this.client.send(command));
    return answer && { sizeBytes: answer.ContentLength ?? 0, checksum: answer.ChecksumSHA256 ?? null };
  }

  /** Opens the bytes `start` to `end` (inclusive), or all; null when there is no such object or it ends before `start`. */
  async get(key: string, range?: { start: number; end: number }): Promise<Readable | null> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    try {
      const answer = await this.#patient.send(new GetObjectCommand({ ...this.#at(key), ...(Range ? { Range } : {}) }));
      return answer.Body as Readable;
    } catch (error) {
      if (isAbsent(error) || (error as Error).name === 'InvalidRange') return null;
      throw explainS3(error);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await explained(this.client.send(new PutObjectCommand({ ...this.#at(key), Body: bytes })));
  }

  /** @returns false when there was an object of that name. */
  async putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.client.send(new PutObjectCommand({ ...this.#at(key), Body: bytes, IfNoneMatch: '*' }));
      return true;
    } catch (error) {
      if (isThere(error) || isConflict(error)) return false;
      throw explainS3(error);
    }
  }

  /** Safe to repeat. */
  async remove(key: string): Promise<void> {
    await explained(this.client.send(new DeleteObjectCommand(this.#at(key))));
  }

  /** The keys of all objects whose names begin with `prefix`. Not by folders: some services list empty ones. */
  async *list(prefix: string): AsyncGenerator<string> {
    try {
      for await (const page of paginateListObjectsV2({ client: this.client }, { Bucket: this.name, Prefix: prefix })) {
        for (const { Key } of page.Contents ?? []) if (Key) yield Key;
      }
    } catch (error) {
      throw explainS3(error);
    }
  }

  /** A URL with which everybody can read the object for a while. */
  async signGet(key: string, seconds: number): Promise<string> {
    const command = new GetObjectCommand(this.#at(key));
    return await explained(getSignedUrl(this.client, command, { expiresIn: seconds }));
  }

  /**
   * Some services refuse a part of an unknown multipart upload and close the connection while the part is still sent, so
   * that their answer is lost (versitygw).
   *
   * @throws BytesGone when there is none; what else goes wrong is as before.
   */
  async #assertMultipart(key: string, id: string): Promise<void> {
    const command = new ListPartsCommand({ ...this.#at(key), UploadId: id, MaxParts: 1 });
    const error = await this.client.send(command).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null && isAbsent(error)) throw explainS3(error);
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.name, Key: key };
  }
}

function createClient({ endpoint, region, pathStyle, credentials }: S3Settings, silentMs: number): S3Client {
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint ? { endpoint } : {}),
    ...(credentials ? { credentials } : {}),
    maxAttempts: MAX_ATTEMPTS,
    retryMode: 'standard',
    // What we want checked we say in each call: older services do not know the library's own choice.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: silentMs,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
    logger: SILENT_LOG,
  });
}

export function unquote(etag: string): string {
  return etag.replace(/^"|"$/g, '');
}

async function explained<T>(answer: Promise<T>): Promise<T> {
  return await answer.catch((error: unknown) => {
    throw explainS3(error);
  });
}

async function orAbsent<T>(answer: Promise<T>): Promise<T | null> {
  return await answer.catch((error: unknown) => {
    if (isAbsent(error)) return null;
    throw explainS3(error);
  });
}
