/** `cryolift admin backup DIR`: copies the state of the server, and prints how to copy the files after that. */

import { EXIT, type ExitCode, Refusal, UsageError } from 'cryolift/exit';
import { formatBytes } from 'cryolift/format';
import { Output } from 'cryolift/output';
import { backUp as copyAll, SettingError } from '../backup.ts';

export interface BackupFlags {
  json?: boolean;
  dataDir?: string;
}

export async function backUp(dir: string, { json, dataDir }: BackupFlags): Promise<ExitCode> {
  const done = await copyAll(process.env, { 'data-dir': dataDir }, dir).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof SettingError) throw new UsageError(error.message);
    if (error.code === 'ERR_SQLITE_ERROR') {
      throw new Refusal(
        'backup_failed',
        `${dir}: ${error.message}`,
        'The incomplete backup was removed. Run the command again.',
      );
    }
    if (error.code !== 'EEXIST') throw error;
    throw new Refusal(
      'backup_exists',
      `${dir} already has a backup, complete or in progress`,
      'Give a new folder; a backup is never replaced. A cryolift.sqlite of 0 bytes remains after a backup was killed.',
    );
  });
  const { databaseBytes, files, fileBytes, storageDir, isBucket, listPath } = done;
  // No tool for buckets is everywhere; rclone reads the same list.
  const copying = isBucket
    ? `rclone copy --files-from=${quote(listPath)} ${quote(storageDir.replace('s3://', 's3:'))} ${quote(dir)}`
    : `rsync -a --ignore-missing-args --files-from=${quote(listPath)} ${quote(storageDir)}/ ${quote(dir)}/`;
  const summary = {
    database_bytes: databaseBytes,
    files,
    file_bytes: fileBytes,
    storage_dir: storageDir,
    list: listPath,
    next: copying,
  };
  const output = new Output(json);
  output.result(summary, () => `database (${formatBytes(databaseBytes)}), keys and audit are in ${dir}`);
  output.note([
    `now copy the ${files} files (${formatBytes(fileBytes)}) in this database; files never change:`,
    `  ${copying}`,
  ]);
  return EXIT.done;
}

/** For a POSIX shell. */
function quote(path: string): string {
  return /^[\w/.+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
