/** `cryolift download FILE_ID`: gets a file back; run again after an interruption, it goes on. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { download } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from '../connection.ts';
import { EXIT, type ExitCode, Refusal } from '../exit.ts';
import { formatBytes } from '../format.ts';
import { interruptible } from '../interrupt.ts';
import { Output } from '../output.ts';
import { ProgressDisplay } from '../progress.ts';

export interface DownloadFlags extends ConnectionOptions {
  json?: boolean;
  output?: string;
  parallel: number;
  force?: boolean;
}

export async function fetchFile(id: string, flags: DownloadFlags): Promise<ExitCode> {
  const output = new Output(flags.json);
  const signal = interruptible();
  const api = connect(flags);
  const file = await api.file(id);
  const path = await chooseTarget(file, flags);
  const display = new ProgressDisplay(output);
  const transfer = display.begin(file.filename, file.size);
  try {
    await download(api, file, path, {
      parallel: flags.parallel,
      signal,
      onProgress: (doneBytes) => transfer.update(doneBytes, doneBytes < file.size ? 'receiving' : 'verifying', null),
    });
  } finally {
    display.stop();
  }
  output.result({ event: 'done', path, ...file }, () => `${path}  ${formatBytes(file.size)}\n  sha256 ${file.sha256}`);
  return EXIT.done;
}

/** @throws Refusal when a file is there already and may not be replaced. */
async function chooseTarget(file: FileRecord, { output = '.', force }: DownloadFlags): Promise<string> {
  // The server's word for a name must not lead out of the folder.
  const path = (await look(output))?.isDirectory() ? join(output, basename(file.filename)) : output;
  if (force || !(await look(path))) return path;
  throw new Refusal('file_exists', `${path} is there already`, 'Give another name with -o, or --force to replace it.');
}

async function look(path: string) {
  return await stat(path).catch(() => null);
}
