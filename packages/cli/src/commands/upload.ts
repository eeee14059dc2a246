/** `cryolift upload PATH…`: run again after an interruption, it sends only what is missing. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Progress, SourceError, type Uploader } from '@cryolift/client';
import { FileSource, hashPath } from '@cryolift/client/node';
import { checkMrc, isMrcName } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Command } from 'commander';
import { type ConnectionOptions, createUploader } from '../connection.ts';
import { EXIT, type ExitCode, exitCodeOf, UsageError } from '../exit.ts';
import { formatBytes, formatSeconds } from '../format.ts';
import { interruptible } from '../interrupt.ts';
import { Output } from '../output.ts';
import { ProgressDisplay } from '../progress.ts';
import { parseCount, parseSize } from '../quantity.ts';

const MAX_PARALLEL = 16;
const HEADER_BYTES = 4096;

interface UploadFlags extends ConnectionOptions {
  json?: boolean;
  partSize?: string;
  parallel: string;
  force?: boolean;
  sha256?: boolean;
  meta: string[];
  restart?: boolean;
}

export function addUpload(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('upload')
    .description('upload files, or the files in folders; run again, it resumes')
    .argument('<path...>')
    .option('--part-size <size>', 'part size to ask for, like 16MiB')
    .option('--parallel <n>', `parts in flight, 1 to ${MAX_PARALLEL}`, '4')
    .option('--meta <key=value>', 'metadata of the files; may be repeated', collect, [])
    .option('--sha256', 'hash each file first and declare its SHA-256: nothing else can be published')
    .option('--force', 'store MRC files although their headers are wrong')
    .option('--restart', 'cancel what is left of earlier uploads of these files and start anew')
    .action(async (paths: string[], _flags: unknown, command: Command) => {
      finish(await upload(paths, command.optsWithGlobals<UploadFlags>()));
    });
}

async function upload(paths: string[], flags: UploadFlags): Promise<ExitCode> {
  const parallel = parseCount(flags.parallel, MAX_PARALLEL);
  const output = new Output(flags.json ?? false);
  const uploader = createUploader(flags, parallel);
  const metadata = parseMetadata(flags.meta);
  const partSizeBytes = flags.partSize === undefined ? undefined : parseSize(flags.partSize);
  const files = (await Promise.all(paths.map(listFiles))).flat();
  if (files.length === 0) throw new UsageError('there is no file in these folders');

  const signal = interruptible();
  const display = new ProgressDisplay(output);
  const results: string[] = [];
  let failed: { path: string; error: unknown }[] = [];
  for (const path of files) {
    try {
      const sent = await uploadOne(uploader, display, path, { ...flags, metadata, partSizeBytes, signal });
      if (output.json) output.result({ event: 'done', path, ...sent.figures, ...sent.file }, () => '');
      results.push(describe(path, sent));
    } catch (error) {
      failed.push({ path, error: signal.aborted ? signal.reason : error });
      if (signal.aborted || exitCodeOf(error) === EXIT.unauthorised) break;
    }
  }
  display.stop();
  if (!output.json) for (const line of results) process.stdout.write(`${line}\n`);
  if (signal.aborted) {
    failed = [];
    output.failure(signal.reason);
    output.note('  What was sent is kept. Run the same command again to go on.');
    return exitCodeOf(signal.reason);
  }
  for (const { path, error } of failed) output.failure(error, path);
  const codes = failed.map(({ error }) => exitCodeOf(error));
  if (codes.includes(EXIT.unauthorised)) return EXIT.unauthorised;
  if (failed.length === 0) return EXIT.done;
  return results.length > 0 ? EXIT.someFailed : (codes[0] ?? EXIT.failed);
}

interface Sent {
  file: FileRecord;
  figures: { seconds: number; resumed_bytes: number; retries: number };
}

type FileOptions = UploadFlags & {
  metadata: Record<string, string>;
  partSizeBytes: number | undefined;
  signal: AbortSignal;
};

async function uploadOne(
  uploader: Uploader,
  display: ProgressDisplay,
  path: string,
  options: FileOptions,
): Promise<Sent> {
  const source = await FileSource.open(path);
  const transfer = display.begin(source.name, source.sizeBytes);
  const begin = performance.now();
  let last: Progress | null = null;
  try {
    if (!options.force) await assertMrc(source);
    if (options.sha256) transfer.update(0, 'hashing');
    const sha256 = options.sha256 ? await hashPath(path, options.signal) : undefined;
    const file = await uploader.upload(source, {
      signal: options.signal,
      metadata: options.metadata,
      partSizeBytes: options.partSizeBytes,
      sha256,
      force: options.force,
      restart: options.restart,
      onProgress(progress) {
        last = progress;
        transfer.update(progress.storedBytes, progress.state);
      },
    });
    const { resumedBytes = 0, retries = 0 } = (last as Progress | null) ?? {};
    const seconds = (performance.now() - begin) / 1000;
    return { file, figures: { seconds, resumed_bytes: resumedBytes, retries } };
  } finally {
    transfer.end();
    await source.close();
  }
}

/** Judged here first: a wrong file costs no request. @throws SourceError. */
async function assertMrc(source: FileSource): Promise<void> {
  if (!isMrcName(source.name)) return;
  const header = await source.read(0, Math.min(HEADER_BYTES, source.sizeBytes));
  const check = checkMrc({ header, sizeBytes: source.sizeBytes, filename: source.name });
  if (check.verdict !== 'rejected') return;
  throw new SourceError(
    'source_unreadable',
    `This is not a usable MRC file: ${check.rejections.map((finding) => finding.message).join(' ')}`,
    'Check the file at its source. To store it all the same, use --force.',
  );
}

/** A file itself, or the regular files that lie directly in a folder; names that begin with a dot are left out. */
async function listFiles(path: string): Promise<string[]> {
  const stats = await stat(path).catch(() => null);
  if (!stats?.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(path, entry.name))
    .sort();
}

function describe(path: string, { file, figures }: Sent): string {
  const sent = file.size - figures.resumed_bytes;
  const resumed = figures.resumed_bytes > 0 ? `, ${formatBytes(figures.resumed_bytes)} were there already` : '';
  return [
    `${basename(path)}  ${file.file_id}`,
    `  ${formatBytes(sent)} in ${formatSeconds(figures.seconds)} (${formatBytes(sent / figures.seconds)}/s)${resumed}`,
    `  sha256 ${file.sha256}`,
    ...file.warnings.map((warning) => `  warning: ${warning.message}`),
  ].join('\n');
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function parseMetadata(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--meta ${pair}: is not of the form key=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
