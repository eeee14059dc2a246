import type { Storage } from './storage.ts';

/** Space that is free for new bytes. Infinity when the storage knows no bound. @throws UploadError when it cannot be found out. */
export async function readFreeBytes({ space }: Storage): Promise<number> {
  return space ? (await space.read()).freeBytes : Number.POSITIVE_INFINITY;
}
