/** The token of this tab. It is kept in memory and in the session storage of the tab, and nowhere else. */
import { ConnectionError, type GetToken, orAborted, RetryPolicy } from '@cryolift/client';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import { readClaims } from './claims.ts';
import type { Identified, Subject } from './subject.ts';
import { readSavedToken, saveToken, takeTokenFromAddress } from './token-storage.ts';

export type SignedIn =
  /** `refusal`: why the last token was not accepted. */
  | { readonly kind: 'signed-out'; readonly refusal: string | null }
  /** The server has not identified the token yet; `lastError`: why not. */
  | { readonly kind: 'checking'; readonly lastError: string | null }
  | { readonly kind: 'signed-in'; readonly subject: Subject; readonly expiresAtMs: number | null }
  /** The server refuses the token. Calls of this subject wait for a new one. */
  | { readonly kind: 'expired'; readonly subject: Subject };

/** Why the page asks before it takes a link's token. */
export type SignInConflict =
  | { readonly kind: 'subject'; readonly subject: Subject }
  | { readonly kind: 'other-tab' }
  | { readonly kind: 'files' };

/** A link was opened, and its token is taken only after a yes. */
export interface LinkQuestion {
  readonly subject: Subject;
  readonly conflict: SignInConflict;
  answer(yes: boolean): void;
}

export class TokenKeeper {
  readonly state = new Cell<SignedIn>({ kind: 'signed-out', refusal: null });
  readonly question = new Cell<LinkQuestion | null>(null);
  /** Why the token of the last link was refused, while somebody is signed in. */
  readonly linkRefusal = new Cell<string | null>(null);
  /** Called before a link's token is taken; null: the token can be taken without a question. */
  findConflict: (subject: Subject) => Promise<SignInConflict | null> = async () => null;
  readonly #identify: (token: string) => Promise<Identified>;
  #token: string | null = null;
  /** Aborted at sign-out, so that a check that is still running does not sign anybody in. */
  #signedOut = new AbortController();
  /** Aborted when the token is replaced or removed. */
  #tokenReplaced = new AbortController();
  #verification: { readonly token: string; readonly done: Promise<void> } | null = null;
  /** Stored tokens and tokens of links are checked one after the other. */
  #queue: Promise<void> = Promise.resolve();

  /** @param identify throws when the server does not answer. */
  constructor(identify: (token: string) => Promise<Identified>) {
    this.#identify = identify;
  }

  /** Takes the saved token of this tab, and the token of the address, now and each time the address changes. */
  start(): void {
    const saved = readSavedToken();
    if (saved !== null) this.#enqueue((signal) => this.#restore(saved, signal));
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
      if (renew && this.subject?.key === subject.key) await this.#verificationToken();
      for (;;) {
        const { value } = this.state;
        if (this.#token !== null && value.kind === 'signed-in' && value.subject.key === subject.key) return this.#token;
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

  signOut(): void {
    this.#signedOut.abort();
    this.#signedOut = new AbortController();
    this.#setToken(null);
    this.question.set(null);
    this.linkRefusal.set(null);
    this.state.set({ kind: 'signed-out', refusal: null });
  }

  #enqueue(act: (signal: AbortSignal) => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      const { signal } = this.#signedOut;
      await act(signal).catch((error: Error) => signal.aborted || this.#refuse(error.message));
    });
  }

  async #restore(token: string, signal: AbortSignal): Promise<void> {
    const identified = await this.#identifyWithRetries(token, signal);
    // The user may have pasted another token meanwhile.
    if (this.#token !== null) return;
    if (identified.kind === 'accepted') this.#accept(token, identified.subject);
    else this.#refuse(identified.message);
  }

  async #offer(token: string, signal: AbortSignal): Promise<void> {
    const identified = await this.#identifyWithRetries(token, signal);
    if (identified.kind === 'refused') {
      this.#refuse(identified.message);
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

  /** Repeats the request until the server identifies the token. @throws the signal's reason after a sign-out. */
  async #identifyWithRetries(token: string, signal: AbortSignal): Promise<Identified> {
    const setChecking = (lastError: string | null) => {
      const { kind } = this.state.value;
      if (kind === 'signed-out' || kind === 'checking') this.state.set({ kind: 'checking', lastError });
    };
    setChecking(null);
    const onError = (error: unknown) => setChecking((error as Error).message);
    const identified = await new RetryPolicy().retry(() => this.#identify(token), signal, onError);
    signal.throwIfAborted();
    return identified;
  }

  #refuse(message: string): void {
    if (this.subject) {
      this.linkRefusal.set(message);
      return;
    }
    this.#setToken(null);
    this.state.set({ kind: 'signed-out', refusal: message });
  }

  #accept(token: string, subject: Subject): void {
    this.#setToken(token);
    this.question.set(null);
    this.linkRefusal.set(null);
    this.state.set({ kind: 'signed-in', subject, expiresAtMs: readClaims(token)?.expiresAtMs ?? null });
  }

  async #verificationToken(): Promise<void> {
    const token = this.#token;
    if (token === null) return;
    if (this.#verification?.token !== token) this.#verification = { token, done: this.#dropIfRefused(token) };
    await this.#verification.done;
  }

  /** Waits for the server's answer: returning a refused token to the SDK again would fail its call. */
  async #dropIfRefused(token: string): Promise<void> {
    const { signal } = this.#tokenReplaced;
    const retryPolicy = new RetryPolicy();
    retryPolicy.noteReply();
    const identified = await orAborted(
      retryPolicy.retry(() => this.#identify(token), signal),
      signal,
    ).catch(() => null);
    if (this.#verification?.token === token) this.#verification = null;
    const { subject } = this;
    if (identified?.kind !== 'refused' || this.#token !== token || !subject) return;
    this.#setToken(null);
    this.state.set({ kind: 'expired', subject });
  }

  #setToken(token: string | null): void {
    this.#tokenReplaced.abort();
    this.#tokenReplaced = new AbortController();
    this.#token = token;
    saveToken(token);
  }
}
