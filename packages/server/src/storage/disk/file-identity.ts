/** Tells one file from another one that was put in its place; stays the same when a file is renamed. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
