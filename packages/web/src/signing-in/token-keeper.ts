/**
 * The token of this tab: one that was pasted or came with a link, or one of a grant of the identity provider, which is
 * renewed. It is kept in memory and in the session storage of the tab, and nowhere else.
 */
import { ConnectionError, type GetToken, orAborted, RetryPolicy } from '@cryolift/client';
import { Cell } from '../cell.ts';
import type { Grant } from '../provider/grant.ts';
import type { GrantRenewer } from '../provider/grant-renewer.ts';
import { hostOf } from '../provider/provider-config.ts';
import { texts } from '../texts.ts';
import type { LinkQuestion, SignedIn, SignInConflict } from './signed-in.ts';
import type { Identified, Subject } from './subject.ts';
import { type Credential, readSaved, save, takeTokenFromAddress } from './token-storage.ts';

/** What the keeper does with grants; `ProviderSignIn` has it. */
interface Grants {
  renewerOf(grant: Grant): GrantRenewer;
  signOut(renewer: GrantRenewer): Promise<void>;
}

export class TokenKeeper {
  readonly state = new Cell<SignedIn>({ kind: 'signed-out', refusal: null });
  readonly question = new Cell<LinkQuestion | null>(null);
  /** Why the token of the last link or sign-in was not taken, while somebody is signed in. */
  readonly refusal = new Cell<string | null>(null);
  /** Called before a link's token is taken; null: the token can be taken without a question. */
  findConflict: (subject: Subject) => Promise<SignInConflict | null> = async () => null;
  readonly #identify: (token: string) => Promise<Identified>;
  readonly #grants: Grants;
  #token: string | null = null;
  /** Of the grant whose access token is `#token`; null for other tokens. */
  #renewer: GrantRenewer | null = null;
  /** Aborted at sign-out, so that a check that is still running does not sign anybody in. */
  #signedOut = new AbortController();
  /** Aborted when the token is replaced or removed. */
  #tokenReplaced = new AbortController();
  #verification: Promise<void> | null = null;
  /** Stored tokens, grants and tokens of links are checked one after the other. */
  #queue: Promise<void> = Promise.resolve();

  /** @param identify throws when the server does not answer. */
  constructor(identify: (token: string) => Promise<Identified>, grants: Grants) {
    this.#identify = identify;
    this.#grants = grants;
  }

  /**
   * Takes what this tab has saved, and the token of the address, now and each time the address changes.
   *
   * @param returning of a sign-in from which this page was loaded. When it fails, the saved one is used.
   */
  start(returning: Promise<Grant> | null): void {
    const saved = readSaved();
    if (saved !== null || returning) this.#enqueue((signal) => this.#restore(saved, returning, signal));
    const takeFromAddress = () => {
      const token = takeTokenFromAddress();
      if (token !== null) this.#enqueue((signal) => this.#offer(token, signal));
    };
    takeFromAddress();
    addEventListener('hashchange', takeFromAddress);
  }

  get subject(): Subject | null {
    const { value } = this.state;
    return value.kind === 'signed-in' || value.kind === 'expired' ? value.subject : null;
  }

  /**
   * A token source for the SDK that returns tokens of one subject only. It waits while there is none.
   * Several calls may report that a token was refused, also one that has been replaced since. So the server is asked once
   * about the current token.
   */
  tokensOf(subject: Subject): GetToken {
    return async (renew) => {
      if (renew && this.subject?.key === subject.key) await this.#verifyToken();
      for (;;) {
        const { value } = this.state;
        const isSignedIn = value.kind === 'signed-in' && value.subject.key === subject.key;
        const token = this.#renewer ? this.#renewer.goodToken() : this.#token;
        if (isSignedIn && token !== null) return token;
        await this.state.next();
      }
    };
  }

