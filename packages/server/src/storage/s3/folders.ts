/** Objects whose keys are `FOLDER/ID/NAME`. */
import type { Bucket } from './bucket.ts';
import type { Keys } from './keys.ts';

/** @param folder one of `Keys`. @returns each id once. */
export async function listIds(bucket: Bucket, keys: Keys, folder: string): Promise<string[]> {
  const ids = new Set<string>();
  for await (const key of bucket.list(folder)) {
    const found = keys.parse(folder, key);
    if (found) ids.add(found.id);
  }
  return [...ids];
}

/** Removes all objects of an id. Safe to repeat. @param folder one of `Keys`. */
export async function removeId(bucket: Bucket, folder: string, id: string): Promise<void> {
  for await (const key of bucket.list(`${folder}${id}/`)) await bucket.remove(key);
}
