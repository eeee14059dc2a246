/** The keys of signed URLs: made when the first one is needed, replaced by age, kept for as long as a URL of theirs may live. */
import { randomBytes } from 'node:crypto';

export interface SigningKey {
  /** Stands in the URL. */
  readonly id: string;
  readonly secret: Buffer;
}

/** Where the keys are kept, as text. */
interface KeyFile {
  /** Null when there is none yet. */
  read(): Promise<string | null>;
  replace(text: string): Promise<void>;
}

/** As it lies in the file. */
interface KeptKey {
  readonly id: string;
  /** base64url */
  readonly secret: string;
  readonly made_at: string;
}

/** No signed URL is good for longer. */
export const MAX_LIFE_MS = 7 * 86_400_000;
/** A key signs for so long. */
const USE_MS = 30 * 86_400_000;
const KEY_BYTES = 32;

export class SigningKeys {
  readonly #file: KeyFile;
  readonly #now: () => number;
  #kept: KeptKey[] | null = null;
  /** Reading and replacing come one after the other. */
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
      // One from a time that is far from coming was made by a clock that was ahead.
      if (newest && Math.abs(this.#ageMs(newest)) < USE_MS) return toKey(newest);
      return toKey(await this.#make(kept));
    });
  }

  /** @param id as a URL names it. Undefined when there is no such key, or not any more. */
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
