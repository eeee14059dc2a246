/** Renews the access token of a grant in time, one tab at a time, and shares the result with the copies of the tab. */
import { ConnectionError, orAborted, RetryPolicy } from '@cryolift/client';
import { Cell } from '../cell.ts';
import { withLock } from '../locks.ts';
import { texts } from '../texts.ts';
import { GrantEndedError } from './failures.ts';
import { type Grant, isDue, isGood, renewAtMs, renewGrant, type Tokens } from './grant.ts';
import type { ProviderConfig } from './provider-config.ts';
import type { SharedGrants } from './shared-grants.ts';

/** The age of a token is looked at this often: a timer does not count the time that a machine sleeps. */
const LONGEST_CHECK_MS = 15_000;
const SHORTEST_CHECK_MS = 50;

/**
 * `renewing`: the access token is renewed in time. `away`: the provider does not answer, and is asked again. `ending`:
 * nothing can be renewed, and somebody has to sign in before the access token ends. `ended`: it has ended, and cannot be
 * renewed. `signed-out`: somebody has signed out in a copy of this tab.
 */
export type GrantState = 'renewing' | 'away' | 'ending' | 'ended' | 'signed-out';

interface RenewerOptions {
  readonly grant: Grant;
  /** @throws GrantEndedError; any other error: the provider does not answer now. */
  renewTokens(config: ProviderConfig, refreshToken: string): Promise<Tokens>;
  readonly shared: Pick<SharedGrants, 'read' | 'write' | 'end'>;
  /** Resolves when the network may be back. */
  whenOnline(signal: AbortSignal): Promise<void>;
}

export class GrantRenewer {
  /** The newest grant, and what becomes of it. */
  readonly status: Cell<{ readonly grant: Grant; readonly state: GrantState }>;
  readonly #options: RenewerOptions;
  readonly #copies: BroadcastChannel;
  #renewal: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #stopped = new AbortController();

  constructor(options: RenewerOptions) {
    this.#options = options;
    const { grant } = options;
    this.status = new Cell({ grant, state: stateOf(grant) });
    this.#copies = new BroadcastChannel(lockOf(grant));
    this.#copies.onmessage = () => this.#change('signed-out');
    this.#check();
  }

  get #grant(): Grant {
    return this.status.value.grant;
  }

  /** @returns null while the provider has to be waited for, and when the grant has ended: `status` changes then. */
  goodToken(): string | null {
    if (isDue(this.#grant)) void this.#renew();
    return isGood(this.#grant) ? this.#grant.accessToken : null;
  }

  /**
   * @param onAway called while the provider does not answer.
   * @throws GrantEndedError with a message for the user, or the signal's reason.
   */
  async waitForToken(signal: AbortSignal, onAway: () => void): Promise<string> {
    for (;;) {
      const token = this.goodToken();
      if (token !== null) return token;
      const { state } = this.status.value;
      if (state === 'ended' || state === 'signed-out') throw new GrantEndedError(texts.provider.ended);
      if (state === 'away') onAway();
      await orAborted(this.status.next(), signal);
    }
  }

  /**
   * Renews now, because the server has refused the token, and waits while the provider does not answer.
   *
   * @returns false when the grant has ended or this renewer was stopped.
   */
  async renewRefused(token: string): Promise<boolean> {
    if (this.#grant.accessToken === token) await this.#renew();
    return this.#grant.accessToken !== token && !this.#stopped.signal.aborted;
  }

  /** Forgets the grant, which other copies of the tab keep. */
  stop(): void {
    this.#stopped.abort(new Error('the grant is not used any more'));
    clearTimeout(this.#timer);
    this.#copies.close();
  }

  /** Signs out in all copies of the tab. @param revoke gets the newest state of the grant. */
  async signOut(revoke: (grant: Grant) => Promise<void>): Promise<void> {
    this.#copies.postMessage(null);
    this.stop();
    // A renewal that is under way, here or in a copy, ends first. Its refresh token is the one to revoke.
    await withLock(lockOf(this.#grant), new AbortController().signal, async () => {
      const newest = await this.#newest();
      await this.#options.shared.end(newest);
      await revoke(newest);
    });
  }

  /** One renewal at a time. It ends when the token is renewed, when the grant has ended, and at a stop. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#renewWithRetries()
      .catch(() => {})
      .finally(() => {
        this.#renewal = null;
        this.#check();
      });
    return this.#renewal;
  }

  async #renewWithRetries(): Promise<void> {
    const { signal } = this.#stopped;
    const { generation } = this.#grant;
    const waitOut = new RetryPolicy(Number.POSITIVE_INFINITY).begin(this.#options.whenOnline);
    for (;;) {
      try {
        return await withLock(lockOf(this.#grant), signal, () => this.#renewOnce(generation));
      } catch (error) {
        signal.throwIfAborted();
        this.#change('away');
        const { message } = error as Error;
        await waitOut(new ConnectionError(message, { cause: error, offline: !navigator.onLine }), signal);
      }
    }
  }

  /** While this tab holds the lock. A copy of the tab may have renewed the grant meanwhile. */
  async #renewOnce(generation: number): Promise<void> {
    const { renewTokens, shared } = this.#options;
    const newest = await this.#newest();
    const { config, refreshToken } = newest;
    const isRenewed = newest.generation > generation && !isDue(newest);
    if (isRenewed || refreshToken === null) {
      this.#take(newest);
      return;
    }
    const renewed = await renewTokens(config, refreshToken).then(
      (tokens) => renewGrant(newest, tokens),
      (error: unknown) => endGrant(newest, error),
    );
    await shared.write(renewed);
    this.#take(renewed);
  }

  /** Without a refresh token after a sign-out in a copy of this tab. */
  async #newest(): Promise<Grant> {
    const shared = await this.#options.shared.read(this.#grant);
    if (shared === 'ended') return { ...this.#grant, refreshToken: null };
    return shared && shared.generation > this.#grant.generation ? shared : this.#grant;
  }

  #take(grant: Grant): void {
    this.#change(stateOf(grant), grant);
  }

  /** Renews when it is time, reports the end, and sets the next check. */
  #check(): void {
    clearTimeout(this.#timer);
    const { grant, state } = this.status.value;
    if (this.#stopped.signal.aborted || state === 'ended' || state === 'signed-out') return;
    if (state === 'ending' && !isGood(grant)) {
      this.#change('ended');
      return;
    }
    if (isDue(grant)) {
      void this.#renew();
      return;
    }
    const atMs = state === 'ending' ? (grant.expiresAtMs ?? Number.POSITIVE_INFINITY) : renewAtMs(grant);
    const waitMs = Math.min(LONGEST_CHECK_MS, Math.max(SHORTEST_CHECK_MS, atMs - Date.now()));
    this.#timer = setTimeout(() => this.#check(), waitMs);
  }

  #change(state: GrantState, grant = this.#grant): void {
    if (!this.#stopped.signal.aborted) this.status.set({ grant, state });
  }
}

function stateOf({ refreshToken }: Grant): GrantState {
  return refreshToken === null ? 'ending' : 'renewing';
}

/** No copy of the tab asks again with the refresh token that was refused. @throws any error that does not end the grant. */
function endGrant(grant: Grant, error: unknown): Grant {
  if (!(error instanceof GrantEndedError)) throw error;
  return { ...grant, refreshToken: null, generation: grant.generation + 1 };
}

function lockOf({ id }: Grant): string {
  return `cryolift-grant ${id}`;
}
