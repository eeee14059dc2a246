/** Pictures of published files in a bucket. */
import { buffer } from 'node:stream/consumers';
import type { PreviewStorage } from '../storage.ts';
import type { Bucket } from './bucket.ts';
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
    for await (const key of this.#bucket.list(`${this.#keys.previews}${fileId}/`)) await this.#bucket.remove(key);
  }

  async list(): Promise<string[]> {
    const ids = new Set<string>();
    const { previews } = this.#keys;
    for await (const key of this.#bucket.list(previews)) {
      const found = this.#keys.parse(previews, key);
      if (found) ids.add(found.id);
    }
    return [...ids];
  }
}
