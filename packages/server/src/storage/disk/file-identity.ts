/** The identity of a file: differs for a replacement, stays the same after a rename. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
