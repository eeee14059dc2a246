/** Makes ids: ULIDs, URL-safe and sortable by time. */
import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

/** Random bytes that are fetched at once: a call for each character of an id costs more than the rest of the id. */
const POOL_BYTES = 1024;

/** @param now milliseconds since 1970. @returns a function whose ids ascend, also within a millisecond. */
export function createIds(now: () => number = Date.now): () => string {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  const next = monotonicFactory(() => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    return (pool[used++] as number) / 256;
  });
  return () => next(now());
}
