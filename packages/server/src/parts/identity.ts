import type { BigIntStats } from 'node:fs';

/** Tells one file from another one that was put in its place; stays the same when a file is renamed. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
