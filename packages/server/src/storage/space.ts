import type { Storage } from './storage.ts';

/**
 * Space that is free for new bytes. Infinity when the storage has no limit. @throws UploadError when it cannot be
 * determined.
 */
export async function readFreeBytes({ space }: Storage): Promise<number> {
  return space ? (await space.read()).freeBytes : Number.POSITIVE_INFINITY;
}
