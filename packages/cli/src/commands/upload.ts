/** `cryolift upload PATH…`: uploads files. A second run after an interruption sends only the missing parts. */
import { basename } from 'node:path';
import { extensionOf } from '@cryolift/mrc';
import { createUploader, serverOf, type UploaderFlags } from '../connection/connection.ts';
import { sayWaiting } from '../connection/waiting.ts';
import { ChecksumFile } from '../files/checksums.ts';
import { type Found, findFiles, type LeftOut, type Selection } from '../files/find-files.ts';
import { assertMetadata, withDataset, withKind } from '../options/metadata.ts';
import { Output } from '../output/output.ts';
import { ProgressDisplay } from '../output/progress.ts';
import { printSummary } from '../output/summary.ts';
import { Tally } from '../output/tally.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { Batch } from '../upload/batch.ts';
import type { FileFlags } from '../upload/upload-file.ts';

export interface UploadFlags extends UploaderFlags, FileFlags, Selection {
  json?: boolean;
  /** Files uploaded at the same time. */
  files: number;
  /** Kind of the MRC files. */
  kind?: string;
  /** Name of the dataset that the files belong to. */
  dataset?: string;
  /** Path of the file to write. */
  checksums?: string;
}

/** Paths beyond this number are counted and not named. */
const NAMED = 5;

export async function upload(paths: readonly string[], given: UploadFlags): Promise<ExitCode> {
  const flags = { ...given, meta: withDataset(withKind(given.meta ?? {}, given.kind), given.dataset) };
  assertMetadata(flags.meta, flags.recursive ?? false);
  const output = new Output(flags.json);
  const signal = interruptible();
  const uploader = createUploader(flags);
  const { files, leftOut, failed } = await findFiles(paths, flags, uploader.api, {
    signal,
    onRetry: sayWaiting(output),
  });
  reportLeftOut(output, leftOut);

  const checksums = flags.checksums === undefined ? null : await ChecksumFile.open(flags.checksums);
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const tally = new Tally(files.length + failed.length, bytes);
  const atOnce = Math.min(flags.files, files.length);
  const display = new ProgressDisplay(output, tally.files > 1 ? { atOnce, tally } : undefined);
  // Names relative to the single folder, or to the current one, as `sha256sum` prints them.
  const nameOf = ({ path, inFolder }: Found) => (paths.length === 1 && inFolder ? inFolder.path : path);
  const server = serverOf(flags);
  const batch = new Batch({ uploader, server, flags, atOnce, output, display, tally, checksums, nameOf, signal });
  try {
    for (const { path, error } of failed) batch.fail(path, error);
    await batch.run(files);
  } finally {
    display.stop();
    await checksums?.save();
  }
  const interrupted = signal.aborted && tally.done + tally.already + tally.failed < tally.files;
  if (interrupted) output.failure(signal.reason);
  printSummary(output, tally, leftOut.length);
  return interrupted ? EXIT.interrupted : batch.exitCode;
}

function reportLeftOut(output: Output, leftOut: readonly LeftOut[]): void {
  for (const { path, reason } of leftOut) output.event({ event: 'skipped', path, reason });
  const withReason = (wanted: LeftOut['reason']) => leftOut.filter(({ reason }) => reason === wanted);
  nameSome(output, withReason('folder'), 'omitting this folder; -r includes it', 'more folders were omitted');
  nameSome(output, withReason('folder_link'), 'skipped, a link to a folder', 'more links to folders were skipped');
  const wrong = withReason('type');
  const types = [...new Set(wrong.map(({ path }) => extensionOf(basename(path)) || 'none'))].sort();
  const named = `${types.slice(0, NAMED).join(' ')}${types.length > NAMED ? ' …' : ''}`;
  const more = `more files were skipped, the server does not accept their types: ${named}`;
  nameSome(output, wrong, 'skipped, the server does not accept this type', more);
}

/** @param more follows the number of those that are not named. */
function nameSome(output: Output, leftOut: readonly LeftOut[], reason: string, more: string): void {
  for (const { path } of leftOut.slice(0, NAMED)) output.note(`${path}: ${reason}`);
  if (leftOut.length > NAMED) output.note(`${leftOut.length - NAMED} ${more}`);
}
