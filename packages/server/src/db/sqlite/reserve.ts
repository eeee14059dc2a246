/**
 * Space reserved for the database: a file next to it that is removed when the disk is full. SQLite needs some space
 * even to open a database, and more to record deletions, which free space.
 */
import { randomBytes } from 'node:crypto';
import { open, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { durableStep } from '../../durable-step.ts';

/** Twice the size at which the WAL restarts. */
const RESERVE_BYTES = 8 * 1024 * 1024;
/** With less than this the disk counts as full. */
const LOW_BYTES = 1024 * 1024;

export class Reserve {
  readonly #path: string;

  /** @param databasePath path of the database. */
  constructor(databasePath: string) {
    this.#path = join(dirname(databasePath), 'cryolift.reserve');
  }

  /** Creates the file when there is enough space, and removes it when there is none. @returns the action. */
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
    await durableStep('reserve.remove', () => rm(this.#path, { force: true }));
    // Journaling file systems reuse its blocks only after the removal is on the disk.
    const folder = await open(dirname(this.#path), 'r');
    await durableStep('reserve.sync-folder', () => folder.sync()).finally(() => folder.close());
    return true;
  }

  /** Reserves the space for the next start after the database was closed, before other programs use it. */
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

  /** Random bytes: compressing file systems would reserve no space for zeros. Bytes that do not fit are omitted. */
  async #make(sizeBytes: number): Promise<void> {
    const bytes = await promisify(randomBytes)(sizeBytes);
    await durableStep('reserve.write', () => writeFile(this.#path, bytes, { mode: 0o600 })).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
      },
    );
  }
}
