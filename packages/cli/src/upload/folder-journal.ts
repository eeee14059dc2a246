/**
 * The journal of a folder, over all runs of one owner at one server. Uploaded files are not sent again. Refused files
 * are not offered again until something changes.
 */
import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { defaultStateFolder, naming, realPath, retryWhileHeld } from '@cryolift/client/node';

/** Properties of a file at one time. */
interface Known {
  /** Path below the folder. */
  readonly path: string;
  readonly size: number;
  readonly modified_ms: number;
  /** Change time of the inode (`ctime`), which programs cannot set. */
  readonly changed_ms: number;
  /** Recognizes a file that was only renamed. */
  readonly inode: number;
  /** RFC 3339. */
  readonly at: string;
}

export interface WentUp extends Known {
  readonly file_id: string;
  readonly sha256: string;
  /** Null for an entry of an earlier version. */
  readonly upload_id: string | null;
}

export interface Refused extends Known {
  /** Message of the error. */
  readonly refused: string;
  /** Code of the error. */
  readonly code: string;
  /** Values at the time of the refusal on which it depended. */
  readonly depends_on: Readonly<Record<string, unknown>>;
}

type Outcome = Pick<WentUp, 'file_id' | 'sha256' | 'upload_id'> | Pick<Refused, 'refused' | 'code' | 'depends_on'>;

/** State of a file now. */
export interface Facts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly inode: number;
}

/** Writes of another process take less time. */
const BUSY_MS = 30_000;
/** `user_version` of the database. */
const MADE = 1;
const EARLIER_READ = 2;

/** Numbers are REAL: inodes may exceed the safe integers of JavaScript, and SQLite then refuses to read INTEGER. */
const TABLES = `
  CREATE TABLE files (
    path TEXT PRIMARY KEY, size REAL, modified_ms REAL, changed_ms REAL, inode REAL, at TEXT,
    file_id TEXT, sha256 TEXT, upload_id TEXT, refused TEXT, code TEXT, depends_on TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX files_by_inode ON files (inode) WHERE file_id IS NOT NULL;
  CREATE TABLE earlier (path TEXT PRIMARY KEY, entry TEXT) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${MADE};
`;

/**
 * One row per file in an SQLite database in the user's state folder. Its size and memory do not grow with the number of
 * runs, and several processes can write to it. Entries are on the disk when the promise of `note` has resolved.
 */
