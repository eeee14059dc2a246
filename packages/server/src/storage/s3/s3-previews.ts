/** Pictures of published files in a bucket. */
import { buffer } from 'node:stream/consumers';
import type { PreviewStorage } from '../storage.ts';
import type { Bucket } from './bucket.ts';
import { listIds, removeId } from './folders.ts';
import type { Keys } from './keys.ts';

export class S3Previews implements PreviewStorage {
  readonly #bucket: Bucket;
  readonly #keys: Keys;

  constructor(bucket: Bucket, keys: Keys) {
    this.#bucket = bucket;
    this.#keys = keys;
  }

  async keep(fileId: string, name: string, png: Uint8Array): Promise<void> {
    await this.#bucket.put(this.#keys.ofPreview(fileId, name), png);
  }

  async read(fileId: string, name: string): Promise<Uint8Array | null> {
    const body = await this.#bucket.get(this.#keys.ofPreview(fileId, name));
    return body && (await buffer(body));
  }

  async remove(fileId: string): Promise<void> {
    await removeId(this.#bucket, this.#keys.previews, fileId);
  }

  async list(): Promise<string[]> {
    return await listIds(this.#bucket, this.#keys, this.#keys.previews);
  }
}
