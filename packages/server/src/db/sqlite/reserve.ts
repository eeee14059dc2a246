/**
 * Space that is kept for the database while the disk has some: a file beside it that is given up when the disk is full.
 * SQLite needs a little space even to open a database, and more to record that files were deleted, which makes room.
 */
import { randomBytes } from 'node:crypto';
import { open, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Twice what the WAL takes before it begins anew. */
const RESERVE_BYTES = 8 * 1024 * 1024;
/** With less than this the disk counts as full. */
const LOW_BYTES = 1024 * 1024;

export class Reserve {
  readonly #path: string;

  /** @param databasePath the database that it is for. */
  constructor(databasePath: string) {
    this.#path = join(dirname(databasePath), 'cryolift.reserve');
  }

  /** Makes it where there is plenty of space, and gives it up where there is none. @returns what was done. */
  async adjust(): Promise<'kept' | 'given up' | null> {
    const freeBytes = await this.#readFreeBytes();
    if (freeBytes < LOW_BYTES) return (await this.giveUp()) ? 'given up' : null;
    if (freeBytes < 2 * RESERVE_BYTES || (await this.#readSize()) >= RESERVE_BYTES) return null;
    await this.#make(RESERVE_BYTES);
    return 'kept';
  }

  /** @returns false when there was none. */
  async giveUp(): Promise<boolean> {
    if ((await this.#readSize()) === 0) return false;
    await rm(this.#path, { force: true });
    // Journaling file systems give its blocks to others only when the removal is on the disk.
    const folder = await open(dirname(this.#path), 'r');
    await folder.sync().finally(() => folder.close());
    return true;
  }

  /** For the next start, once the database is closed: what it has given back, before others take it. */
  async takeBack(): Promise<void> {
    const missingBytes = RESERVE_BYTES - (await this.#readSize());
    const freeBytes = await this.#readFreeBytes();
    if (missingBytes > 0 && freeBytes > 0) await this.#make(Math.min(RESERVE_BYTES, freeBytes));
  }

  async #readSize(): Promise<number> {
    return await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async #readFreeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(dirname(this.#path));
    return bavail * bsize;
  }

  /** Random: file systems that compress would keep no space for zeros. What does not fit is left out. */
  async #make(sizeBytes: number): Promise<void> {
    const bytes = await promisify(randomBytes)(sizeBytes);
    await writeFile(this.#path, bytes, { mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
    });
  }
}
