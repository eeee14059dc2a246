/**
 * `cryolift migrate`: copies database, bytes and secrets of a server to another database and another storage. It can be
 * killed at any time and started again. Nothing is removed at the source.
 */
import { SettingError } from '../config/setting-error.ts';
import type { Database } from '../db/database.ts';
import { releaseDeliveries } from '../db/deliveries.ts';
import { sumFiles } from '../db/files.ts';
import { releaseJobs } from '../db/jobs.ts';
import { listCopied } from '../db/relocation/copied-tables.ts';
import { readMark, type TargetMark, writeMark } from '../db/relocation/marks.ts';
import { compareRows, copyRows, forgetFolder, isUnused } from '../db/relocation/rows.ts';
import { copyFiles, type FaultyFile, removeUnknown } from './files.ts';
import { beginRelocation, endRelocation, type Names, releaseSource } from './marking.ts';
import { copySecrets } from './secrets.ts';
import {
  assertNoServer,
  lockSides,
  nameDatabase,
  nameStorage,
  type OpenSide,
  openDatabase,
  openStorage,
  type Sides,
} from './sides.ts';
import { type CopiedUpload, copyUpload } from './upload-copy.ts';
import { cancelAtTarget, discardLeftovers, eachLive, fits } from './uploads.ts';

export interface Choices {
  /** Finish although bytes of files are damaged, missing or unreadable at the source. Their records are kept. */
  readonly leaveDamaged: boolean;
  /** Cancel uploads under way that the storage of the target cannot hold. */
  readonly cancelUploads: boolean;
}

export type Step = 'rows' | 'comparison' | 'uploads' | 'files';

export interface Total {
  readonly files: number;
  readonly bytes: number;
}

/** Is notified of what is done. */
export interface Observer {
  /** @param total what the step has to do, also what an earlier run did; null: not known. */
  begin(step: Step, total: Total | null): void;
  noteRows(rows: number): void;
  noteBytes(bytes: number): void;
  /** @param isCopied false: an earlier run copied it. */
  noteFile(sizeBytes: number, isCopied: boolean): void;
}

export interface RefusedUpload {
  readonly uploadId: string;
  readonly filename: string;
  readonly partSizeBytes: number;
}

export interface Relocated {
  readonly uploads: readonly CopiedUpload[];
  /** Uploads that the storage of the target cannot hold. */
  readonly refused: readonly RefusedUpload[];
  readonly faulty: readonly FaultyFile[];
  /** False: no server starts on the target yet. */
  readonly isEnded: boolean;
}

