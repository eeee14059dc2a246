/** The metadata of a file. */

import { basename, resolve } from 'node:path';
import { cleanPath } from '@cryolift/protocol/file-path';
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

/** @throws UsageError when the metadata name another dataset. */
export function withDataset(given: Metadata, dataset: string | undefined): Record<string, string> {
  if (dataset === undefined) return given;
  if (given.dataset !== undefined && given.dataset !== dataset) {
    throw new UsageError(`--dataset ${dataset} and --meta dataset=${given.dataset}: give only one of them`);
  }
  return { ...given, dataset };
}

export interface PathFlags {
  /** False: the path begins below the folder that was given; otherwise with its name, as on the page. */
  root?: boolean;
  /** Folders in front of the path. */
  prefix?: string;
}

/**
 * Adds the path of a file that was found in a folder, or has a prefix, in NFC, so that it is the same from every operating system. A path
 * that was given stays.
 *
 * @throws Refusal when the path is too long.
 */
export function withPath(
  given: Metadata,
  { path, inFolder }: Found,
  { root = true, prefix = '' }: PathFlags = {},
): Record<string, string> {
  if (given.path !== undefined || (inFolder === null && prefix === '')) return given;
  const segments =
    inFolder === null ? [basename(path)] : [root ? basename(resolve(inFolder.folder)) : '', inFolder.path];
  const metadata = { ...given, path: cleanPath([prefix, ...segments].join('/')) };
  const bytes = countBytes(metadata);
  if (bytes <= MAX_BYTES) return metadata;
  throw new Refusal(
    'path_too_long',
    `its path ${metadata.path.slice(0, 40)}… is too long: the metadata would have ${bytes} bytes, ${MAX_BYTES} are allowed`,
    'Give a folder closer to the file, or shorter --meta.',
  );
}

function countBytes(metadata: Metadata): number {
  return Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
}
