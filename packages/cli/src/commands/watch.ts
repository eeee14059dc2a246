/** `cryolift watch DIR`: uploads the files of a folder when they have stopped growing. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Api, RetryPolicy } from '@cryolift/client';
import { lockFolder } from '@cryolift/client/folder-lock';
import { realPath, retryWhileHeld } from '@cryolift/client/node';
import { createUploader, serverOf, type UploaderFlags } from '../connection/connection.ts';
import { sayWaiting } from '../connection/waiting.ts';
import type { Selection } from '../files/find-files.ts';
import { isMissing } from '../files/folder-entries.ts';
import { assertMetadata } from '../options/metadata.ts';
import { Output } from '../output/output.ts';
import { ProgressDisplay } from '../output/progress.ts';
import { EXIT, type ExitCode, Interrupted, Refusal, UsageError } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { FolderJournal, placeOf } from '../upload/folder-journal.ts';
import { importOldJournal } from '../upload/old-journal.ts';
import { askOwner } from '../upload/owner.ts';
import type { FileFlags } from '../upload/upload-file.ts';
import { awaitFolder } from '../watch/await-folder.ts';
import { type Disposal, giveBackTaken } from '../watch/disposal.ts';
import { Watcher } from '../watch/watcher.ts';

export interface WatchFlags extends UploaderFlags, FileFlags, Selection {
  json?: boolean;
  /** Seconds. */
  settle: number;
  moveTo?: string;
  delete?: boolean;
  once?: boolean;
  files: number;
}

export async function watch(folder: string, flags: WatchFlags): Promise<ExitCode> {
  assertMetadata(flags.meta ?? {}, true);
  if (flags.moveTo !== undefined && flags.delete) throw new UsageError('give only one of --move-to and --delete');
  const server = serverOf(flags);
  const output = new Output(flags.json);
  const signal = interruptible();
  if (!(await awaitFolder(folder, flags.once ?? false, output, signal))) return EXIT.someFailed;
  const disposal = await chooseDisposal(folder, flags);
  const lock = await placeOf(server, folder, '.lock');
  await mkdir(dirname(lock), { recursive: true, mode: 0o700 });
  const unlock = await retryWhileHeld(async () => lockFolder(lock), signal);
  if (!unlock)
    throw new Refusal(
      'watched',
      `another \`cryolift watch\` already watches ${folder} for ${server}.`,
      'End the other one first.',
    );
  const display = new ProgressDisplay(output, { atOnce: flags.files, tally: null });
  try {
    output.event({ event: 'watching', path: folder, settle_seconds: flags.settle });
    output.note(`watching ${folder}: files are uploaded ${flags.settle} s after their last change`);
    for (const path of await giveBackTaken(folder)) {
      output.event({ event: 'given_back', path });
      output.note(`${path}: put back; an earlier watch was killed while it removed this file`);
    }
    const uploader = createUploader(flags);
    const owner = await waitForOwner(uploader.api, flags, output, signal);
    const journal = await FolderJournal.open(server, owner, folder);
    await importOldJournal(journal, folder, { api: uploader.api, server, owner, output, signal });
    return await new Watcher({
      folder,
      settleMs: flags.settle * 1000,
      selection: flags,
      disposal,
      once: flags.once ?? false,
      atOnce: flags.files,
      flags,
      uploader,
      owner,
      journal,
      output,
      display,
      signal,
    }).run();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    display.stop();
    output.failure(error);
    return EXIT.interrupted;
  } finally {
    display.stop();
    unlock();
  }
}

/** Retries without limit, except with `--once`. */
async function waitForOwner(api: Api, { once }: WatchFlags, output: Output, signal: AbortSignal): Promise<string> {
  const retryPolicy = new RetryPolicy(once ? undefined : Number.POSITIVE_INFINITY);
  return await askOwner(api, signal, retryPolicy, sayWaiting(output));
}

async function chooseDisposal(folder: string, flags: WatchFlags): Promise<Disposal | null> {
  if (flags.moveTo === undefined) return flags.delete ? { kind: 'delete' } : null;
  if (isWithin(await realPath(folder), await realPlace(resolve(flags.moveTo)))) {
    throw new UsageError('--move-to is inside the watched folder: its files would be uploaded again');
  }
  await mkdir(flags.moveTo, { recursive: true });
  return { kind: 'move', to: flags.moveTo };
}

function isWithin(folder: string, path: string): boolean {
  const below = relative(folder, path);
  // A path on another drive of Windows stays absolute.
  return !isAbsolute(below) && below.split(sep)[0] !== '..';
}

/** Resolves an absolute path, also one that does not exist yet. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realPath(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    return join(await realPlace(dirname(path)), basename(path));
  }
}
