/**
 * The beginning and the end of a relocation, as both databases remember them. While a mark is there, no server starts on
 * its database, so that the rows of the source are the same in every run.
 */
import { randomUUID } from 'node:crypto';
import { SettingError } from '../config/setting-error.ts';
import type { Database } from '../db/database.ts';
import { readMark, removeMark, type TargetMark, writeMark } from '../db/relocation/marks.ts';
import { emptyTables, isUnused } from '../db/relocation/rows.ts';

interface Databases {
  readonly source: Database;
  readonly target: Database;
}

/** How the two are called in messages. */
export interface Names {
  readonly source: string;
  readonly target: string;
  /** Both storages together. */
  readonly storages: string;
}

/**
 * Marks both databases, or finds the marks of an earlier run.
 *
 * @returns 'ended' when an earlier run was killed behind its last step.
 * @throws SettingError when the target is in use, or one of them belongs to another relocation.
 */
export async function beginRelocation(
  { source, target }: Databases,
  names: Names,
  storageStays: boolean,
): Promise<TargetMark | 'ended'> {
  const [sourceMark, found] = [await readMark(source), await readMark(target)];
  if (sourceMark?.role === 'target') {
    throw new SettingError(`${names.source} is the target of a migration from ${sourceMark.other} that has not ended`);
  }
  if (sourceMark?.role === 'moved') {
    throw new SettingError(`${names.source} was migrated to ${sourceMark.other}, which has its files now`);
  }
  if (sourceMark?.isEnded && !found) return 'ended';
  if (found && found.role !== 'target') {
    throw new SettingError(`${names.target} was or is being migrated to ${found.other}`);
  }
  if (sourceMark && found?.id !== sourceMark.id) {
    throw new SettingError(
      `${names.source} is being migrated to ${sourceMark.other}; give that up first with cryolift migrate --cancel`,
    );
  }
  if (found && found.storages !== names.storages) {
    throw new SettingError(`the migration into ${names.target} was begun with other storages: ${found.storages}`);
  }
  if (!found && !(await isUnused(target))) {
    throw new SettingError(`${names.target} is not empty; a migration needs an empty database`);
  }
  if (found && sourceMark) return found;
  // Without the mark of the source, its server may have run since the rows were copied.
  const id = found?.id ?? randomUUID();
  const mark: TargetMark = {
    role: 'target',
    id,
    other: names.source,
    storages: names.storages,
    startedAtMs: found?.startedAtMs ?? Date.now(),
    step: 'rows',
    at: null,
  };
  await emptyTables(target, mark, storageStays);
  await writeMark(source, { role: 'source', id, other: names.target, isEnded: false });
  return mark;
}

/**
 * The target is complete. From here on servers may start on it, and on the source where that has its own storage.
 */
export async function endRelocation(
  { source, target }: Databases,
  names: Names,
  id: string,
  storageStays: boolean,
): Promise<void> {
  await writeMark(source, { role: 'source', id, other: names.target, isEnded: true });
  await removeMark(target);
  await releaseSource(source, storageStays);
}

/** The last step of `endRelocation`. */
export async function releaseSource(source: Database, storageStays: boolean): Promise<void> {
  const mark = await readMark(source);
  // Two servers with one storage would remove each other's files.
  if (storageStays && mark?.role === 'source') await writeMark(source, { ...mark, role: 'moved' });
  else await removeMark(source);
}

/** Servers may start on the source again. @throws SettingError when there is nothing to give up. */
export async function giveUpRelocation(source: Database, name: string): Promise<string> {
  const mark = await readMark(source);
  if (mark?.role !== 'source') throw new SettingError(`${name} is not being migrated`);
  await removeMark(source);
  return mark.other;
}
