import type { SpaceReporter, Storage } from './storage.ts';

/** A disk that hangs must not delay an answer. */
const SPACE_MS = 2_000;

/**
 * Space that is free for new bytes. Infinity when the storage has no limit. @throws UploadError when it cannot be
 * determined.
 */
export async function readFreeBytes({ space }: Storage): Promise<number> {
  return space ? (await space.read()).freeBytes : Number.POSITIVE_INFINITY;
}

/** For people. Null: the storage has no limit, or does not answer soon. */
export async function readSpace(
  space: SpaceReporter | null,
): Promise<{ free_bytes: number; size_bytes: number } | null> {
  if (!space) return null;
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), SPACE_MS);
  const read = space.read().then(
    ({ freeBytes, sizeBytes }) => ({ free_bytes: freeBytes, size_bytes: sizeBytes }),
    () => null,
  );
  return await Promise.race([read, late]).finally(() => clearTimeout(timer));
}
