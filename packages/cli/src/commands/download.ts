/** `download` and `verify`: getting a file back, and comparing one without moving it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '@cryolift/client';
import { download, hashPath } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Command } from 'commander';
import { type ConnectionOptions, connect } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { formatBytes } from '../format.ts';
import { interruptible } from '../interrupt.ts';
import { Output } from '../output.ts';
import { ProgressDisplay } from '../progress.ts';
import { parseCount } from '../quantity.ts';

type Flags = ConnectionOptions & { json?: boolean; output?: string; parallel?: string; force?: boolean };

export function addDownload(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('download')
    .description('get a file back: parallel, resumable, verified')
    .argument('<file_id>')
    .option('-o, --output <path>', 'where to put it; a folder, or a name (its own name here)')
    .option('--parallel <n>', 'ranges in flight, 1 to 16', '4')
    .option('-f, --force', 'replace a file that is there')
    .action(async (id: string, _flags: unknown, command: Command) => await fetchFile(id, command.optsWithGlobals()));
  program
    .command('verify')
    .description("compare a local file with the server's digest of a file")
    .argument('<path>')
    .argument('<file_id>')
    .action(async (path: string, id: string, _flags: unknown, command: Command) => {
      finish(await verify(path, id, command.optsWithGlobals()));
    });
}

async function fetchFile(id: string, flags: Flags): Promise<void> {
  const parallel = parseCount(flags.parallel ?? '4', 16);
  const output = new Output(flags.json ?? false);
  const api = connect(flags, parallel);
  const file = await api.file(id);
  const path = await chooseTarget(file, flags);
  const display = new ProgressDisplay(output);
  const transfer = display.begin(file.filename, file.size);
  const signal = interruptible();
  try {
    await download(api, file, path, {
      parallel,
      signal,
      onProgress: (doneBytes, totalBytes) =>
        transfer.update(doneBytes, doneBytes < totalBytes ? 'receiving' : 'verifying'),
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    transfer.end();
    display.stop();
  }
  output.result({ event: 'done', path, ...file }, () => `${path}  ${formatBytes(file.size)}\n  sha256 ${file.sha256}`);
}

/** @throws SourceError when a file is there already and may not be replaced. */
async function chooseTarget(file: FileRecord, flags: Flags): Promise<string> {
  const wished = flags.output ?? '.';
  const folder = (await stat(wished).catch(() => null))?.isDirectory() ?? false;
  const path = folder ? join(wished, file.filename) : wished;
  const there = await stat(path).catch(() => null);
  if (!there || flags.force) return path;
  throw new SourceError(
    'source_unreadable',
    `${path} is there already.`,
    'Give another name with -o, or --force to replace it.',
  );
}

async function verify(path: string, id: string, flags: Flags): Promise<ExitCode> {
  const output = new Output(flags.json ?? false);
  const file = await connect(flags).file(id);
  const { size } = await stat(path);
  // A wrong size needs no hashing.
  const sha256 = size === file.size ? await hashPath(path, interruptible()) : null;
  const same = sha256 === file.sha256;
  const result = { path, file_id: id, same, size, sha256, server_size: file.size, server_sha256: file.sha256 };
  output.result(result, () => describe(path, result));
  return same ? EXIT.done : EXIT.failed;
}

function describe(
  path: string,
  result: { same: boolean; size: number; sha256: string | null; server_size: number; server_sha256: string },
): string {
  if (result.same) return `${path}: the same, sha256 ${result.server_sha256}`;
  if (result.sha256 === null)
    return `${path}: DIFFERENT, ${result.size} bytes here, ${result.server_size} on the server`;
  return `${path}: DIFFERENT\n  here    sha256 ${result.sha256}\n  server  sha256 ${result.server_sha256}`;
}
