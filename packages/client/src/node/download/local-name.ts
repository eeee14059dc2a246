/** The names that a server may give to files here. */
import { findNameFault } from '@cryolift/protocol/filename';
import { TargetError } from '../../failures.ts';

/** `C:foo` leads to another drive on Windows; anything behind a colon is a stream of the file before it. */
const DRIVE = process.platform === 'win32' ? /:/ : /^[a-z]:/i;

/**
 * Checks a name that comes from the server. A name with a special meaning on some system, or of a file that programs
 * read by themselves (`.bash_profile`), must be given by the user.
 *
 * @throws TargetError `name_not_possible`
 */
export function assertHarmlessName(name: string): void {
  const fault = findNameFault(name) ?? findHarm(name);
  if (fault === null) return;
  throw new TargetError(
    'name_not_possible',
    `The name of this file on the server ${fault}: ${JSON.stringify(name)}`,
    'Nothing was downloaded. Give another name (-o NAME).',
  );
}

function findHarm(name: string): string | null {
  if (name.startsWith('.')) return 'belongs to a hidden file';
  if (DRIVE.test(name)) return 'begins with a drive letter of Windows';
  return /[. ]$/.test(name) ? 'ends with a dot or a blank, which Windows removes' : null;
}
