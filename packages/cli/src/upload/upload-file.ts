/** One file of `cryolift upload`: from its path to its record on the server. */
import { basename } from 'node:path';
import { type Notice, type Progress, SourceError, type Uploader } from '@cryolift/client';
import { FileSource, hashPath } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Found } from '../files/find-files.ts';
import { assertWhole } from '../files/structure-check.ts';
import { type PathFlags, withPath } from '../options/metadata.ts';
import { formatBytes, formatSeconds } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import type { ProgressDisplay } from '../output/progress.ts';
import { type Figures, NOTHING } from '../output/tally.ts';
import type { Facts } from './folder-journal.ts';

/** A published file whose SHA-256 is known. */
export type DigestedFile = FileRecord & { readonly sha256: string };

export interface FileFlags extends PathFlags {
  meta?: Record<string, string>;
  /** Bytes. */
  partSize?: number;
  sha256?: boolean;
  /** SHA-256 of the file as it was found, hex. */
  digest?: string | undefined;
  /** Files that the server has, by their SHA-256, are copied there and not sent. */
  skipKnown?: boolean;
  force?: boolean;
  restart?: boolean;
  /** Send the file only if it is unchanged since it was found. */
  asFound?: boolean;
  /** Awaited before the upload is removed from the resume store, so that a file recorded by it is never sent twice. */
  onPublished?: (file: DigestedFile, facts: Facts) => Promise<void>;
}

interface Sent {
  readonly file: DigestedFile;
  readonly figures: Figures;
  readonly seconds: number;
}

interface Surroundings {
  readonly output: Output;
  readonly display: Pick<ProgressDisplay, 'begin'>;
  readonly signal: AbortSignal;
  /** Called with the progress. */
  readonly follow: (now: Figures) => void;
}

/** @throws what the SDK throws, and Refusal. */
export async function uploadFile(
  uploader: Uploader,
  found: Found,
  flags: FileFlags,
  surroundings: Surroundings,
): Promise<Sent> {
  const { path, inFolder } = found;
  const { output, display, signal, follow } = surroundings;
  const { force, restart, meta = {}, partSize: partSizeBytes } = flags;
  const metadata = withPath(meta, found, flags);
  const source = await FileSource.open(path, signal);
  const beginMs = performance.now();
  const transfer = display.begin(inFolder?.path ?? basename(path), source.sizeBytes, path);
  let figures = NOTHING;
  try {
    const { sizeBytes, modifiedMs } = source;
    const isAsFound = sizeBytes === found.sizeBytes && modifiedMs === found.modifiedMs;
    if (flags.asFound && !isAsFound) throw changed();
    if (!force) await assertWhole(source);
    if (flags.sha256) transfer.update(0, 'hashing', null);
    const sha256 = isAsFound && flags.digest ? flags.digest : flags.sha256 ? await hashPath(path, signal) : undefined;
    const onProgress = (progress: Progress) => {
      const { storedBytes, resumedBytes, sentBytes, savedBytes, retries, lastError } = progress;
      figures = { storedBytes, resumedBytes, sentBytes, savedBytes, retries };
      follow(figures);
      transfer.update(storedBytes, describeState(progress), lastError, sentBytes + savedBytes);
    };
    const requested = { metadata, partSizeBytes, sha256, force, restart };
    const facts = { sizeBytes, modifiedMs, changedMs: found.changedMs, inode: found.inode };
    let known: string | undefined;
    // The server has compared every part; where it has not read the whole yet, the digest is that of the local file.
    const addDigest = async (file: FileRecord): Promise<DigestedFile> => {
      known ??= file.sha256 ?? (await hashPath(path, signal));
      return { ...file, sha256: known };
    };
    const onPublished = async (file: FileRecord) => await flags.onPublished?.(await addDigest(file), facts);
    const onNotice = (notice: Notice) => reportNotice(output, path, notice);
    const file = await uploader.upload(source, { ...requested, signal, onProgress, onPublished, onNotice });
    return { file: await addDigest(file), figures, seconds: Math.round(performance.now() - beginMs) / 1000 };
  } finally {
    transfer.end();
    await source.close();
  }
}

function changed(): SourceError {
  return new SourceError(
    'source_changed',
    'The file was changed after it was found.',
    'It is sent once it stops changing.',
  );
}

/** All bytes are stored and the server verifies the file. */
function describeState({ state, storedBytes, totalBytes }: Progress): string {
  return state === 'sending' && storedBytes === totalBytes ? 'verifying' : state;
}

function reportNotice(output: Output, path: string, notice: Notice): void {
  if (notice.kind === 'other_file') {
    const { uploadId: upload_id, part } = notice;
    output.event({ event: 'other_file', path, upload_id, part });
    output.note(
      `${path}: upload ${upload_id} belongs to another file of this name, size and time (part ${part} differs); a new upload is started`,
    );
    return;
  }
  if (notice.kind === 'through_server') {
    const { reason } = notice;
    output.event({ event: 'through_server', path, reason });
    output.note(`${path}: parts go through the server, because the object storage cannot be used: ${reason}`);
    return;
  }
  const { before, now: metadata } = notice;
  output.event({ event: 'metadata_changed', path, before, metadata });
  output.note(
    `${path}: the metadata of the upload was replaced; now ${describePairs(metadata)}, before ${describePairs(before)}`,
  );
}

function describePairs(metadata: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metadata).map((pair) => pair.join('='));
  return pairs.length === 0 ? 'none' : pairs.join(', ');
}

/** Prints that the server had the bytes of a file, which was not sent. */
export function reportKnown(output: Output, { path, inFolder, sizeBytes }: Found, file: DigestedFile): void {
  output.result({ event: 'skipped', path, reason: 'known', ...file }, () => [
    `${inFolder?.path ?? basename(path)}  ${file.file_id}  not sent: the server had its ${formatBytes(sizeBytes)}`,
  ]);
}

/** @param brief true for one of many files. */
export function reportSent(output: Output, found: Found, sent: Sent, brief: boolean): void {
  const { file, figures, seconds } = sent;
  const { resumedBytes: resumed_bytes, sentBytes: sent_bytes, savedBytes: saved_bytes, retries } = figures;
  const event = { event: 'done', path: found.path, seconds, resumed_bytes, sent_bytes, saved_bytes, retries, ...file };
  output.result(event, () => describeSent(found, sent, brief));
}

/** As text. */
function describeSent({ path, inFolder }: Found, { file, figures, seconds }: Sent, brief: boolean): string[] {
  const movedBytes = file.size - figures.resumedBytes;
  const rate = formatBytes(movedBytes / seconds);
  const facts = [
    ...(movedBytes > 0 || file.size === 0
      ? [`${formatBytes(movedBytes)} in ${formatSeconds(seconds)} (${rate}/s)`]
      : []),
    ...(figures.savedBytes > 0 ? [`compression saved ${formatBytes(figures.savedBytes)}`] : []),
    ...(figures.resumedBytes > 0 ? [`${formatBytes(figures.resumedBytes)} were already there`] : []),
  ].join('; ');
  const head = `${inFolder?.path ?? basename(path)}  ${file.file_id}`;
  const warnings = file.warnings.map((warning) => `  warning: ${warning.message}`);
  const lines = brief ? [`${head}  ${facts}`] : [head, `  ${facts}`, `  sha256 ${file.sha256}`];
  return [...lines, ...warnings];
}
