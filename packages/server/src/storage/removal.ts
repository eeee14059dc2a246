import type { Storage } from './storage.ts';

/** Removes a published file with its pictures; permanently. Safe to repeat. */
export async function removeStored(storage: Storage, fileId: string): Promise<void> {
  await storage.previews.remove(fileId);
  await storage.files.remove(fileId);
}
