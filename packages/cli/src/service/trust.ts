/** Whether others can replace what a service of the system runs or reads. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Refusal } from '../process/exit.ts';

const WRITE_OF_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Checks a file and the folders above it: only root may own or write them.
 *
 * @throws Refusal: another user could have the service run or delete what they like.
 */
export function assertOnlyRootWrites(path: string): void {
  for (let each = path; ; each = dirname(each)) {
    const { uid, mode } = statSync(each);
    const isShared = (mode & WRITE_OF_OTHERS) !== 0 && (mode & STICKY) === 0;
    if (uid !== 0 || isShared) {
      throw new Refusal(
        'not_protected',
        `${each} can be changed by other users than root, and the service of the system uses ${path} as root`,
        'Copy it to where only root can write, such as /usr/local/bin for the program and /etc/cryolift for the settings.',
      );
    }
    if (each === dirname(each)) return;
  }
}
