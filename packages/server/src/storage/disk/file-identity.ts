/** The identity of a file: differs for a replacement, stays the same after a rename. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/**
 * The identity of a file on every system that mounts its folder: the number of the device is that of a mount. A number
 * of a file may be used again, but not with the same time of birth, which is 0 where the file system has none.
 */
export function receiptOf({ ino, birthtimeNs }: { ino: bigint; birthtimeNs: bigint }): string {
  return `${ino}:${birthtimeNs}`;
}

/** The code of an error: a file has another identity when it is opened again. No system has this code. */
export const REPLACED = 'REPLACED';