export class FolderJournal {
  readonly #path: string;
  readonly #db: DatabaseSync;
  /** It is used for every file of a scan. */
  #findRow: StatementSync | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#db = new DatabaseSync(path);
    this.#db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL`);
    this.#transact(() => {
      if (this.#version() < MADE) this.#db.exec(TABLES);
    });
  }

  static async open(server: string, owner: string, folder: string): Promise<FolderJournal> {
    const path = placeFor(JSON.stringify([server, owner, await realPath(folder)]), '.db');
    await naming(dirname(path), async () => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // SQLite gives its other files the same mode.
      await (await retryWhileHeld(() => open(path, 'a', 0o600))).close();
    });
    return await retryWhileHeld(async () => new FolderJournal(path));
  }

  close(): void {
    this.#db.close();
  }

  /** @returns null when the file was not uploaded, or has changed since. */
  find(path: string, facts: Facts): WentUp | null {
    const entry = this.#row(path);
    if (!entry || !isWentUp(entry) || !isOf(entry, facts)) return null;
    return entry.inode === facts.inode && entry.changed_ms === facts.changedMs ? entry : null;
  }

  /**
   * @returns the upload of a file with this size and time, under this name or with this inode. It is most likely this
   * file, restored or renamed. Inodes are reused and times can be set, so its bytes decide.
   */
  findAlike(path: string, facts: Facts): WentUp | null {
    const entries = [this.#row(path), ...(hasInode(facts.inode) ? this.#rowsOfInode(facts.inode) : [])];
    return entries.filter((entry) => entry !== null && isWentUp(entry)).find((entry) => isOf(entry, facts)) ?? null;
  }

  /** @returns the last refusal of this version of the file; null when there is none. */
  findRefusal(path: string, facts: Facts): Refused | null {
    const entry = this.#row(path);
    return entry && !isWentUp(entry) && isOf(entry, facts) ? entry : null;
  }

  async note(path: string, facts: Facts, outcome: Outcome): Promise<void> {
    const { sizeBytes: size, modifiedMs: modified_ms, changedMs: changed_ms, inode } = facts;
    const entry = { ...outcome, path, size, modified_ms, changed_ms, inode, at: new Date().toISOString() };
    try {
      await retryWhileHeld(async () => this.#save(entry));
    } catch (cause) {
      throw new Error(`${this.#path}: ${(cause as Error).message}`, { cause });
    }
  }

  /** True when the journal of an earlier version has not been imported. */
  get lacksEarlier(): boolean {
    return this.#version() < EARLIER_READ;
  }

  /**
   * Imports the entries of an earlier version. The owner of these files is not known yet.
   *
   * @param entries the last one of each path counts; null: not uploaded.
   */
  async readEarlier(entries: AsyncIterable<{ path: string; entry: Omit<WentUp, 'upload_id'> | null }>): Promise<void> {
    const put = this.#db.prepare('INSERT OR REPLACE INTO earlier (path, entry) VALUES (?, ?)');
    const drop = this.#db.prepare('DELETE FROM earlier WHERE path = ?');
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for await (const { path, entry } of entries) {
        if (entry) put.run(path, JSON.stringify(entry));
        else drop.run(path);
      }
      this.#db.exec(`PRAGMA user_version = ${EARLIER_READ}; COMMIT`);
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** @returns the last upload; null when there is none. */
  findLast(): Pick<WentUp, 'path' | 'at'> | null {
    const row = this.#db.prepare('SELECT path, max(at) AS at FROM files WHERE file_id IS NOT NULL').get();
    return row?.path ? { path: String(row.path), at: String(row.at) } : null;
  }

  /** @returns some entries whose owner is not known yet; empty when there are none. */
  nextEarlier(most: number): Omit<WentUp, 'upload_id'>[] {
    const rows = this.#db.prepare('SELECT entry FROM earlier LIMIT ?').all(most);
    return rows.map(({ entry }) => JSON.parse(String(entry)));
  }

  /** @param own those of this owner. The others are deleted from this journal. */
  settleEarlier(all: readonly { readonly path: string }[], own: readonly WentUp[]): void {
    const drop = this.#db.prepare('DELETE FROM earlier WHERE path = ?');
    this.#transact(() => {
      for (const { path } of all) drop.run(path);
      // Entries of this version are newer.
      for (const entry of own) if (!this.#row(entry.path)) this.#save(entry);
    });
  }

  #version(): number {
    return Number(this.#db.prepare('PRAGMA user_version').get()?.user_version);
  }

  #transact(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #row(path: string): WentUp | Refused | null {
    this.#findRow ??= this.#db.prepare('SELECT * FROM files WHERE path = ?');
    const row = this.#findRow.get(path);
    return row ? toEntry(row) : null;
  }

  #rowsOfInode(inode: number): (WentUp | Refused)[] {
    const rows = this.#db
      .prepare('SELECT * FROM files WHERE inode = ? AND file_id IS NOT NULL ORDER BY at DESC')
      .all(inode);
    return rows.map(toEntry);
  }

  #save(entry: (WentUp | Refused) & object): void {
    const { path, size, modified_ms, changed_ms, inode, at } = entry;
    const outcome = isWentUp(entry)
      ? [entry.file_id, entry.sha256, entry.upload_id, null, null, null]
      : [null, null, null, entry.refused, entry.code, JSON.stringify(entry.depends_on)];
    this.#db
      .prepare('INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(path, size, modified_ms, changed_ms, inode, at, ...outcome);
  }
}

/**
 * Some shares have no inode numbers. Numbers of others exceed the safe integers, so that several files seem to share
 * one.
 */
export function hasInode(inode: number): boolean {
  return inode > 0 && Number.isSafeInteger(inode);
}

/** @param extension with its dot. @returns the path of the state of a folder at a server. */
export async function placeOf(server: string, folder: string, extension: string): Promise<string> {
  return placeFor(`${server}\n${await realPath(folder)}`, extension);
}

function placeFor(key: string, extension: string): string {
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  return join(dirname(defaultStateFolder()), 'folders', `${name}${extension}`);
}

function toEntry(row: Record<string, unknown>): WentUp | Refused {
  const { path, size, modified_ms, changed_ms, inode, at, file_id, sha256, upload_id, refused, code, depends_on } = row;
  const known = { path, size, modified_ms, changed_ms, inode, at };
  const outcome =
    file_id === null ? { refused, code, depends_on: JSON.parse(String(depends_on)) } : { file_id, sha256, upload_id };
  return { ...known, ...outcome } as WentUp | Refused;
}

function isWentUp(entry: WentUp | Refused): entry is WentUp {
  return 'file_id' in entry;
}

function isOf({ size, modified_ms }: Known, { sizeBytes, modifiedMs }: Facts): boolean {
  return size === sizeBytes && modified_ms === modifiedMs;
}
