/** `cryolift upload PATH…`: uploads files. A second run after an interruption sends only the missing parts. */
import { basename } from 'node:path';
import { extensionOf } from '@cryolift/mrc';
import { createUploader, serverOf, type UploaderFlags } from '../connection/connection.ts';
import { sayWaiting } from '../connection/waiting.ts';
import { ChecksumFile } from '../files/checksums.ts';
import { type Found, findFiles, type LeftOut, type Selection } from '../files/find-files.ts';
import { assertMetadata, withKind } from '../options/metadata.ts';
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
  /** Path of the file to write. */
  checksums?: string;
}

/** Above this number, paths are counted and not listed. */
const NAMED = 5;

export async function upload(paths: readonly string[], given: UploadFlags): Promise<ExitCode> {
  const flags = { ...given, meta: withKind(given.meta ?? {}, given.kind) };
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
  const links = leftOut.filter(({ reason }) => reason === 'folder_link');
  for (const { path } of links.slice(0, NAMED)) output.note(`${path}: skipped, a link to a folder`);
  if (links.length > NAMED) output.note(`${links.length - NAMED} more links to folders were skipped`);
  const wrong = leftOut.filter(({ reason }) => reason === 'type');
  if (wrong.length <= NAMED) {
    for (const { path } of wrong) output.note(`${path}: skipped, the server does not accept this type`);
    return;
  }
  const types = [...new Set(wrong.map(({ path }) => extensionOf(basename(path)) || 'none'))].sort();
  const named = `${types.slice(0, NAMED).join(' ')}${types.length > NAMED ? ' …' : ''}`;
  output.note(`${wrong.length} files were skipped, the server does not accept their types: ${named}`);
}
