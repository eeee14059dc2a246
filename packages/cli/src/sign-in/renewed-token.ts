/** The access token of a sign-in, renewed in time: one renewal at a time of all processes of the user. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError, type GetToken } from '@cryolift/client';
import { SignedOutError } from '../process/exit.ts';
import { finishFirst } from '../process/last-work.ts';
import { type KnownToken, knowToken, type SignInRecord, type Tokens } from './record.ts';
import type { SignInStore } from './store.ts';

/** After a failed renewal of a token that is still good, the next attempt is made when this part of the rest is over. */
const RETRY_PART = 0.25;
/** How often a command that waits for somebody to sign in again looks. */
const LOOK_MS = 2_000;

/** @throws as `IdentityProvider.refresh`. */
export type Refresh = (record: SignInRecord, refreshToken: string) => Promise<Tokens>;

export class RenewedToken {
  readonly #store: Pick<SignInStore, 'read' | 'lock' | 'prepare'>;
  readonly #refresh: Refresh;
  readonly #onSignedOut: ((error: SignedOutError) => void) | undefined;
  #known: KnownToken | null = null;
  #renewing: Promise<KnownToken> | null = null;
  /** The owner for whom this process works. */
  #sub: string | null = null;
  /** The access token of the sign-in that has ended. */
  #ended: string | null = null;

  /**
   * @param onSignedOut when given, the token is waited for until somebody signs in again, and this is called now and then.
   */
  constructor(
    store: Pick<SignInStore, 'read' | 'lock' | 'prepare'>,
    refresh: Refresh,
    onSignedOut?: (error: SignedOutError) => void,
  ) {
    this.#store = store;
    this.#refresh = refresh;
    this.#onSignedOut = onSignedOut;
  }

  /**
   * @throws SignedOutError when the sign-in has ended; ConnectionError when the token has ended and the provider does not
   *   answer.
   */
  readonly get: GetToken = async (renew) => {
    for (;;) {
      try {
        return await this.#get(renew);
      } catch (error) {
        if (!(error instanceof SignedOutError) || !this.#onSignedOut) throw error;
        await this.#untilSignedIn(error, this.#onSignedOut);
      }
    }
  };

  async #get(renew: boolean): Promise<string> {
    const known = this.#known ?? (await this.#load());
    const { accessToken } = known;
    const nowMs = performance.now();
    if (nowMs < (renew ? known.newUntilMs : known.renewAtMs)) return accessToken;
    const renewing = this.#renewOnce(accessToken);
    if (renew || nowMs >= known.endsAtMs) return (await renewing).accessToken;
    // The token is good: nothing waits for the provider, and a failure is no failure yet.
    renewing.catch(() => {
      const pauseMs = (known.endsAtMs - performance.now()) * RETRY_PART;
      if (this.#known === known) this.#known = { ...known, renewAtMs: performance.now() + pauseMs };
    });
    return accessToken;
  }

  async #load(): Promise<KnownToken> {
    const record = this.#check(await this.#store.read());
    this.#known = knowToken(record.tokens);
    return this.#known;
  }

  /** All calls of this process share one renewal. */
  #renewOnce(old: string): Promise<KnownToken> {
    if (!this.#renewing) {
      this.#renewing = finishFirst(this.#renew(old)).finally(() => {
        this.#renewing = null;
      });
    }
    return this.#renewing;
  }

  async #renew(old: string): Promise<KnownToken> {
    const unlock = await this.#store.lock();
    try {
      const record = this.#check(await this.#store.read());
      const stored = knowToken(record.tokens);
      // Another process has renewed it. A refresh token that is used twice ends the grant.
      if (stored.accessToken !== old && performance.now() < stored.renewAtMs) {
        this.#known = stored;
        return stored;
      }
      const { refreshToken } = record.tokens;
      this.#ended = stored.accessToken;
      if (refreshToken === null) throw new SignedOutError('the sign-in has ended, and cannot be renewed');
      await this.#renewRecord(record, refreshToken);
      this.#ended = null;
      return this.#known as KnownToken;
    } finally {
      unlock();
    }
  }

  /** An upload of one person must not go on as that of another one. */
  #check(record: SignInRecord | null): SignInRecord {
    if (!record) throw new SignedOutError('nobody is signed in');
    this.#sub ??= record.sub;
    if (record.sub === this.#sub) return record;
    throw new SignedOutError(`${record.sub} has signed in, and this command works for ${this.#sub}`);
  }

  async #renewRecord(record: SignInRecord, refreshToken: string): Promise<void> {
    const place = await this.#store.prepare();
    let tokens: Tokens;
    try {
      tokens = await this.#refresh(record, refreshToken);
    } catch (error) {
      await place.discard();
      throw error;
    }
    // Nothing happens between the answer and this: the refresh token before is spent.
    await place.commit({ ...record, tokens });
    this.#known = knowToken(tokens);
  }

  async #untilSignedIn(first: SignedOutError, report: (error: SignedOutError) => void): Promise<void> {
    this.#known = null;
    for (let error = first; ; await sleep(LOOK_MS)) {
      report(error);
      try {
        if (this.#check(await this.#store.read()).tokens.accessToken !== this.#ended) return;
      } catch (problem) {
        if (problem instanceof SignedOutError) error = problem;
        else if (!(problem instanceof ConnectionError)) throw problem;
      }
    }
  }
}
