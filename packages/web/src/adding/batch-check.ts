/** Checks files that are added together, before the first byte of any of them is sent. */
import { orAborted } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import { texts } from '../texts.ts';
import { withKnown } from './duplicate-check.ts';
import type { FoundFile } from './found-files.ts';
import { checkHeader, type HeaderCheck } from './header-check.ts';
import type { KnownFiles } from './known-files.ts';
import type { FreeQuota } from './quota.ts';
import { sidecarsOf } from './sidecars.ts';

/** Headers that are read at the same time. */
const PARALLEL = 8;

export interface CheckedFile extends FoundFile {
  /** Null: the header could not be read; the upload reports why. */
  readonly check: HeaderCheck | null;
}

/** What is said about a batch. */
export interface BatchReport {
  readonly files: number;
  readonly bytes: number;
  /** In the order of the files, with the first reason of each. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** Files with the path of an earlier file of the batch. */
  readonly sameName: number;
  /** What is left of the quota after this batch; null: no limit. */
  readonly free: FreeQuota;
  /** Files of folders whose type is not accepted, which are not added. */
  readonly leftOut: number;
  readonly unreadable: number;
}

export interface BatchOptions {
  readonly limits: Limits | null;
  readonly free: FreeQuota;
  readonly knownFiles: Pick<KnownFiles, 'compare'>;
  /** The server counts the upload of this file for the quota already. */
  isCounted(found: FoundFile): boolean;
  onProgress(checked: number): void;
  readonly signal: AbortSignal;
}

/** @throws the reason of the signal. */
export async function checkBatch(
  found: readonly FoundFile[],
  options: BatchOptions,
): Promise<{ files: CheckedFile[]; report: Omit<BatchReport, 'leftOut' | 'unreadable'> }> {
  const { free, isCounted } = options;
  const checks = await checkAll(found, options);
  const paths = new Set<string>();
  const refused: { name: string; reason: string }[] = [];
  let bytes = 0;
  let left = free;
  const files = found.map((each, index): CheckedFile => {
    const { file, path } = each;
    let check = checks[index] ?? null;
    bytes += file.size;
    paths.add((path ?? file.name).normalize('NFC'));
    if ((!check || check.refusals.length === 0) && !isCounted(each)) {
      const rest = takeFrom(left, file.size);
      if (rest) left = rest;
      else check = refuseForQuota(check);
    }
    const [reason] = check?.refusals ?? [];
    if (reason !== undefined) refused.push({ name: path ?? file.name, reason });
    return { ...each, check };
  });
  return { files, report: { files: files.length, bytes, refused, sameName: files.length - paths.size, free: left } };
}

/** In the order of the files; null where a header cannot be read. */
async function checkAll(
  found: readonly FoundFile[],
  { limits, knownFiles, isCounted, onProgress, signal }: BatchOptions,
): Promise<(HeaderCheck | null)[]> {
  const sidecarOf = sidecarsOf(found);
  const checkOne = async (each: FoundFile) => {
    const check = await checkHeader(each.file, limits, sidecarOf(each)).catch(() => null);
    // The server has parts of an upload that is continued.
    if (!check || check.refusals.length > 0 || isCounted(each)) return check;
    return withKnown(check, await knownFiles.compare(each.file, each.path));
  };
  const checks: (HeaderCheck | null)[] = [];
  let next = 0;
  let checked = 0;
  const checkNext = async () => {
    for (let index = next++; index < found.length; index = next++) {
      checks[index] = await checkOne(found[index] as FoundFile);
      signal.throwIfAborted();
      onProgress(++checked);
    }
  };
  // A drive that hangs does not delay the end.
  await orAborted(Promise.all(Array.from({ length: PARALLEL }, checkNext)), signal);
  return checks;
}

/** @returns what is left; null when it is too little. */
function takeFrom({ bytes, files }: FreeQuota, sizeBytes: number): FreeQuota | null {
  if ((bytes !== null && bytes < sizeBytes) || (files !== null && files < 1)) return null;
  return { bytes: bytes === null ? null : bytes - sizeBytes, files: files === null ? null : files - 1 };
}

/** The user may have deleted files since: the upload can be tried all the same. */
function refuseForQuota(check: HeaderCheck | null): HeaderCheck {
  const known = check ?? { mrc: null, warnings: [] };
  return { ...known, refusals: [texts.check.overQuota], canForce: true };
}
