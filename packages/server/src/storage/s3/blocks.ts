/**
 * Memory of bytes on their way to the object storage, which is used again: fresh memory costs a collection of V8's, and the
 * first touch of each page.
 */
export const BLOCK_BYTES = 256 * 1024;
/** Kept while nobody uses them. */
const MAX_FREE = 64;

const free: Buffer[] = [];

export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
}

/** @param block that nobody reads any more. One that is not given back is collected. */
export function giveBlock(block: Buffer): void {
  if (free.length < MAX_FREE) free.push(block);
}
