/** How the service starts this program. */
import { realpathSync } from 'node:fs';
import { isSea } from 'node:sea';
import { Refusal } from '../process/exit.ts';

/** @returns the one-file program, or Node with the entry of the command. @throws Refusal for a copy that npx may delete. */
export function ownProgram(): string[] {
  if (isSea()) return [realpathSync(process.execPath)];
  const entry = realpathSync(process.argv[1] ?? '');
  if (/[\\/]_npx[\\/]/.test(entry)) {
    throw new Refusal(
      'temporary_program',
      `${entry} is in the cache of npx, which may be deleted`,
      'Use the one-file program, or install the package, and run `watch install` with that.',
    );
  }
  return [realpathSync(process.execPath), entry];
}
