/** Keeps the sign-in of a server in a file of mode 0600, one for each server, for all processes of the user. */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError } from '@cryolift/client';
import { defaultStateFolder } from '@cryolift/client/node';
import { isMissing } from '../files/folder-entries.ts';
import { SignedOutError } from '../process/exit.ts';
import { findKey, findKeyring } from './keyring.ts';
import type { SignInRecord } from './record.ts';
import { parseFile, type Seal, toText, unseal } from './sealed.ts';

/** Files have a multiple of this size, so that a new version needs no new block of the disk. */
const STEP_BYTES = 16 * 1024;
/** Longer than a renewal takes whose answer does not come. */
const LOCK_WAIT_MS = 60_000;
const LOCK_POLL_MS = 50;
/** On Windows, a file that a virus scanner reads cannot be replaced for a moment. */
const RENAME_ATTEMPTS = 20;

/** A file that has its space on the disk before its content is known. */
interface Place {
  /** Writes the record durably in place of the one before. */
  commit(record: SignInRecord): Promise<void>;
  /** Leaves the one before. */
  discard(): Promise<void>;
}

export class SignInStore {
  readonly #server: string;
  readonly #path: string;
  #seal: Seal | null = null;

  /** @param server its URL, without a slash at the end. */
  constructor(server: string, folder = join(dirname(defaultStateFolder()), 'sign-in')) {
    this.#server = server;
    this.#path = join(folder, createHash('sha256').update(server).digest('hex').slice(0, 32));
  }

  /** Encrypts with a key of the system's keyring from now on. @returns the name of the keyring; null: there is none. */
  async useKeyring(): Promise<string | null> {
    const keyring = findKeyring(process.env);
    const key = keyring && (await findKey(keyring));
    this.#seal = keyring && key && { keyring: keyring.name, key };
    return this.#seal?.keyring ?? null;
  }

  /** Somebody is signed in, or was. */
  async isThere(): Promise<boolean> {
    return (await this.#readText()) !== null;
  }

  /** @returns null when nobody is signed in. @throws SignedOutError when the keyring does not give the key. */
  async read(): Promise<SignInRecord | null> {
    const text = await this.#readText();
    const file = text === null ? null : parseFile(text);
    if (!file) return null;
    if (file.keyring === null) {
      this.#seal = null;
      return file.record.server === this.#server ? file.record : null;
    }
    const key = await this.#keyOf(file.keyring);
    const record = key && unseal(file, key);
    if (!record) throw new SignedOutError(`the keyring (${file.keyring}) does not give the key of the sign-in`);
    return record.server === this.#server ? record : null;
  }

  /** Waits for another process that renews the tokens. @returns a function that ends the lock. */
  async lock(): Promise<() => void> {
    const { lockFolder } = await import('@cryolift/client/folder-lock');
    await this.#makeFolder();
    for (const untilMs = performance.now() + LOCK_WAIT_MS; performance.now() < untilMs; await sleep(LOCK_POLL_MS)) {
      const unlock = lockFolder(`${this.#path}.lock`);
      if (unlock) return unlock;
    }
    throw new ConnectionError(`another cryolift renews the sign-in of ${this.#server} and does not end`);
  }

  /**
   * Takes the space for a record on the disk. Call it before tokens are renewed, with the lock held: when the disk is full,
   * the refresh token is not spent.
   */
  async prepare(): Promise<Place> {
    await this.#makeFolder();
    const path = `${this.#path}.new`;
    const handle = await open(path, 'w', 0o600);
    try {
      await handle.chmod(0o600);
      await writeText(handle, '');
    } catch (error) {
      await handle.close();
      throw error;
    }
    return {
      commit: async (record) => {
        try {
          await writeText(handle, toText(record, this.#seal));
        } finally {
          await handle.close();
        }
        await replace(path, `${this.#path}.json`);
        await flushFolder(dirname(path));
      },
      discard: async () => {
        await handle.close();
        await rm(path, { force: true });
      },
    };
  }

  /** Call it with the lock held. */
  async remove(): Promise<void> {
    await rm(`${this.#path}.new`, { force: true });
    await rm(`${this.#path}.json`, { force: true });
    await flushFolder(dirname(this.#path));
  }

  async #readText(): Promise<string | null> {
    return await readFile(`${this.#path}.json`, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
  }

  async #keyOf(name: string): Promise<Buffer | null> {
    if (this.#seal?.keyring === name) return this.#seal.key;
    const keyring = findKeyring(process.env);
    const key = keyring?.name === name ? await keyring.read() : null;
    if (key) this.#seal = { keyring: name, key };
    return key;
  }

  async #makeFolder(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
  }
}

/** Spaces at the end are no content of JSON. */
async function writeText(handle: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const padded = Buffer.alloc(Math.max(1, Math.ceil(bytes.length / STEP_BYTES)) * STEP_BYTES, ' ');
  bytes.copy(padded);
  for (let at = 0; at < padded.length; ) at += (await handle.write(padded, at, padded.length - at, at)).bytesWritten;
  await handle.sync();
}

async function replace(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const isHeld = ['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (process.platform !== 'win32' || !isHeld || attempt === RENAME_ATTEMPTS) throw error;
      await sleep(LOCK_POLL_MS);
    }
  }
}

/** Windows has no such call. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(() => null);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
