/** Published files in a bucket: one object each, under the name that its multipart upload was created with. */
import type { Readable } from 'node:stream';
import type { NamedFiles } from '../compressed/named-files.ts';
import type { FilePlace } from '../places.ts';
import type { PartSink } from '../upload-storage.ts';
import type { Bucket } from './bucket.ts';
import { listIds, removeId } from './folders.ts';
import type { Keys } from './keys.ts';
import { listMultiparts } from './multiparts.ts';
import { readObject } from './object-stream.ts';
import { writeObject } from './object-writer.ts';

/** Asked of the pace at a time. */
const PACE_BYTES = 1024 * 1024;
/** A signed URL works for so long, or as long as the credentials that it was signed with. */
const SOURCE_SECONDS = 24 * 3600;

export class S3Files implements NamedFiles {
  readonly #bucket: Bucket;
  readonly #keys: Keys;
  readonly #openHash: () => PartSink;

  constructor(bucket: Bucket, keys: Keys, openHash: () => PartSink) {
    this.#bucket = bucket;
    this.#keys = keys;
    this.#openHash = openHash;
  }

  async read(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null> {
    if (range.end < range.start) return null;
    return await this.#bucket.get(this.#keys.ofFile(file), range);
  }

  async stat(file: FilePlace): Promise<number | null> {
    return (await this.#bucket.head(this.#keys.ofFile(file)))?.sizeBytes ?? null;
  }

  async digest(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    const hash = this.#openHash();
    let [readBytes, pacedBytes] = [0, 0];
    const allow = async (untilBytes: number) => {
      while (pacedBytes < untilBytes) {
        const bytes = Math.min(PACE_BYTES, file.sizeBytes - pacedBytes);
        await pace(bytes);
        pacedBytes += bytes;
      }
    };
    try {
      await allow(Math.min(PACE_BYTES, file.sizeBytes));
      for await (const chunk of readObject(this.#bucket, this.#keys.ofFile(file), file.sizeBytes)) {
        readBytes += chunk.length;
        await allow(readBytes);
        await hash.write(chunk);
      }
      return (await hash.commit()).sha256;
    } finally {
      await hash.abort();
    }
  }

  async remove(fileId: string): Promise<void> {
    await this.#abortWrites(fileId);
    await removeId(this.#bucket, this.#keys.compressed, fileId);
    await removeId(this.#bucket, this.#keys.files, fileId);
  }

  async list(): Promise<string[]> {
    const { files, compressed } = this.#keys;
    const ids = [files, compressed].map((folder) => listIds(this.#bucket, this.#keys, folder));
    return [...new Set((await Promise.all(ids)).flat())];
  }

  locate(file: FilePlace): string {
    return `s3://${this.#bucket.name}/${this.#keys.ofFile(file).split('/').map(encodeURIComponent).join('/')}`;
  }

  async sourceUrl(file: FilePlace): Promise<string> {
    return await this.#bucket.signGet(this.#keys.ofFile(file), SOURCE_SECONDS);
  }

  async writeBeside(at: FilePlace, bytes: AsyncIterable<Buffer>, mostBytes: number): Promise<void> {
    // What a killed process has left. An attempt of another server that is still running fails then, and is repeated.
    await this.#abortWrites(at.fileId);
    await writeObject(this.#bucket, this.#keys.ofFile(at), bytes, mostBytes);
  }

  async removeName(at: FilePlace): Promise<void> {
    await this.#bucket.remove(this.#keys.ofFile(at));
  }

  async #abortWrites(fileId: string): Promise<void> {
    for await (const { key, id } of listMultiparts(this.#bucket, `${this.#keys.compressed}${fileId}/`)) {
      await this.#bucket.abort(key, id);
    }
  }
}
