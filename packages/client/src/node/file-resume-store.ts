/** Resume records, one small JSON file each. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ResumeKey, ResumeRecord, ResumeStore } from '../ports.ts';
import { retryWhileHeld } from './held-file.ts';
import { naming } from './system-error.ts';

/** @returns the folder of the XDG base directory specification; on Windows, of the application data of this machine. */
export function defaultStateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own =
    process.platform === 'win32'
      ? env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local')
      : join(homedir(), '.local', 'state');
  return join(env.XDG_STATE_HOME || own, 'cryolift', 'uploads');
}

export class FileResumeStore implements ResumeStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(key: ResumeKey): Promise<ResumeRecord | null> {
    const { server, owner, location } = key;
    try {
      const text = await naming(this.#folder, () => retryWhileHeld(() => readFile(this.#path(key), 'utf8')));
      const record = JSON.parse(text) as ResumeRecord | null;
      return record?.server === server && record.owner === owner && record.location === location ? record : null;
    } catch (error) {
      // There is no readable record. The server also finds the upload by its fingerprint.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** @throws the system's error, which contains the folder. */
  async save(record: ResumeRecord): Promise<void> {
    await naming(this.#folder, () => this.#write(record));
  }

  async #write(record: ResumeRecord): Promise<void> {
    const path = this.#path(record);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const fresh = `${path}.${process.pid}.new`;
    const handle = await retryWhileHeld(() => open(fresh, 'w', 0o600));
    try {
      await handle.writeFile(`${JSON.stringify(record, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await retryWhileHeld(() => rename(fresh, path));
  }

  async forget(key: ResumeKey): Promise<void> {
    await retryWhileHeld(() => rm(this.#path(key), { force: true }));
  }

  #path({ server, owner, location }: ResumeKey): string {
    const name = createHash('sha256')
      .update(JSON.stringify([server, owner, location]))
      .digest('hex')
      .slice(0, 32);
    return join(this.#folder, `${name}.json`);
  }
}