  /**
   * Signs in with a pasted token, or with a link that contains one.
   *
   * @returns null, or why the token is refused.
   */
  async signIn(text: string): Promise<string | null> {
    const token = /[#?&]token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
    const { signal } = this.#signedOut;
    const identified = await this.#identify(token).catch((error: unknown) => {
      throw error instanceof ConnectionError ? new Error(texts.signIn.unreachable, { cause: error }) : error;
    });
    if (identified.kind === 'refused') return identified.message;
    if (!signal.aborted) this.#accept(token, identified.subject);
    return null;
  }

  /** Signs in with a grant that a person has just obtained in another window. */
  takeGrant(grant: Grant): void {
    this.#enqueue((signal) => this.#signInByGrant(grant, signal));
  }

  signOut(): void {
    const renewer = this.#renewer;
    this.#renewer = null;
    this.#forget();
    if (renewer) void this.#grants.signOut(renewer);
  }

  #forget(): void {
    this.#signedOut.abort();
    this.#signedOut = new AbortController();
    this.#setToken(null);
    this.question.set(null);
    this.refusal.set(null);
    this.state.set({ kind: 'signed-out', refusal: null });
  }

  #enqueue(act: (signal: AbortSignal) => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      const { signal } = this.#signedOut;
      await act(signal).catch((error: Error) => signal.aborted || this.#refuse(error.message));
    });
  }

  async #restore(saved: Credential | null, returning: Promise<Grant> | null, signal: AbortSignal): Promise<void> {
    this.#setChecking(null);
    const failure = await this.#return(returning, signal);
    signal.throwIfAborted();
    // The user may have pasted another token meanwhile.
    if (saved !== null && this.#token === null) {
      if (typeof saved === 'string') await this.#signInByToken(saved, signal);
      else await this.#signInByGrant(saved, signal);
    }
    if (failure !== null) this.#refuse(failure);
  }

  /** @returns null, or why the sign-in has failed. */
  async #return(returning: Promise<Grant> | null, signal: AbortSignal): Promise<string | null> {
    try {
      if (returning) await this.#signInByGrant(await orAborted(returning, signal), signal);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #signInByToken(token: string, signal: AbortSignal): Promise<void> {
    const identified = await this.#identifyWithRetries(() => token, signal);
    if (this.#token !== null) return;
    if (identified.kind === 'accepted') this.#accept(token, identified.subject);
    else this.#refuse(identified.message);
  }

  /** @throws Error with a message for the user when the grant has ended, or when the server does not accept its token. */
  async #signInByGrant(grant: Grant, signal: AbortSignal): Promise<void> {
    const renewer = this.#grants.renewerOf(grant);
    const host = hostOf(grant.config);
    const waitForToken = () => renewer.waitForToken(signal, () => this.#setChecking(texts.provider.away(host)));
    try {
      const token = await waitForToken();
      let identified = await this.#identifyWithRetries(() => renewer.goodToken() ?? token, signal);
      if (identified.kind === 'refused' && (await orAborted(renewer.renewRefused(token), signal))) {
        const renewed = await waitForToken();
        identified = await this.#identifyWithRetries(() => renewed, signal);
      }
      if (identified.kind === 'refused') {
        throw new Error(texts.provider.notAccepted(host, identified.message));
      }
      this.#accept(renewer, { ...identified.subject, name: renewer.status.value.grant.name });
    } finally {
      if (this.#renewer !== renewer) renewer.stop();
    }
  }

  async #offer(token: string, signal: AbortSignal): Promise<void> {
    const identified = await this.#identifyWithRetries(() => token, signal);
    if (identified.kind === 'refused') {
      this.#refuse(this.subject ? texts.signIn.linkRefused(identified.message) : identified.message);
      return;
    }
    const { subject } = identified;
    const conflict = await this.findConflict(subject);
    signal.throwIfAborted();
    if (conflict === null) {
      this.#accept(token, subject);
      return;
    }
    if (this.state.value.kind === 'checking') this.state.set({ kind: 'signed-out', refusal: null });
    const answer = (yes: boolean) => {
      this.question.set(null);
      if (yes) this.#accept(token, subject);
    };
    this.question.set({ subject, conflict, answer });
  }

  #setChecking(lastError: string | null): void {
    const { kind } = this.state.value;
    if (kind === 'signed-out' || kind === 'checking') this.state.set({ kind: 'checking', lastError });
  }

  /** Repeats the request until the server identifies the token. @throws the signal's reason after a sign-out. */
  async #identifyWithRetries(tokenOf: () => string, signal: AbortSignal): Promise<Identified> {
    this.#setChecking(null);
    const onError = (error: unknown) => this.#setChecking((error as Error).message);
    const identified = await new RetryPolicy().retry(() => this.#identify(tokenOf()), signal, onError);
    signal.throwIfAborted();
    return identified;
  }

  #refuse(message: string): void {
    if (this.subject) {
      this.refusal.set(message);
      return;
    }
    this.#setToken(null);
    this.state.set({ kind: 'signed-out', refusal: message });
  }

  #accept(credential: string | GrantRenewer, subject: Subject): void {
    this.question.set(null);
    this.refusal.set(null);
    if (typeof credential === 'string') {
      this.#setToken(credential);
      this.state.set({ kind: 'signed-in', subject, expiresAtMs: subject.expiresAtMs, grant: null });
      return;
    }
    this.#renewer?.stop();
    this.#renewer = credential;
    const update = () => this.#renewer === credential && this.#follow(credential, subject);
    credential.status.watch(update);
    update();
  }

  /** Takes what the renewer has. */
  #follow(renewer: GrantRenewer, subject: Subject): void {
    const { grant, state } = renewer.status.value;
    if (state === 'signed-out') this.#forget();
    else if (state === 'ended') this.#expire();
    else {
      this.#setToken(grant.accessToken, grant);
      const { expiresAtMs, receivedAtMs, config } = grant;
      const lifeMs = expiresAtMs === null ? null : expiresAtMs - receivedAtMs;
      this.state.set({ kind: 'signed-in', subject, expiresAtMs, grant: { host: hostOf(config), state, lifeMs } });
    }
  }

  async #verifyToken(): Promise<void> {
    this.#verification ??= this.#dropIfRefused().finally(() => {
      this.#verification = null;
    });
    await this.#verification;
  }

  /** Waits for the server's answer: returning a refused token to the SDK again would fail its call. */
  async #dropIfRefused(): Promise<void> {
    const renewer = this.#renewer;
    const token = this.#token;
    if (token === null || !(await this.#isRefused(token))) return;
    if (renewer && (await renewer.renewRefused(token)) && !(await this.#isRefused(this.#token ?? ''))) return;
    if (this.#renewer === renewer && this.subject) this.#expire();
  }

  /** False also when the token was replaced meanwhile. */
  async #isRefused(token: string): Promise<boolean> {
    const { signal } = this.#tokenReplaced;
    const retryPolicy = new RetryPolicy();
    retryPolicy.noteReply();
    const identified = await orAborted(
      retryPolicy.retry(() => this.#identify(token), signal),
      signal,
    ).catch(() => null);
    return identified?.kind === 'refused' && this.#token === token;
  }

  #expire(): void {
    const { subject } = this;
    const wasGrant = this.#renewer !== null;
    this.#setToken(null);
    if (subject) this.state.set({ kind: 'expired', subject, wasGrant });
  }

  /** @param grant whose access token it is, if any. */
  #setToken(token: string | null, grant: Grant | null = null): void {
    if (!grant) {
      this.#renewer?.stop();
      this.#renewer = null;
    }
    save(grant ?? token);
    if (token === this.#token) return;
    this.#tokenReplaced.abort();
    this.#tokenReplaced = new AbortController();
    this.#token = token;
  }
}
