/** `cryolift migrate`: copies database, files and secrets of the server to another database and storage. */
import { EXIT, type ExitCode, Interrupted, Refusal, UsageError } from 'cryolift/exit';
import { formatBytes } from 'cryolift/format';
import { interruptible } from 'cryolift/interrupt';
import { Output } from 'cryolift/output';
import { SettingError } from '../config/setting-error.ts';
import { cancelRelocation } from '../relocation/cancellation.ts';
import { type RefusedUpload, type Relocated, relocate } from '../relocation/relocation.ts';
import { readSides, type Sides } from '../relocation/sides.ts';
import { countSource, type SourceCounts } from '../relocation/source-counts.ts';
import { MigrationProgress } from './migration-progress.ts';
import { describeEnd, describeRefused, toSettings } from './migration-summary.ts';

export interface MigrateFlags {
  json?: boolean;
  from?: string;
  to?: string;
  storageFrom?: string;
  storageTo?: string;
  dataDir?: string;
  dataDirTo?: string;
  dryRun?: boolean;
  leaveDamaged?: boolean;
  cancelUploads?: boolean;
  cancel?: boolean;
}

export async function migrate(flags: MigrateFlags): Promise<ExitCode> {
  const output = new Output(flags.json);
  if (flags.cancel) return await cancel(flags, output);
  const sides = readFlags(flags);
  if (flags.dryRun) return await count(sides, output);
  // All files are private to the user of the server, also those of SQLite.
  process.umask(0o077);
  const signal = interruptible();
  const progress = new MigrationProgress(output);
  const choices = { leaveDamaged: flags.leaveDamaged ?? false, cancelUploads: flags.cancelUploads ?? false };
  const done = await relocate(sides, choices, progress, signal).catch((error: unknown) => explain(error));
  return conclude(done, progress, sides, output);
}

/** @throws UsageError. */
function readFlags({ from, to, storageFrom, storageTo, dataDir, dataDirTo }: MigrateFlags): Sides {
  if (to === undefined) throw new UsageError('--to is missing: the database of the target');
  return asUsage(() =>
    readSides(
      process.env,
      { database: from, storage: storageFrom, dataDir },
      { database: to, storage: storageTo, dataDir: dataDirTo },
    ),
  );
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof SettingError ? new UsageError(error.message) : error;
  }
}

/** @param nothing what a refusal means. @throws the error to show. */
function explain(error: unknown, nothing = 'This run has copied nothing.'): never {
  if (error instanceof Interrupted) throw error;
  const { message } = error as Error;
  if (error instanceof SettingError) throw new Refusal('migration_refused', message, nothing);
  const hint = 'Nothing is lost at the source. Run the same command again: what was copied is not copied again.';
  throw new Refusal('migration_stopped', message, hint);
}

async function count(sides: Sides, output: Output): Promise<ExitCode> {
  const found: SourceCounts = await countSource(sides).catch((error: unknown) => explain(error));
  const { tables, files, fileBytes, uploads, uploadBytes, refused } = found;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const summary = {
    rows,
    tables: Object.fromEntries(tables.map((table) => [table.table, table.rows])),
    files,
    file_bytes: fileBytes,
    uploads,
    upload_bytes: uploadBytes,
    refused_uploads: refused.map(toRefused),
  };
  output.result(summary, () => [
    `would copy ${rows} rows: ${tables
      .filter((table) => table.rows > 0)
      .map((table) => `${table.rows} of ${table.table}`)
      .join(', ')}`,
    ...(sides.storageStays
      ? ['the storage stays as it is; no file is copied']
      : [`and ${files} files (${formatBytes(fileBytes)}), ${uploads} uploads under way (${formatBytes(uploadBytes)})`]),
    ...describeRefused(refused, false),
  ]);
  return EXIT.done;
}

async function cancel(flags: MigrateFlags, output: Output): Promise<ExitCode> {
  const { from, storageFrom, dataDir } = flags;
  const address = { database: from, storage: storageFrom, dataDir };
  const other = await cancelRelocation(process.env, address).catch((error: unknown) =>
    explain(error, 'Nothing was changed.'),
  );
  output.result({ cancelled: true, target: other }, () => [
    `servers start on the source again; the migration to ${other} was given up`,
    'what it has copied there can be deleted',
  ]);
  return EXIT.done;
}

function conclude(done: Relocated, progress: MigrationProgress, sides: Sides, output: Output): ExitCode {
  const { uploads, refused, faulty, isEnded } = done;
  const summary = {
    event: 'summary',
    complete: isEnded,
    ...progress.counts,
    uploads: uploads.map(({ uploadId, filename, parts, lost }) => ({ upload_id: uploadId, filename, parts, lost })),
    refused_uploads: refused.map(toRefused),
    faults: faulty.map(({ fileId, filename, fault, message }) => ({ file_id: fileId, filename, fault, message })),
    ...(isEnded ? { settings: toSettings(sides) } : {}),
  };
  output.result(summary, () => describeEnd(done, progress.counts, sides));
  return faulty.length > 0 || !isEnded ? EXIT.someFailed : EXIT.done;
}

function toRefused({ uploadId, filename, partSizeBytes }: RefusedUpload) {
  return { upload_id: uploadId, filename, part_size: partSizeBytes };
}
