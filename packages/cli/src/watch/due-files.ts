/** Selects the settled files that are to be handled now, and their order. */
import { basename } from 'node:path/posix';
import { extensionOf } from '@cryolift/mrc';
import { hasInode } from '../upload/folder-journal.ts';
import type { Outcomes } from './outcomes.ts';
import type { Stamp } from './scan.ts';

const SIDECAR = 'mdoc';

/**
 * @param files all files of the folder: a file waits for its sidecar, also for one that has not settled.
 * @param active files that are being handled.
 * @returns `due`: sidecars first, then by time of modification. `later`: how many are to be uploaded, but not yet.
 */
export function findDue(
  settled: ReadonlyMap<string, Stamp>,
  files: ReadonlyMap<string, Stamp>,
  active: ReadonlyMap<string, Stamp>,
  outcomes: Outcomes,
): { readonly due: [string, Stamp][]; readonly later: number } {
  let later = 0;
  for (const [path, stamp] of files) if (!settled.has(path) && !outcomes.isDone(path, stamp)) later++;
  // A file that is renamed while it is handled keeps its inode.
  const inodes = new Set([...active.values()].map(({ inode }) => inode).filter(hasInode));
  const due = [...settled].filter(([path, stamp]) => {
    if (active.has(path) || inodes.has(stamp.inode) || outcomes.isDone(path, stamp)) return false;
    if (outcomes.hasFailed(path, stamp)) return !outcomes.isPaused(path, stamp);
    const mustWait = waitsForSidecar(path, files, outcomes);
    if (mustWait) later++;
    return !mustWait;
  });
  due.sort(([a, { modifiedMs }], [b, other]) => {
    return Number(isSidecar(b)) - Number(isSidecar(a)) || modifiedMs - other.modifiedMs || (a < b ? -1 : 1);
  });
  return { due, later };
}

/** A sidecar is uploaded before the file that it describes. */
function waitsForSidecar(path: string, files: ReadonlyMap<string, Stamp>, outcomes: Outcomes): boolean {
  if (isSidecar(path)) return false;
  const stem = path.slice(0, path.length - extensionOf(basename(path)).length);
  const names = [`${path}.${SIDECAR}`, `${stem}${SIDECAR}`];
  return names.some((name) => {
    const stamp = files.get(name);
    return stamp !== undefined && !outcomes.isDone(name, stamp) && !outcomes.hasFailed(name, stamp);
  });
}

function isSidecar(path: string): boolean {
  return extensionOf(basename(path)) === SIDECAR;
}
