/** This machine. */
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSystemError } from '@cryolift/client/node';
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** What is remembered of an upload is a few hundred bytes; a disk this full has other troubles soon. */
const LITTLE_BYTES = 64 * 1024 * 1024;

/** Whether what an upload needs to be resumed can be kept. @param folder of the memory. */
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
      await rm(probe, { force: true });
    }
  } catch (error) {
    return fail(
      'state_folder',
      `${folder} cannot be written: ${describeSystemError(error)}. Uploads need it, to be resumed`,
      'Make it a folder that you can write to, or set XDG_STATE_HOME to another one.',
    );
  }
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const found = `${folder} can be written, ${formatBytes(freeBytes)} free`;
  return freeBytes < LITTLE_BYTES
    ? warn('state_folder', found, 'Free some space on this disk.')
    : ok('state_folder', found);
}
