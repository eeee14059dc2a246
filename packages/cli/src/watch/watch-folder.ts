/** Watches one folder, from its lock to its last file. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Api, RetryPolicy, type Uploader } from '@cryolift/client';
import { lockFolder } from '@cryolift/client/folder-lock';
import { realPath, retryWhileHeld } from '@cryolift/client/node';
import type { OnSignedOut } from '../connection/connection.ts';
import { sayWaiting } from '../connection/waiting.ts';
import type { Selection } from '../files/find-files.ts';
import { isMissing } from '../files/folder-entries.ts';
import type { Output } from '../output/output.ts';
import type { ProgressDisplay } from '../output/progress.ts';
import { EXIT, type ExitCode, Refusal, UsageError } from '../process/exit.ts';
import { FolderJournal, placeOf } from '../upload/folder-journal.ts';
import { importOldJournal } from '../upload/old-journal.ts';
import { askOwner } from '../upload/owner.ts';
import type { FileFlags } from '../upload/upload-file.ts';
import { awaitFolder } from './await-folder.ts';
import { type Disposal, giveBackTaken } from './disposal.ts';
import { ReceiptDemand } from './receipt-demand.ts';
import { Watcher } from './watcher.ts';
import { isWithin } from './within.ts';

export interface FolderFlags extends FileFlags, Selection {
  /** Seconds. */
  settle: number;
  moveTo?: string;
  delete?: boolean;
  /** Files are moved or deleted only when a signed receipt of their dataset names them. */
  afterReceipt?: boolean;
  once?: boolean;
  files: number;
}

export interface FolderContext {
  /** Its URL. */
  readonly server: string;
  /** Called after the folder is locked. @throws UsageError for a credential that cannot be read. */
  readonly createUploader: (onSignedOut?: OnSignedOut) => Uploader;
  readonly output: Output;
  readonly display: Pick<ProgressDisplay, 'begin'>;
  readonly signal: AbortSignal;
  /** @param last the last upload of earlier runs. */
  readonly onStart?: (watcher: Watcher, last: ReturnType<FolderJournal['findLast']>) => void;
}

/**
 * @returns at the end of a watch with `once`.
 * @throws the signal's reason; UsageError, Refusal, NoTokenError, and ServerError for a token that is not accepted.
 */
export async function watchFolder(folder: string, flags: FolderFlags, context: FolderContext): Promise<ExitCode> {
  const { server, createUploader, output, signal, onStart } = context;
  if (!(await awaitFolder(folder, flags.once ?? false, output, signal))) return EXIT.someFailed;
  const demanded = readDemand(flags);
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
  let journal: FolderJournal | null = null;
  try {
    output.event({ event: 'watching', path: folder, settle_seconds: flags.settle });
    output.note(`watching ${folder}: files are uploaded ${flags.settle} s after their last change`);
    for (const path of await giveBackTaken(folder)) {
      output.event({ event: 'given_back', path });
      output.note(`${path}: put back; an earlier watch was killed while it removed this file`);
    }
    // A watch runs for weeks: it goes on when somebody signs in again.
    const saySignedOut = sayWaiting(output, 'somebody to sign in (`cryolift login`)');
    const uploader = createUploader(flags.once ? undefined : saySignedOut);
    const owner = await waitForOwner(uploader.api, flags, output, signal);
    journal = await FolderJournal.open(server, owner, folder);
    await importOldJournal(journal, folder, { api: uploader.api, server, owner, output, signal });
    const watcher = new Watcher({
      folder,
      settleMs: flags.settle * 1000,
      selection: flags,
      disposal,
      receipts: demanded === null ? null : new ReceiptDemand(uploader.api, demanded),
      once: flags.once ?? false,
      atOnce: flags.files,
      flags,
      uploader,
      owner,
      journal,
      output,
      display: context.display,
      signal,
    });
    onStart?.(watcher, journal.findLast());
    return await watcher.run();
  } finally {
    journal?.close();
    unlock();
  }
}

/** Retries without limit, except with `--once`. */
async function waitForOwner(api: Api, { once }: FolderFlags, output: Output, signal: AbortSignal): Promise<string> {
  const retryPolicy = new RetryPolicy(once ? undefined : Number.POSITIVE_INFINITY);
  return await askOwner(api, signal, retryPolicy, sayWaiting(output));
}

/** @returns the dataset whose receipt is demanded; null: none is. */
function readDemand({ afterReceipt = false, delete: isDeleted, moveTo, meta }: FolderFlags): string | null {
  if (!afterReceipt) return null;
  if (!isDeleted && moveTo === undefined) throw new UsageError('--after-receipt needs --delete or --move-to');
  const dataset = meta?.dataset;
  if (dataset === undefined) throw new UsageError('--after-receipt needs --dataset');
  return dataset.normalize('NFC');
}

async function chooseDisposal(folder: string, flags: FolderFlags): Promise<Disposal | null> {
  if (flags.moveTo === undefined) return flags.delete ? { kind: 'delete' } : null;
  if (isWithin(await realPath(folder), await realPlace(resolve(flags.moveTo)))) {
    throw new UsageError('--move-to is inside the watched folder: its files would be uploaded again');
  }
  await mkdir(flags.moveTo, { recursive: true });
  return { kind: 'move', to: flags.moveTo };
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
