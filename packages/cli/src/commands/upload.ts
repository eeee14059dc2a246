/** `cryolift upload PATH…`: run again after an interruption, it sends only what is missing. */
import { basename } from 'node:path';
import type { Progress, Uploader } from '@cryolift/client';
import { FileSource, hashPath } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, createUploader } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { exitCodeOf } from '../failure.ts';
import { findFiles } from '../find-files.ts';
import { formatBytes, formatSeconds } from '../format.ts';
import { interruptible } from '../interrupt.ts';
import { assertMrc } from '../mrc-check.ts';
import { Output } from '../output.ts';
import { ProgressDisplay } from '../progress.ts';

export interface UploadFlags extends ConnectionOptions {
  json?: boolean;
  /** Bytes. */
  partSize?: number;
  parallel: number;
  meta?: Record<string, string>;
  sha256?: boolean;
  force?: boolean;
  restart?: boolean;
}

export async function upload(paths: readonly string[], flags: UploadFlags): Promise<ExitCode> {
  const output = new Output(flags.json);
  const signal = interruptible();
  const uploader = createUploader(flags, flags.parallel);
  const { files, skipped } = await findFiles(paths, uploader.api);
  for (const path of skipped) {
    output.event({ event: 'skipped', path });
    output.note(`${path}: left out, the server does not accept this type`);
  }

  const display = new ProgressDisplay(output);
  const sent: Sent[] = [];
  const failed: { path: string; error: unknown }[] = [];
  for (const path of files) {
    try {
      const one = await uploadOne(uploader, display, path, flags, signal);
      output.event({ event: 'done', path, ...one.figures, ...one.file });
      sent.push(one);
    } catch (error) {
      failed.push({ path, error });
      if (signal.aborted || exitCodeOf(error) === EXIT.unauthorised) break;
    }
  }
  display.stop();
  if (!output.json) for (const one of sent) process.stdout.write(`${describe(one)}\n`);
  if (signal.aborted && failed.length > 0) {
    output.failure(signal.reason);
    return EXIT.interrupted;
  }
  for (const { path, error } of failed) output.failure(error, path);
  return summarise(
    sent.length,
    failed.map(({ error }) => exitCodeOf(error)),
  );
}

function summarise(sentCount: number, failures: readonly ExitCode[]): ExitCode {
  if (failures.length === 0) return EXIT.done;
  if (failures.includes(EXIT.unauthorised)) return EXIT.unauthorised;
  return sentCount > 0 ? EXIT.someFailed : EXIT.failed;
}

interface Sent {
  readonly path: string;
  readonly file: FileRecord;
  readonly figures: { readonly seconds: number; readonly resumed_bytes: number; readonly retries: number };
}

async function uploadOne(
  uploader: Uploader,
  display: ProgressDisplay,
  path: string,
  flags: UploadFlags,
  signal: AbortSignal,
): Promise<Sent> {
  const source = await FileSource.open(path);
  const beginMs = performance.now();
  const figures = { seconds: 0, resumed_bytes: 0, retries: 0 };
  try {
    if (!flags.force) await assertMrc(source);
    const transfer = display.begin(source.name, source.sizeBytes);
    if (flags.sha256) transfer.update(0, 'hashing', null);
    const file = await uploader.upload(source, {
      signal,
      sha256: flags.sha256 ? await hashPath(path, signal) : undefined,
      metadata: flags.meta,
      partSizeBytes: flags.partSize,
      force: flags.force,
      restart: flags.restart,
      onProgress(progress) {
        figures.resumed_bytes = progress.resumedBytes;
        figures.retries = progress.retries;
        transfer.update(progress.storedBytes, describeState(progress), progress.trouble);
      },
    });
    figures.seconds = (performance.now() - beginMs) / 1000;
    return { path, file, figures };
  } finally {
    await source.close();
  }
}

/** All bytes are there, but the upload is not done: the server verifies the whole. */
function describeState({ state, storedBytes, totalBytes }: Progress): string {
  return state === 'sending' && storedBytes === totalBytes ? 'verifying' : state;
}

function describe({ path, file, figures }: Sent): string {
  const sentBytes = file.size - figures.resumed_bytes;
  const sent = `${formatBytes(sentBytes)} in ${formatSeconds(figures.seconds)} (${formatBytes(sentBytes / figures.seconds)}/s)`;
  const resumed = `${formatBytes(figures.resumed_bytes)} were there already`;
  return [
    `${basename(path)}  ${file.file_id}`,
    `  ${[...(sentBytes > 0 || figures.resumed_bytes === 0 ? [sent] : []), ...(figures.resumed_bytes > 0 ? [resumed] : [])].join('; ')}`,
    `  sha256 ${file.sha256}`,
    ...file.warnings.map((warning) => `  warning: ${warning.message}`),
  ].join('\n');
}
