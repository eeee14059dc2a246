/** This machine. */
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSystemError, retryWhileHeld } from '@cryolift/client/node';
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A resume record takes a few hundred bytes. With less free space than this, the disk may soon be full. */
const LITTLE_BYTES = 64 * 1024 * 1024;

/** Checks whether resume records can be stored. @param folder the folder of the resume store. */
export async function checkStateFolder(folder: string): Promise<Finding> {
  const probe = join(folder, `.doctor.${process.pid}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(probe, 'wx', 0o600);
    try {
      await handle.writeFile('may I?\n');
      await handle.sync();
    } finally {
      await handle.close();
      await retryWhileHeld(() => rm(probe, { force: true }));
    }
  } catch (error) {
    return fail(
      'state_folder',
      `${folder} cannot be written: ${describeSystemError(error)}. Uploads need it to resume`,
      'Make the folder writable, or set XDG_STATE_HOME to another one.',
    );
  }
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const found = `${folder} can be written, ${formatBytes(freeBytes)} free`;
  return freeBytes < LITTLE_BYTES ? warn('state_folder', found, 'Free space on this disk.') : ok('state_folder', found);
}
