/** `cryolift verify PATH FILE`: compares a local file with the server's digest, without moving it. */
import { hasBytesOf, hashPath } from '@cryolift/client/node';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { openNamed } from '../files/open-named.ts';
import { findRecord } from '../library/find-records.ts';
import { type Lines, Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

export async function verify(
  path: string,
  reference: string,
  flags: ConnectionOptions & { json?: boolean },
): Promise<ExitCode> {
  const source = await openNamed(path);
  const size = source.sizeBytes;
  await source.close();
  const file = await findRecord(connect(flags, 'files:read'), reference, interruptible());
  // Files of different size need no hashing.
  const sha256 = size === file.size ? await hashPath(path, interruptible()) : null;
  // Before the server has read the file, it knows the digests of the parts.
  const same = file.sha256 === null ? await hasBytesOf(file, path, interruptible()) : sha256 === file.sha256;
  const result = {
    path,
    file_id: file.file_id,
    same,
    size,
    sha256,
    server_size: file.size,
    server_sha256: file.sha256,
  };
  new Output(flags.json).result(result, () => describe(result));
  return same ? EXIT.done : EXIT.failed;
}

interface Comparison {
  path: string;
  same: boolean;
  size: number;
  sha256: string | null;
  server_size: number;
  /** Null: the server has not read the file yet. */
  server_sha256: string | null;
}

function describe({ path, same, size, sha256, server_size, server_sha256 }: Comparison): Lines {
  if (same) return `${path}: identical, sha256 ${sha256}`;
  if (sha256 === null) return `${path}: DIFFERENT, ${size} bytes here, ${server_size} on the server`;
  return [
    `${path}: DIFFERENT`,
    `  here    sha256 ${sha256}`,
    `  server  sha256 ${server_sha256 ?? '(not known yet; its parts differ)'}`,
  ];
}
