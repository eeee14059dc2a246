/** The keys of signed URLs. A key is made when the first one is needed, replaced by age, and kept until its last URL expires. */
import { randomBytes } from 'node:crypto';

export interface SigningKey {
  /** The id in the URL. */
  readonly id: string;
  readonly secret: Buffer;
}

/** Keeps the keys as text. */
interface KeyFile {
  /** @returns null when there are no keys yet. */
  read(): Promise<string | null>;
  replace(text: string): Promise<void>;
}

/** A key as it is written to the file. */
interface KeptKey {
  readonly id: string;
  /** base64url */
  readonly secret: string;
  readonly made_at: string;
}

/** The longest life of a signed URL. */
export const MAX_LIFE_MS = 7 * 86_400_000;
/** A key signs URLs for this long. */
const USE_MS = 30 * 86_400_000;
const KEY_BYTES = 32;

export class SigningKeys {
  readonly #file: KeyFile;
  readonly #now: () => number;
  #kept: KeptKey[] | null = null;
  /** Reads and replacements run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param now milliseconds since 1970. */
  constructor(file: KeyFile, now: () => number) {
    this.#file = file;
    this.#now = now;
  }

  /** The key to sign with. */
  async current(): Promise<SigningKey> {
    return await this.#inTurn(async () => {
      const kept = await this.#read();
      const newest = kept.at(-1);
      // A key with a time far in the future was made while the clock was ahead.
      if (newest && Math.abs(this.#ageMs(newest)) < USE_MS) return toKey(newest);
      return toKey(await this.#make(kept));
    });
  }

  /** @param id from a URL. @returns undefined when there is no such key, or the key was removed. */
  async find(id: string): Promise<SigningKey | undefined> {
    const kept = this.#kept ?? (await this.#inTurn(() => this.#read()));
    const found = kept.find((key) => key.id === id);
    return found && toKey(found);
  }

  async #make(kept: readonly KeptKey[]): Promise<KeptKey> {
    const made_at = new Date(this.#now()).toISOString();
    const key = {
      id: randomBytes(6).toString('base64url'),
      secret: randomBytes(KEY_BYTES).toString('base64url'),
      made_at,
    };
    const alive = kept.filter((each) => this.#ageMs(each) < USE_MS + MAX_LIFE_MS);
    const keys = [...alive, key];
    await this.#file.replace(JSON.stringify(keys, null, 2));
    this.#kept = keys;
    return key;
  }

  async #read(): Promise<KeptKey[]> {
    this.#kept ??= JSON.parse((await this.#file.read()) ?? '[]') as KeptKey[];
    return this.#kept;
  }

  #ageMs(key: KeptKey): number {
    return this.#now() - Date.parse(key.made_at);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return await done;
  }
}

function toKey({ id, secret }: KeptKey): SigningKey {
  return { id, secret: Buffer.from(secret, 'base64url') };
}
