/** The metadata of a file. */

import type { Found } from '../files/find-files.ts';
import { Refusal, UsageError } from '../process/exit.ts';

/** Limits of the server (page 7, `POST /uploads/init`). */
const MAX_PAIRS = 32;
const MAX_BYTES = 4096;

type Metadata = Readonly<Record<string, string>>;

/** @throws UsageError when the pairs exceed the limits. */
export function assertMetadata(given: Metadata, recursive: boolean): void {
  if (recursive && 'path' in given) throw new UsageError('--meta path=… cannot be used with -r, which sets this key');
  const pairs = Object.keys(given).length + (recursive ? 1 : 0);
  const bytes = countBytes(given);
  if (pairs <= MAX_PAIRS && bytes <= MAX_BYTES) return;
  throw new UsageError(`${pairs} pairs of metadata, ${bytes} bytes: ${MAX_PAIRS} and ${MAX_BYTES} are allowed`);
}

/** @throws UsageError when the metadata contain another kind. */
export function withKind(given: Metadata, kind: string | undefined): Record<string, string> {
  if (kind === undefined) return given;
  if (given.kind !== undefined && given.kind !== kind) {
    throw new UsageError(`--kind ${kind} and --meta kind=${given.kind}: give only one of them`);
  }
  return { ...given, kind };
}

/**
 * Adds the path below the folder, in NFC, so that it is the same from every operating system.
 *
 * @throws Refusal when the path is too long.
 */
export function withPath(given: Metadata, { inFolder }: Found): Record<string, string> {
  if (inFolder === null) return given;
  const metadata = { ...given, path: inFolder.path.normalize('NFC') };
  const bytes = countBytes(metadata);
  if (bytes <= MAX_BYTES) return metadata;
  throw new Refusal(
    'path_too_long',
    `its path below ${inFolder.folder} is too long: the metadata would have ${bytes} bytes, ${MAX_BYTES} are allowed`,
    'Give a folder closer to the file, or shorter --meta.',
  );
}

function countBytes(metadata: Metadata): number {
  return Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
}
