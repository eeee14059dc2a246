/** `cryolift watch DIR`: what lands in a folder goes up once it has stopped growing. */
import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { lockFolder } from '@cryolift/server/lock';
import { createUploader, serverOf, type UploaderFlags } from '../connection.ts';
import { EXIT, type ExitCode, Interrupted, Refusal, UsageError } from '../exit.ts';
import type { Selection } from '../find-files.ts';
import { isMissing } from '../folder-entries.ts';
import { FolderMemory, placeOf } from '../folder-memory.ts';
import { interruptible } from '../interrupt.ts';
import { assertMetadata } from '../metadata.ts';
import { Output } from '../output.ts';
import { ProgressDisplay } from '../progress.ts';
import type { FileFlags } from '../upload-file.ts';
import { awaitFolder } from '../watch/await-folder.ts';
import type { Disposal } from '../watch/disposal.ts';
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
  if (flags.moveTo !== undefined && flags.delete) throw new UsageError('--move-to and --delete: only one of them');
  const server = serverOf(flags);
  const output = new Output(flags.json);
  const signal = interruptible();
  if (!(await awaitFolder(folder, flags.once ?? false, output, signal))) return EXIT.someFailed;
  const disposal = await chooseDisposal(folder, flags);
  const place = await placeOf(server, folder);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const unlock = lockFolder(`${place}.lock`);
  if (!unlock) throw new Refusal('watched', `${folder} is watched for ${server} already.`, 'One watcher is enough.');
  const display = new ProgressDisplay(output, { atOnce: flags.files, tally: null });
  try {
    output.event({ event: 'watching', path: folder, settle_seconds: flags.settle });
    output.note(`watching ${folder}: files go up ${flags.settle} s after they have stopped changing`);
    return await new Watcher({
      folder,
      settleMs: flags.settle * 1000,
      selection: flags,
      disposal,
      once: flags.once ?? false,
      atOnce: flags.files,
      flags,
      uploader: createUploader(flags),
      memory: await FolderMemory.open(server, folder),
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

async function chooseDisposal(folder: string, flags: WatchFlags): Promise<Disposal | null> {
  if (flags.moveTo === undefined) return flags.delete ? { kind: 'delete' } : null;
  const below = relative(await realpath(folder), await realPlace(resolve(flags.moveTo)));
  if (below !== '..' && !below.startsWith('../')) {
    throw new UsageError('--move-to a folder inside the watched one: it would go up again');
  }
  await mkdir(flags.moveTo, { recursive: true });
  return { kind: 'move', to: flags.moveTo };
}

/** Where an absolute path leads, also one that is not there yet. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    return join(await realPlace(dirname(path)), basename(path));
  }
}
