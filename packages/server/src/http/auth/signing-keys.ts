/** The keys of signed URLs. A key is made when the first one is needed, replaced by age, and kept until its last URL expires. */
import { createHmac, randomBytes } from 'node:crypto';
import type { SecretStore } from '../../secret-store.ts';

export interface SigningKey {
  /** The id in the URL. */
  readonly id: string;
  readonly secret: Buffer;
}

/** Where a signed URL finds the key that it was signed with. */
export interface SigningKeys {
  /** The key to sign with. */
  current(): Promise<SigningKey>;
  /** @param id from a URL. @returns undefined when there is no such key, or the key was removed. */
  find(id: string): Promise<SigningKey | undefined>;
}

/** A key as it is stored. */
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
const REREAD_MS = 1_000;

/** Keys that are made here and replaced by age. */
export class RotatedKeys implements SigningKeys {
  readonly #store: SecretStore;
  readonly #now: () => number;
  #kept: KeptKey[] | null = null;
  /** What `#kept` was read from. */
  #text: string | null = null;
  #readAtMs = 0;
  /** Reads and replacements run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param now milliseconds since 1970. */
  constructor(store: SecretStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async current(): Promise<SigningKey> {
    return await this.#inTurn(async () => {
      for (;;) {
        const kept = await this.#read();
        const newest = kept.at(-1);
        // A key with a time far in the future was made while the clock was ahead.
        if (newest && Math.abs(this.#ageMs(newest)) < USE_MS) return toKey(newest);
        const made = await this.#make(kept);
        if (made) return toKey(made);
      }
    });
  }

  async find(id: string): Promise<SigningKey | undefined> {
    const kept = this.#kept ?? (await this.#inTurn(() => this.#read()));
    const found = kept.find((key) => key.id === id) ?? (await this.#findMade(id));
    return found && toKey(found);
  }

  /** Another server may have made a key since. URLs with wrong ids are many, and read the keys no more often than this. */
  async #findMade(id: string): Promise<KeptKey | undefined> {
    return await this.#inTurn(async () => {
      if (Math.abs(this.#now() - this.#readAtMs) >= REREAD_MS) this.#kept = null;
      return (await this.#read()).find((key) => key.id === id);
    });
  }

  /** @returns null when another server has made one at the same time. */
  async #make(kept: readonly KeptKey[]): Promise<KeptKey | null> {
    const made_at = new Date(this.#now()).toISOString();
    const key = {
      id: randomBytes(6).toString('base64url'),
      secret: randomBytes(KEY_BYTES).toString('base64url'),
      made_at,
    };
    const alive = kept.filter((each) => this.#ageMs(each) < USE_MS + MAX_LIFE_MS);
    const keys = [...alive, key];
    const text = JSON.stringify(keys, null, 2);
    const isFirst = await this.#store.replace(text, this.#text);
    this.#kept = isFirst ? keys : null;
    this.#text = text;
    return isFirst ? key : null;
  }

  async #read(): Promise<KeptKey[]> {
    if (this.#kept) return this.#kept;
    this.#text = await this.#store.read();
    this.#readAtMs = this.#now();
    this.#kept = JSON.parse(this.#text ?? '[]') as KeptKey[];
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

/** One key for all servers that have this secret; a new secret ends all URLs. */
export function fixedKeys(secret: string): SigningKeys {
  const derive = (purpose: string) => createHmac('sha256', secret).update(`cryolift signed URLs: ${purpose}`).digest();
  const key = { id: derive('id').toString('base64url').slice(0, 8), secret: derive('key') };
  return { current: async () => key, find: async (id) => (id === key.id ? key : undefined) };
}

function toKey({ id, secret }: KeptKey): SigningKey {
  return { id, secret: Buffer.from(secret, 'base64url') };
}
