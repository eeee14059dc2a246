/** Options of NFS mounts with which a shared folder is not safe. Other file systems have none that are known. */
import { readFile, realpath } from 'node:fs/promises';
import { AssumptionFailed } from './assumption.ts';

export interface Mount {
  readonly type: string;
  readonly options: readonly string[];
}

/** @throws AssumptionFailed when the folder is mounted with options that lose or hide bytes. */
export async function checkMount(folder: string): Promise<void> {
  // Only Linux has it.
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const fault = findFault(findMount(table, await realpath(folder)));
  if (fault) throw new AssumptionFailed(`the NFS mount is not safe for several servers: ${fault}`);
}

/** @param table as in `/proc/self/mountinfo`. */
export function findMount(table: string, path: string): Mount | null {
  let found: (Mount & { at: string }) | null = null;
  for (const line of table.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const at = decode(before.split(' ')[4] ?? '');
    const [type = '', , options = ''] = after.split(' ');
    // A later mount at the same place hides the earlier one.
    if (at && isBelow(path, at) && at.length >= (found?.at.length ?? 0)) {
      found = { at, type, options: options.split(',') };
    }
  }
  return found && { type: found.type, options: found.options };
}

/** @returns null: nothing is wrong. */
export function findFault(mount: Mount | null): string | null {
  if (!mount?.type.startsWith('nfs')) return null;
  const { options } = mount;
  const soft = options.find((option) => option === 'soft' || option === 'softerr');
  if (soft) return `${soft}: writes are given up when the file server is slow; mount it with hard`;
  if (options.includes('lookupcache=pos') || options.includes('lookupcache=none')) return null;
  return 'a file that another server has moved is not found for up to a minute; mount it with lookupcache=positive';
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** The kernel prints blanks and backslashes in octal. */
function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
