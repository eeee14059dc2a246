/** Keys that an identity provider publishes: JSON Web Key Sets (RFC 7517), found by URL or by OpenID discovery. */
import { UploadError } from '@cryolift/protocol/errors';
import { calculateJwkThumbprint, createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { fetchJson } from './fetch-json.ts';

/** The keys are fetched again after this time, so that a key that is no longer published is no longer accepted. */
const FRESH_MS = 10 * 60_000;
/** The shortest time between two fetches, because tokens with unknown key ids would otherwise cause a fetch each. */
const COOLDOWN_MS = 30_000;
/** As long as no keys were fetched at all, the next attempt is made sooner. */
const RETRY_MS = 5_000;
/** When the provider is down, the keys are accepted for this long, so that uploads go on. */
const KEPT_MS = 24 * 3_600_000;

interface KeyLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

/** Finds the URL of the keys; called before each fetch. @throws Error when it cannot be found now. */
type FindUrl = () => Promise<string>;

export class PublishedKeys {
  readonly #findUrl: FindUrl;
  readonly #revoked: readonly string[];
  readonly #log: KeyLog;
  readonly #now: () => number;
  #known: { find: JWTVerifyGetKey; fetchedMs: number } | null = null;
  #triedMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;

  /**
   * @param revoked ids (`kid`) or thumbprints (RFC 7638) of keys that are not accepted, even while they are published.
   */
  constructor(findUrl: FindUrl, revoked: readonly string[], log: KeyLog, now = () => performance.now()) {
    this.#findUrl = findUrl;
    this.#revoked = revoked;
    this.#log = log;
    this.#now = now;
  }

  /** @throws JOSEError when there is no such key; UploadError `overloaded` when the keys cannot be fetched. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#now() - (this.#known?.fetchedMs ?? Number.NEGATIVE_INFINITY) > FRESH_MS) await this.#fetch();
    try {
      return await this.#lookUp(header, token);
    } catch (error) {
      // The key may have been published since the last fetch.
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#fetch())) throw error;
      return await this.#lookUp(header, token);
    }
  };

  /** Fetches the keys at the start, so that the log shows at once when the provider cannot be reached. */
  fetchAhead(): void {
    void this.#fetch();
  }

  async #lookUp(...[header, token]: Parameters<JWTVerifyGetKey>) {
    if (this.#known && this.#now() - this.#known.fetchedMs <= KEPT_MS) return await this.#known.find(header, token);
    throw new UploadError('overloaded', 'The keys that tokens are verified with cannot be fetched now.', {
      retryAfterSeconds: RETRY_MS / 1000,
    });
  }

  /** All callers share one fetch. @returns false when it is too early for another one. */
  async #fetch(): Promise<boolean> {
    if (!this.#fetching) {
      if (this.#now() - this.#triedMs < (this.#known ? COOLDOWN_MS : RETRY_MS)) return false;
      this.#triedMs = this.#now();
      this.#fetching = this.#fetchNow().finally(() => {
        this.#fetching = null;
      });
    }
    await this.#fetching;
    return true;
  }

  async #fetchNow(): Promise<void> {
    try {
      const { keys } = (await fetchJson(await this.#findUrl())) as JSONWebKeySet;
      // An empty set from a provider that is starting must not replace the known keys.
      if (keys.length === 0) throw new Error('there are no keys');
      // A token need not name its key, so a revoked key must not be in the set.
      const good = await withoutRevoked(keys, this.#revoked);
      this.#known = { find: createLocalJWKSet({ keys: good }), fetchedMs: this.#now() };
    } catch (error) {
      this.#log.warn({ err: error }, 'the keys of the identity provider could not be fetched');
    }
  }
}

/** The thumbprint is compared as well, because a key may be published without an id, or again under another id. */
async function withoutRevoked(keys: JSONWebKeySet['keys'], revoked: readonly string[]): Promise<JSONWebKeySet['keys']> {
  if (revoked.length === 0) return keys;
  const named = await Promise.all(
    keys.map(async (key) => {
      // The kind of the key is not known here, so no token is verified with it.
      const thumbprint = await calculateJwkThumbprint(key).catch(() => '');
      return { key, thumbprint, isNamed: revoked.includes(key.kid ?? '') || revoked.includes(thumbprint) };
    }),
  );
  const gone = new Set(named.filter(({ isNamed }) => isNamed).map(({ thumbprint }) => thumbprint));
  return named.filter(({ thumbprint, isNamed }) => !isNamed && !gone.has(thumbprint)).map(({ key }) => key);
}
