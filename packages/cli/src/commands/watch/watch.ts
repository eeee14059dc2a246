/** `cryolift watch DIR`: uploads the files of a folder when they have stopped growing. */
import { createUploader, serverOf, type UploaderFlags } from '../../connection/connection.ts';
import { assertMetadata, withDataset } from '../../options/metadata.ts';
import { Output } from '../../output/output.ts';
import { ProgressDisplay } from '../../output/progress.ts';
import { EXIT, type ExitCode, Interrupted, UsageError } from '../../process/exit.ts';
import { interruptible } from '../../process/interrupt.ts';
import { type FolderFlags, watchFolder } from '../../watch/watch-folder.ts';

export interface WatchFlags extends UploaderFlags, FolderFlags {
  json?: boolean;
  /** Name of the dataset that the files belong to. */
  dataset?: string;
}

export async function watch(folder: string, given: WatchFlags): Promise<ExitCode> {
  const flags = { ...given, meta: withDataset(given.meta ?? {}, given.dataset) };
  assertMetadata(flags.meta, true);
  if (flags.moveTo !== undefined && flags.delete) throw new UsageError('give only one of --move-to and --delete');
  const server = serverOf(flags);
  const output = new Output(flags.json);
  const signal = interruptible();
  const display = new ProgressDisplay(output, { atOnce: flags.files, tally: null });
  try {
    return await watchFolder(folder, flags, {
      server,
      createUploader: (onSignedOut) => createUploader(flags, { onSignedOut }),
      output,
      display,
      signal,
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    display.stop();
    output.failure(error);
    return EXIT.interrupted;
  } finally {
    display.stop();
  }
}
