/** The names that a server may give to files here. */
import { findNameFault } from '@cryolift/protocol/filename';
import { TargetError } from '../../failures.ts';

/** `C:foo` leads to another drive on Windows; anything behind a colon is a stream of the file before it. */
const DRIVE = process.platform === 'win32' ? /:/ : /^[a-z]:/i;

/**
 * For a name that the server, and not the user, has chosen. One that means something else on some system, or that programs
 * read without being asked (`.bash_profile`), is left to the user.
 *
 * @throws TargetError `name_not_possible`
 */
export function assertHarmlessName(name: string): void {
  const fault = findNameFault(name) ?? findHarm(name);
  if (fault === null) return;
  throw new TargetError(
    'name_not_possible',
    `The name that the server gives to this file ${fault}: ${JSON.stringify(name)}`,
    'Nothing was downloaded. Give a name (-o NAME).',
  );
}

function findHarm(name: string): string | null {
  if (name.startsWith('.')) return 'is one of a hidden file';
  if (DRIVE.test(name)) return 'begins with a drive of Windows';
  return /[. ]$/.test(name) ? 'ends with a dot or a blank, which Windows leaves out' : null;
}
