/** The last lines of `cryolift migrate`. */
import { formatBytes } from 'cryolift/format';
import type { RefusedUpload, Relocated } from '../relocation/relocation.ts';
import { nameDatabase, printStorageUrl, type Sides } from '../relocation/sides.ts';
import type { Counts } from './migration-progress.ts';

/** The settings of a server on the target. Passwords are left out. */
export function toSettings({ target }: Sides): Record<string, string> {
  return {
    CRYOLIFT_DATA_DIR: target.dataDir,
    CRYOLIFT_DATABASE_URL: nameDatabase(target.database),
    CRYOLIFT_STORAGE_URL: printStorageUrl(target, target.dataDir),
  };
}

export function describeEnd(done: Relocated, counts: Counts, sides: Sides): string[] {
  const { uploads, refused, faulty, isEnded } = done;
  const earlier = counts.already_copied > 0 ? `, ${counts.already_copied} files by an earlier run` : '';
  return [
    `copied ${counts.rows} rows, ${counts.files} files and ${uploads.length} uploads under way (${formatBytes(counts.bytes)}), all compared${earlier}`,
    ...uploads.filter(({ lost }) => lost > 0).map(describeLost),
    ...describeRefused(refused, isEnded),
    ...faulty.map(
      ({ fileId, filename, fault, message }) => `  ${fault.padEnd(10)}  ${fileId}  ${filename}: ${message}`,
    ),
    ...(faulty.length > 0 ? [describeFaulty(faulty.length, isEnded)] : []),
    ...(isEnded ? describeStart(sides) : ['the migration has not ended: no server starts on the target yet']),
  ];
}

/** @param isCancelled the user has decided it. */
export function describeRefused(refused: readonly RefusedUpload[], isCancelled: boolean): string[] {
  if (refused.length === 0) return [];
  const lines = refused.map(
    ({ uploadId, filename, partSizeBytes }) =>
      `  ${isCancelled ? 'cancelled' : 'refused  '}  ${uploadId}  ${filename}: parts of ${formatBytes(partSizeBytes)}`,
  );
  const advice = isCancelled
    ? `${refused.length} uploads were cancelled at the target; their clients start again`
    : `the target cannot hold the parts of ${refused.length} uploads under way; finish them at the source first, or cancel them at the target with --cancel-uploads`;
  return [...lines, advice];
}

function describeLost({ uploadId, filename, parts, lost }: Relocated['uploads'][number]): string {
  return `  again       ${uploadId}  ${filename}: ${lost} of ${parts} parts have to be sent again, which its client does by itself`;
}

function describeFaulty(count: number, isEnded: boolean): string {
  return isEnded
    ? `the records of ${count} files were copied without bytes: put the right files there, or remove the records with cryolift rm`
    : `${count} files could not be copied: restore them at the source and run the command again, or finish without their bytes with --leave-damaged`;
}

function describeStart(sides: Sides): string[] {
  const settings = Object.entries(toSettings(sides)).map(([name, value]) => `  ${name}=${value}`);
  const advice = sides.storageStays
    ? 'the source is not used any more: its storage belongs to the target now'
    : 'the source is as it was; keep it until the target has proved itself, but start no server on it';
  const password = sides.target.database.kind === 'postgres' ? ', and with the password of the database' : '';
  return [`start the server with these settings${password}:`, ...settings, advice];
}
