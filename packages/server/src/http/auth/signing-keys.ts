/** The keys of signed URLs. A key is made when the first one is needed, replaced by age, and kept until its last URL expires. */
import { createHmac, randomBytes } from 'node:crypto';
import { KeyRing } from '../../key-ring.ts';
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
  readonly #ring: KeyRing<KeptKey>;

  /** @param now milliseconds since 1970. */
  constructor(store: SecretStore, now: () => number) {
    this.#ring = new KeyRing(store, now, {
      useMs: USE_MS,
      make: (made_at) => ({
        id: randomBytes(6).toString('base64url'),
        secret: randomBytes(KEY_BYTES).toString('base64url'),
        made_at,
      }),
      retire: (older, nowMs) => older.filter(({ made_at }) => nowMs - Date.parse(made_at) < USE_MS + MAX_LIFE_MS),
    });
  }

  async current(): Promise<SigningKey> {
    return toKey(await this.#ring.current());
  }

  async find(id: string): Promise<SigningKey | undefined> {
    const isSame = (key: KeptKey) => key.id === id;
    // Another server may have made it since. URLs with wrong ids are many, and read the keys no more often than this.
    const found = (await this.#ring.all()).find(isSame) ?? (await this.#ring.all(REREAD_MS)).find(isSame);
    return found && toKey(found);
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