/** @throws SettingError when it may not begin; the errors of the databases and storages; the reason of the signal. */
export async function relocate(
  sides: Sides,
  choices: Choices,
  observer: Observer,
  signal: AbortSignal,
): Promise<Relocated> {
  const unlock = await lockSides(sides);
  const opened: (() => Promise<void>)[] = [async () => unlock()];
  try {
    const source = await openDatabase(sides.source, false);
    opened.push(() => source.destroy());
    const target = await openDatabase(sides.target, true);
    opened.push(() => target.destroy());
    return await relocateBetween({ source, target }, sides, choices, observer, signal, opened);
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

async function relocateBetween(
  databases: { source: Database; target: Database },
  sides: Sides,
  choices: Choices,
  observer: Observer,
  signal: AbortSignal,
  opened: (() => Promise<void>)[],
): Promise<Relocated> {
  const { source, target } = databases;
  const names: Names = {
    source: nameDatabase(sides.source.database),
    target: nameDatabase(sides.target.database),
    storages: `${nameStorage(sides.source)} to ${nameStorage(sides.target)}`,
  };
  // Before the marks, which would stay, and behind them: they keep others from starting.
  await assertNoServers(databases, sides);
  const storages = sides.storageStays ? null : await openStorages(databases, sides, opened);
  const mark = await beginRelocation(databases, names, sides.storageStays);
  if (mark === 'ended') {
    await releaseSource(source, sides.storageStays);
    return { uploads: [], refused: [], faulty: [], isEnded: true };
  }
  await assertNoServers(databases, sides);
  await relocateRows(databases, mark, sides.storageStays, observer, signal);
  const bytes = storages
    ? await relocateBytes(
        { db: source, storage: storages.source },
        { db: target, storage: storages.target },
        {
          choices,
          observer,
          signal,
          mark,
          ttlMs: sides.target.uploadTtlMs,
        },
      )
    : { uploads: [], refused: [], faulty: [] };
  storages?.assertKept();
  const isEnded =
    (bytes.faulty.length === 0 || choices.leaveDamaged) && (bytes.refused.length === 0 || choices.cancelUploads);
  if (!isEnded) return { ...bytes, isEnded };
  // The source has no server, so that nobody has a lease.
  await releaseJobs(target, Date.now());
  await releaseDeliveries(target);
  await copySecrets({ db: source, config: sides.source }, { db: target, config: sides.target });
  await endRelocation(databases, names, mark.id, sides.storageStays);
  return { ...bytes, isEnded };
}

async function assertNoServers({ source, target }: { source: Database; target: Database }, sides: Sides) {
  await assertNoServer(source, sides.source);
  await assertNoServer(target, sides.target);
}

async function openStorages(
  { source, target }: { source: Database; target: Database },
  sides: Sides,
  opened: (() => Promise<void>)[],
) {
  const lost = new Set<string>();
  const isNew = (await readMark(target)) === null && (await readMark(source)) === null;
  // It may have been started with another folder.
  if (isNew && (await isUnused(target))) await forgetFolder(target);
  const from = await openStorage(sides.source, source, () => {});
  opened.push(() => from.close());
  const to = await openStorage(sides.target, target, (uploadId) => void lost.add(uploadId));
  opened.push(() => to.close());
  if (isNew && ((await to.files.list()).length > 0 || (await to.uploads.list()).length > 0)) {
    throw new SettingError(`${nameStorage(sides.target)} is not empty; a migration needs an empty storage`);
  }
  return {
    source: from,
    target: to,
    /** @throws Error when the target has lost written bytes since: its disk is at fault. */
    assertKept() {
      if (lost.size > 0) throw new Error(`${nameStorage(sides.target)} has lost bytes that were written to it`);
    },
  };
}

async function relocateRows(
  { source, target }: { source: Database; target: Database },
  mark: TargetMark,
  storageStays: boolean,
  observer: Observer,
  signal: AbortSignal,
): Promise<void> {
  if (mark.step !== 'rows') return;
  const tables = listCopied(storageStays);
  observer.begin('rows', null);
  await copyRows(source, target, tables, mark, (rows) => {
    signal.throwIfAborted();
    observer.noteRows(rows);
  });
  observer.begin('comparison', null);
  const different = await compareRows(source, target, tables, () => signal.throwIfAborted());
  if (different.length > 0) throw new Error(`the target has other rows than the source in ${different.join(', ')}`);
  await writeMark(target, { ...mark, step: 'bytes', at: null });
}

interface BytesOptions {
  readonly choices: Choices;
  readonly observer: Observer;
  readonly signal: AbortSignal;
  readonly mark: TargetMark;
  /** How long an upload lasts after its last part. */
  readonly ttlMs: number;
}

async function relocateBytes(source: OpenSide, target: OpenSide, options: BytesOptions) {
  const { observer, signal } = options;
  const onBytes = (bytes: number) => observer.noteBytes(bytes);
  observer.begin('uploads', null);
  const { uploads, refused } = await relocateUploads(source, target, options);
  observer.begin('files', await sumFiles(source.db));
  const onFile = (row: { size: number }, isCopied: boolean) => observer.noteFile(row.size, isCopied);
  const faulty = await copyFiles(source, target, { signal, onBytes, onFile });
  await discardLeftovers(target.db, target.storage);
  await removeUnknown(target);
  return { uploads, refused, faulty };
}

async function relocateUploads(
  source: OpenSide,
  target: OpenSide,
  { choices, observer, signal, mark, ttlMs }: BytesOptions,
): Promise<{ uploads: CopiedUpload[]; refused: RefusedUpload[] }> {
  const uploads: CopiedUpload[] = [];
  const refused: RefusedUpload[] = [];
  for await (const row of eachLive(source.db)) {
    signal.throwIfAborted();
    if (!fits(row, target.storage.uploads.limits)) {
      refused.push({ uploadId: row.id, filename: row.filename, partSizeBytes: row.part_size });
      if (choices.cancelUploads) await cancelAtTarget(target.db, row);
      continue;
    }
    // The time of the migration is no time that a client could use.
    const expiresAtMs = row.expires_at > mark.startedAtMs ? Date.now() + ttlMs : row.expires_at;
    const onBytes = (bytes: number) => observer.noteBytes(bytes);
    uploads.push(await copyUpload(source, target, row, { signal, expiresAtMs, onBytes }));
  }
  return { uploads, refused };
}
