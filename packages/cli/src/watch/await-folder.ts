/**
 * Waits for a folder that does not exist yet: a share that is mounted later, or a folder that an instrument creates
 * later.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { toSourceError } from '@cryolift/client/node';
import { isDenied, isMissing, notUtf8 } from '../files/folder-entries.ts';
import type { Output } from '../output/output.ts';
import { UsageError } from '../process/exit.ts';
import { reportAway, reportBack } from './reports.ts';

const POLL_MS = 1_000;

/**
 * Resolves with true when the folder exists; with false when `once` is set and permission is missing.
 *
 * @throws the signal's reason; UsageError when the path is not a folder; Refusal for a name that is not UTF-8.
 */
export async function awaitFolder(
  folder: string,
  once: boolean,
  output: Output,
  signal: AbortSignal,
): Promise<boolean> {
  for (let isAway = false; ; ) {
    signal.throwIfAborted();
    const stats = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
    if (!(stats instanceof Error)) {
      if (!stats.isDirectory()) throw new UsageError(`${folder} is not a folder`);
      if (isAway) reportBack(output, folder);
      return true;
    }
    // The path is unknown (see `findFiles`).
    if (isMissing(stats) && folder.includes('\ufffd')) throw notUtf8();
    const error = toSourceError(stats, 'folder');
    if (once && isDenied(stats)) {
      output.failure(error, folder);
      return false;
    }
    if (!isAway) reportAway(output, folder, error);
    isAway = true;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
