/** `cryolift verify PATH FILE_ID`: compares a local file with the server's digest, without moving it. */
import { hashPath } from '@cryolift/client/node';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { openNamed } from '../files/open-named.ts';
import { type Lines, Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

export async function verify(
  path: string,
  id: string,
  flags: ConnectionOptions & { json?: boolean },
): Promise<ExitCode> {
  const source = await openNamed(path);
  const size = source.sizeBytes;
  await source.close();
  const file = await connect(flags, 'files:read').file(id);
  // Files of different size need no hashing.
  const sha256 = size === file.size ? await hashPath(path, interruptible()) : null;
  const same = sha256 === file.sha256;
  const result = { path, file_id: id, same, size, sha256, server_size: file.size, server_sha256: file.sha256 };
  new Output(flags.json).result(result, () => describe(result));
  return same ? EXIT.done : EXIT.failed;
}

interface Comparison {
  path: string;
  same: boolean;
  size: number;
  sha256: string | null;
  server_size: number;
  server_sha256: string;
}

function describe({ path, same, size, sha256, server_size, server_sha256 }: Comparison): Lines {
  if (same) return `${path}: identical, sha256 ${sha256}`;
  if (sha256 === null) return `${path}: DIFFERENT, ${size} bytes here, ${server_size} on the server`;
  return [`${path}: DIFFERENT`, `  here    sha256 ${sha256}`, `  server  sha256 ${server_sha256}`];
}
