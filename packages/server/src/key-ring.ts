import type { SecretStore } from './secret-store.ts';

interface AgedKey {
  /** RFC 3339. */
  readonly made_at: string;
}

interface KeyRingOptions<Key extends AgedKey> {
  /** How long a key is used, milliseconds. */
  readonly useMs: number;
  make(made_at: string): Key;
  /** What stays of the older keys when a key is added. */
  retire(older: readonly Key[], nowMs: number): Key[];
}

/** Keys that are made when the first one is needed, and replaced by age; several servers may share them. */
export class KeyRing<Key extends AgedKey> {
  readonly #store: SecretStore;
  readonly #now: () => number;
  readonly #options: KeyRingOptions<Key>;
  #kept: Key[] | null = null;
  /** What `#kept` was read from. */
  #text: string | null = null;
  #readAtMs = 0;
  /** Reads and replacements run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param now milliseconds since 1970. */
  constructor(store: SecretStore, now: () => number, options: KeyRingOptions<Key>) {
    this.#store = store;
    this.#now = now;
    this.#options = options;
  }

  /** The key to use. */
  async current(): Promise<Key> {
    return await this.#inTurn(async () => {
      for (;;) {
        const kept = await this.#read();
        const newest = kept.at(-1);
        // A key with a time far in the future was made while the clock was ahead.
        if (newest && Math.abs(this.#now() - Date.parse(newest.made_at)) < this.#options.useMs) return newest;
        const made = await this.#make(kept);
        if (made) return made;
      }
    });
  }

  /** All keys, the newest last. @param maxAgeMs they are read again when what is known is older. */
  async all(maxAgeMs = Number.POSITIVE_INFINITY): Promise<readonly Key[]> {
    if (this.#kept && maxAgeMs === Number.POSITIVE_INFINITY) return this.#kept;
    return await this.#inTurn(async () => {
      if (Math.abs(this.#now() - this.#readAtMs) >= maxAgeMs) this.#kept = null;
      return await this.#read();
    });
  }

  /** @returns null when another server has made one at the same time. */
  async #make(kept: readonly Key[]): Promise<Key | null> {
    const nowMs = this.#now();
    const key = this.#options.make(new Date(nowMs).toISOString());
    const keys = [...this.#options.retire(kept, nowMs), key];
    const text = JSON.stringify(keys, null, 2);
    const isFirst = await this.#store.replace(text, this.#text);
    this.#kept = isFirst ? keys : null;
    this.#text = text;
    return isFirst ? key : null;
  }

  async #read(): Promise<Key[]> {
    if (this.#kept) return this.#kept;
    this.#text = await this.#store.read();
    this.#readAtMs = this.#now();
    this.#kept = JSON.parse(this.#text ?? '[]') as Key[];
    return this.#kept;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return await done;
  }
}
