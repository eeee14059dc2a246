/** `cryolift watch --config FILE`: watches all folders of a settings file. */
import type { ConnectionOptions } from '../../connection/connection.ts';
import { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { EXIT, type ExitCode } from '../../process/exit.ts';
import { describeFailure } from '../../process/failure.ts';
import { interruptible } from '../../process/interrupt.ts';
import { systemStateHome } from '../../settings/places.ts';
import type { Settings } from '../../settings/settings.ts';
import { loadSettings } from '../../settings/settings-file.ts';
import { FolderStatus } from '../../state/folder-status.ts';
import { completePath, WatchState } from '../../state/watch-state.ts';
import { AllFolders } from '../../watch/all-folders.ts';

export interface WatchAllFlags extends ConnectionOptions {
  json?: boolean;
  once?: boolean;
  /** Keep the state where the service of the system has it. */
  system?: boolean;
}

export async function watchAll(config: string, flags: WatchAllFlags): Promise<ExitCode> {
  const { json = false, once = false } = flags;
  const scope = flags.system ? 'system' : 'user';
  // Journals and resume records, too.
  if (scope === 'system') process.env.XDG_STATE_HOME = systemStateHome();
  const path = await completePath(config);
  const signal = interruptible();
  let statuses: FolderStatus[] = [];
  const state = await WatchState.open(path, scope, () => statuses.map((status) => status.report()));
  const log = (lines: string) => state.log.write(lines);
  const output = new Output(json, { log });
  try {
    const settings = loadSettings(path);
    statuses = settings.folders.map(({ folder }) => new FolderStatus(folder));
    output.note(`watching the folders of ${path}: ${settings.folders.length}`);
    const connection = connectionOf(settings, flags);
    const code = await new AllFolders(settings, { connection, json, once, log, signal }).run(statuses);
    if (code === EXIT.interrupted) output.failure(signal.reason);
    return code;
  } catch (error) {
    // The caller prints it.
    log(printable(describeFailure(error).message));
    throw error;
  } finally {
    state.close();
  }
}

/** What is given on the command line goes before the file, and the file before the environment. */
function connectionOf({ server, tokenFile, linkFile }: Settings, flags: WatchAllFlags): ConnectionOptions {
  const isGiven = flags.token !== undefined || flags.link !== undefined;
  const token = flags.token ?? (isGiven || tokenFile === null ? undefined : `@${tokenFile}`);
  const link = flags.link ?? (isGiven || linkFile === null ? undefined : `@${linkFile}`);
  const url = flags.server ?? server;
  return {
    ...(url === null ? {} : { server: url }),
    ...(token === undefined ? {} : { token }),
    ...(link === undefined ? {} : { link }),
  };
}
