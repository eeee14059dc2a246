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
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { durableStep } from '../../durable-step.ts';
import { createClient, LONG_SILENT_MS, SILENT_MS } from './client.ts';
import {
  explainS3,
  hasNoAnswer,
  isAbsent,
  isConflict,
  isRefusal,
  isSlowDown,
  isThere,
  isUnknownCall,
  isWrongPart,
} from './errors.ts';
import type { PartBody } from './part-body.ts';
import type { S3Settings } from './settings.ts';
import { Throttle } from './throttle.ts';

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
  /** Without quotes; '': the service does not say. */
  readonly etag: string;
}

/** `busy`: another request is at it. `unknown`: no answer, or one that leaves open what was done. */
export type CompleteOutcome = 'completed' | 'exists' | 'busy' | 'absent' | 'wrong_part' | { unknown: unknown };

export class Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly throttle = new Throttle();
  /** For calls that may be silent for longer. */
  readonly patient: S3Client;

  /** @param silentMs a call fails when nothing was sent or has come for so long. */
  constructor(settings: S3Settings, silentMs = SILENT_MS) {
    this.name = settings.bucket;
    this.client = createClient(settings, silentMs);
    this.patient = createClient(settings, LONG_SILENT_MS);
  }

  /**
   * By the clock of the service, which the library knows when that differs from ours by five minutes: a signed URL counts
   * from then.
   */
  get signingDate(): Date {
    return new Date(Date.now() + this.client.config.systemClockOffset);
  }

  async ping(): Promise<void> {
    await explained(this.client.send(new HeadBucketCommand({ Bucket: this.name })));
  }

  close(): void {
    this.client.destroy();
    this.patient.destroy();
  }

  /** @returns the id of the multipart upload. */
  async createMultipart(key: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({ ...this.#at(key), ChecksumAlgorithm: 'SHA256' });
    const { UploadId } = await explained(durableStep('s3.create', () => this.client.send(command)));
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
      const { ETag, ChecksumSHA256 = null } = await durableStep('s3.upload-part', () =>
        this.client.send(command, { abortSignal: signal }),
      );
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
      const command = new AbortMultipartUploadCommand({ ...this.#at(key), UploadId: id });
      await durableStep('s3.abort', () => this.client.send(command));
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
    const command = new CompleteMultipartUploadCommand({
      ...this.#at(key),
      UploadId: id,
      MultipartUpload: { Parts },
      IfNoneMatch: '*',
    });
    try {
      await durableStep('s3.complete', () => this.patient.send(command));
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
    if (!answer) return null;
    const { ContentLength = 0, ChecksumSHA256 = null, ETag = '' } = answer;
    return { sizeBytes: ContentLength, checksum: ChecksumSHA256, etag: unquote(ETag) };
  }

  /** Opens the bytes `start` to `end` (inclusive), or all; null when there is no such object or it ends before `start`. */
  async get(key: string, range?: { start: number; end: number }): Promise<Readable | null> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    try {
      const answer = await this.patient.send(new GetObjectCommand({ ...this.#at(key), ...(Range ? { Range } : {}) }));
      return answer.Body as Readable;
    } catch (error) {
      if (isAbsent(error) || (error as Error).name === 'InvalidRange') return null;
      throw explainS3(error);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ ...this.#at(key), Body: bytes });
    await explained(durableStep('s3.put', () => this.client.send(command)));
  }

  /** @returns false when there was an object of that name. */
  async putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    const command = new PutObjectCommand({ ...this.#at(key), Body: bytes, IfNoneMatch: '*' });
    try {
      await durableStep('s3.put-new', () => this.client.send(command));
      return true;
    } catch (error) {
      if (isThere(error) || isConflict(error)) return false;
      throw explainS3(error);
    }
  }

  /** Safe to repeat. */
  async remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#at(key));
    await explained(durableStep('s3.remove', () => this.client.send(command)));
  }

  /**
   * Removes this object, and none that has taken its place since, where the service knows conditional deletions; others
   * ignore the condition.
   */
  async removeExactly(key: string, etag: string): Promise<void> {
    if (etag === '') return await this.remove(key);
    const command = new DeleteObjectCommand({ ...this.#at(key), IfMatch: `"${etag}"` });
    try {
      await durableStep('s3.remove-exactly', () => this.client.send(command));
    } catch (error) {
      if (isUnknownCall(error)) return await this.remove(key);
      if (!isThere(error) && !isAbsent(error)) throw explainS3(error);
    }
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
    return await explained(getSignedUrl(this.client, command, { expiresIn: seconds, signingDate: this.signingDate }));
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
