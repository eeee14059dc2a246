/** The storage in a bucket of an S3-compatible service. Nothing that it needs is in the memory of one process. */
import { CompressedFiles } from '../compressed/compressed-files.ts';
import type { Writers } from '../disk/threads/writers.ts';
import type { FileCompressor } from '../file-compressor.ts';
import type { LateDigester, Storage } from '../storage.ts';
import type { PartSink } from '../upload-storage.ts';
import { Bucket } from './bucket.ts';
import { Keys } from './keys.ts';
import { digestObject } from './object-digest.ts';
import { S3Files } from './s3-files.ts';
import { S3Pieces } from './s3-pieces.ts';
import { S3Presigner } from './s3-presigner.ts';
import { S3Previews } from './s3-previews.ts';
import { S3Uploads } from './s3-uploads.ts';
import type { S3Settings } from './settings.ts';

export class S3Storage implements Storage {
  readonly uploads: S3Uploads;
  readonly pieces: S3Pieces;
  readonly files: CompressedFiles;
  readonly compressor: FileCompressor;
  readonly previews: S3Previews;
  readonly hasOtherWriters = false;
  readonly staged = null;
  readonly prefixes = null;
  readonly lateDigests: LateDigester;
  readonly space = null;
  #presigner: S3Presigner | null = null;
  readonly #bucket: Bucket;
  readonly #keys: Keys;
  readonly #writers: Writers;

  /** @param writers hash the bytes; the storage closes them. */
  constructor(settings: S3Settings, writers: Writers) {
    this.#bucket = new Bucket(settings);
    this.#keys = new Keys(settings.prefix);
    this.#writers = writers;
    const openHash = () => this.openHash();
    this.uploads = new S3Uploads(this.#bucket, this.#keys, openHash);
    this.pieces = new S3Pieces(this.#bucket, this.#keys);
    this.files = new CompressedFiles(new S3Files(this.#bucket, this.#keys, openHash), openHash);
    this.compressor = this.files;
    this.previews = new S3Previews(this.#bucket, this.#keys);
    this.lateDigests = {
      digest: async (file, parts, signal) =>
        await digestObject(this.#bucket, this.#keys.ofFile(file), file.sizeBytes, parts, openHash, signal),
    };
  }

  /** Null until `offerDirect`. */
  get presigner(): S3Presigner | null {
    return this.#presigner;
  }

  /**
   * Lets clients send parts to the bucket, if the service refuses other bytes than were signed.
   *
   * @returns false when it does not, or does not answer: parts go through this server.
   */
  async offerDirect(): Promise<boolean> {
    this.#presigner = await S3Presigner.open(this.#bucket, this.#keys);
    return this.#presigner !== null;
  }

  /**
   * Marks the prefix as that of a database: servers of another one would sweep its uploads away. Safe to repeat.
   *
   * @returns false when it is marked as another's.
   */
  async claim(databaseId: string): Promise<boolean> {
    const mark = Buffer.from(JSON.stringify({ database_id: databaseId }));
    if (await this.#bucket.putNew(this.#keys.owner, mark)) return true;
    const found = await this.#bucket.get(this.#keys.owner);
    return found !== null && Buffer.concat((await found.toArray()) as Buffer[]).equals(mark);
  }

  openHash(): PartSink {
    return this.#writers.open(null);
  }

  async ping(): Promise<void> {
    await this.#bucket.ping();
  }

  async close(): Promise<void> {
    await this.#writers.close();
    this.#bucket.close();
  }
}
