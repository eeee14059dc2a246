/** `cryolift download FILE…`: downloads files. A second run resumes after an interruption. */
import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Api, TargetError } from '@cryolift/client';
import { lockFolder } from '@cryolift/client/folder-lock';
import { assertHarmlessName, type DownloadOptions, download, streamDownload } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { findRecord, findRecords, isGlob } from '../library/find-records.ts';
import { formatBytes } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { ProgressDisplay } from '../output/progress.ts';
import { EXIT, type ExitCode, UsageError } from '../process/exit.ts';
import { writeOutput } from '../process/finish.ts';
import { interruptible } from '../process/interrupt.ts';
import { assertFolderOrNothing, downloadMany } from './download-many.ts';

export interface DownloadFlags extends ConnectionOptions {
  json?: boolean;
  output?: string;
  parallel: number;
  force?: boolean;
  /** Arguments may be folders. */
  recursive?: boolean;
}

/** The path of `-o -`: standard output. */
const STDOUT = '-';

export async function fetchFiles(references: readonly string[], flags: DownloadFlags): Promise<ExitCode> {
  const toStdout = flags.output === STDOUT;
  if (flags.output === '') throw new UsageError('-o needs a folder or a file name');
  if (toStdout && flags.json)
    throw new UsageError('--json and -o - both write to standard output: give only one of them');
  const output = new Output(flags.json);
  const signal = interruptible();
  const api = connect(flags, 'files:read');
  const [reference = ''] = references;
  if (references.length === 1 && !flags.recursive && !isGlob(reference)) {
    return await fetchFile(await findRecord(api, reference, signal), api, output, signal, flags);
  }
  if (toStdout) throw new UsageError('only one file can be written to standard output');
  const { parallel, force = false, recursive } = flags;
  const folder = flags.output ?? '.';
  await assertFolderOrNothing(folder);
  const records = await findRecords(api, references, recursive, signal);
  return await downloadMany(records, folder, { api, output, signal, parallel, force });
}

async function fetchFile(
  file: FileRecord,
  api: Api,
  output: Output,
  signal: AbortSignal,
  flags: DownloadFlags,
): Promise<ExitCode> {
  const toStdout = flags.output === STDOUT;
  const path = toStdout ? STDOUT : await chooseTarget(file, flags);
  const display = new ProgressDisplay(output);
  const transfer = display.begin(file.filename, file.size);
  try {
    await fetchTo(path, api, file, flags, signal, (doneBytes, _totalBytes, lastError) =>
      transfer.update(doneBytes, doneBytes < file.size ? 'receiving' : 'verifying', lastError),
    );
  } finally {
    display.stop();
  }
  const text = [
    `${toStdout ? file.filename : path}  ${formatBytes(file.size)}`,
    `  sha256 ${file.sha256 ?? '(not known yet; its parts were compared)'}`,
  ];
  if (toStdout) output.note(text);
  else output.result({ event: 'done', path, ...file }, () => text);
  return EXIT.done;
}

async function fetchTo(
  path: string,
  api: Api,
  file: FileRecord,
  { parallel, force }: DownloadFlags,
  signal: AbortSignal,
  onProgress: DownloadOptions['onProgress'],
): Promise<void> {
  const options = { parallel, signal, onProgress };
  if (path === STDOUT) await streamDownload(api, file, (bytes) => writeOutput(bytes, signal), options);
  else await download(api, file, { path, replace: force, lock: lockFolder }, options);
}

/** @throws TargetError when the folder does not exist, and for an unsafe file name from the server. */
async function chooseTarget(file: FileRecord, { output = '.' }: DownloadFlags): Promise<string> {
  const isFolder = (await stat(output).catch(() => null))?.isDirectory() ?? false;
  if (isFolder) {
    assertHarmlessName(file.filename);
    return join(output, file.filename);
  }
  if (!output.endsWith('/') && !output.endsWith(sep)) return output;
  throw new TargetError('target_unwritable', `${output} is not a folder.`, 'Create it, or give another folder (-o).');
}
