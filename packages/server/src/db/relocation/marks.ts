/**
 * What databases remember of a relocation (`cryolift migrate`). While one has a mark, no server starts on it: rows are
 * read at the source and written at the target in several transactions.
 */
import type { Database } from '../database.ts';
import { readFact, removeFact, writeFact } from '../server-state.ts';

/** The name of the fact. */
export const RELOCATION = 'relocation';

/** Up to where the rows of a table are copied: the key of the last one. */
export interface RowPosition {
  readonly table: string;
  readonly after: readonly (string | number)[];
}

export interface TargetMark {
  readonly role: 'target';
  /** Of the relocation; the same in both databases. */
  readonly id: string;
  /** Names the source, for messages. */
  readonly other: string;
  /** Names the storages of both sides: another run with others would remove files that it does not know. */
  readonly storages: string;
  readonly startedAtMs: number;
  /** `rows`: rows are being copied. `bytes`: all rows are there and compared. */
  readonly step: 'rows' | 'bytes';
  readonly at: RowPosition | null;
}

interface SourceMark {
  /** `moved`: another database has the storage of this one for good. */
  readonly role: 'source' | 'moved';
  readonly id: string;
  /** Names the target. */
  readonly other: string;
  /** The target was complete. */
  readonly isEnded: boolean;
}

export type Mark = TargetMark | SourceMark;

export async function readMark(db: Database): Promise<Mark | null> {
  const kept = await readFact(db, RELOCATION);
  return kept === undefined ? null : (JSON.parse(kept) as Mark);
}

export async function writeMark(db: Database, mark: Mark): Promise<void> {
  await writeFact(db, RELOCATION, JSON.stringify(mark));
}

export async function removeMark(db: Database): Promise<void> {
  await removeFact(db, RELOCATION);
}

/** @returns why no server may use the database; null when one may. */
export async function whyRelocating(db: Database): Promise<string | null> {
  const mark = await readMark(db);
  if (!mark) return null;
  switch (mark.role) {
    case 'target':
      return `the migration from ${mark.other} into this database has not ended; run cryolift migrate again with the same arguments`;
    case 'source':
      return `this database is being migrated to ${mark.other}; finish that with cryolift migrate, or give it up with cryolift migrate --cancel`;
    case 'moved':
      return `this database was migrated to ${mark.other}, which has its files now`;
  }
}
