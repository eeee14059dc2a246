/** The token: from the link, from the paste field, never anywhere but in memory and in this tab's session storage. */
import { ConnectionError, type GetToken, orAborted, RetryPolicy } from '@cryolift/client';
import { Cell } from '../cell.ts';
import { texts } from '../texts.ts';
import { readClaims } from './claims.ts';
import type { Identified, Subject } from './subject.ts';
import { keepToken, readKeptToken, takeTokenFromAddress } from './token-places.ts';

export type SignedIn =
  /** `refusal`: why the last token was not accepted. */
  | { readonly kind: 'no'; readonly refusal: string | null }
  /** There is a token. The server has not said yet whose it is; `trouble`: why not. */
  | { readonly kind: 'checking'; readonly trouble: string | null }
  | { readonly kind: 'yes'; readonly subject: Subject; readonly expiresAtMs: number | null }
  /** The server refuses the token that there was. Calls of this subject wait for another one. */
  | { readonly kind: 'expired'; readonly subject: Subject };

/** What a link's token would disturb. */
export type Disturbed =
  | { readonly kind: 'subject'; readonly subject: Subject }
  | { readonly kind: 'other-tab' }
  | { readonly kind: 'files' };

/** A link was opened whose token is not taken unless somebody says so. */
export interface LinkQuestion {
  readonly subject: Subject;
  readonly disturbed: Disturbed;
  answer(yes: boolean): void;
}

export class TokenKeeper {
  readonly state = new Cell<SignedIn>({ kind: 'no', refusal: null });
  readonly question = new Cell<LinkQuestion | null>(null);
  /** Why the token of the last link was not accepted, while somebody is signed in. */
  readonly linkRefusal = new Cell<string | null>(null);
  /** Asked before a link's token is taken; null: nothing. */
  findDisturbed: (subject: Subject) => Promise<Disturbed | null> = async () => null;
  readonly #identify: (token: string) => Promise<Identified>;
  #token: string | null = null;
  /** Aborted when somebody signs out: what was begun before does not sign anybody in. */
  #signOut = new AbortController();
  /** Aborted when there is another token, or none. */
  #tokenOver = new AbortController();
  #rejudging: { readonly token: string; readonly done: Promise<void> } | null = null;
  /** Tokens of links are taken one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @param identify throws when the server does not answer. */
  constructor(identify: (token: string) => Promise<Identified>) {
    this.#identify = identify;
  }

  /** Takes the token that this tab had before it was loaded anew, and that of the address, now and whenever one is there. */
  begin(): void {
    const kept = readKeptToken();
    if (kept !== null) this.#enqueue((signal) => this.#restore(kept, signal));
    const takeFromAddress = () => {
      const token = takeTokenFromAddress();
      if (token !== null) this.#enqueue((signal) => this.#offer(token, signal));
    };
    takeFromAddress();
    addEventListener('hashchange', takeFromAddress);
  }

  get subject(): Subject | null {
    const { value } = this.state;
    return value.kind === 'yes' || value.kind === 'expired' ? value.subject : null;
  }

  /**
   * For the SDK: tokens of one subject and of nobody else. Without one it waits, and so does every upload that needs it.
   * Several calls may say of a token that has been replaced since that it was refused, so the server is asked once about
   * the one there is.
   */
  tokensOf(subject: Subject): GetToken {
    return async (renew) => {
      if (renew && this.subject?.key === subject.key) await this.#rejudge();
      for (;;) {
        const { value } = this.state;
        if (this.#token !== null && value.kind === 'yes' && value.subject.key === subject.key) return this.#token;
        await this.state.next();
      }
    };
  }

  /** A token that somebody pasted, or a whole link with one. @returns null, or why it is not accepted. */
  async give(text: string): Promise<string | null> {
    const token = /[#?&]token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
    const { signal } = this.#signOut;
    const found = await this.#identify(token).catch((error: unknown) => {
      throw error instanceof ConnectionError ? new Error(texts.signIn.unreachable, { cause: error }) : error;
    });
    if (found.kind === 'refused') return found.message;
    if (!signal.aborted) this.#take(token, found.subject);
    return null;
  }

  forget(): void {
    this.#signOut.abort();
    this.#signOut = new AbortController();
    this.#setToken(null);
    this.question.set(null);
    this.linkRefusal.set(null);
    this.state.set({ kind: 'no', refusal: null });
  }

  #enqueue(act: (signal: AbortSignal) => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      const { signal } = this.#signOut;
      await act(signal).catch((error: Error) => signal.aborted || this.#refuse(error.message));
    });
  }

  async #restore(token: string, signal: AbortSignal): Promise<void> {
    const found = await this.#identifyPatiently(token, signal);
    // Somebody may have pasted another one meanwhile.
    if (this.#token !== null) return;
    if (found.kind === 'accepted') this.#take(token, found.subject);
    else this.#refuse(found.message);
  }

  async #offer(token: string, signal: AbortSignal): Promise<void> {
    const found = await this.#identifyPatiently(token, signal);
    if (found.kind === 'refused') {
      this.#refuse(found.message);
      return;
    }
    const { subject } = found;
    const disturbed = await this.findDisturbed(subject);
    signal.throwIfAborted();
    if (disturbed === null) {
      this.#take(token, subject);
      return;
    }
    if (this.state.value.kind === 'checking') this.state.set({ kind: 'no', refusal: null });
    const answer = (yes: boolean) => {
      this.question.set(null);
      if (yes) this.#take(token, subject);
    };
    this.question.set({ subject, disturbed, answer });
  }

  /** Asks until the server says whose token it is. @throws the signal's reason when somebody signs out meanwhile. */
  async #identifyPatiently(token: string, signal: AbortSignal): Promise<Identified> {
    const check = (trouble: string | null) => {
      const { kind } = this.state.value;
      if (kind === 'no' || kind === 'checking') this.state.set({ kind: 'checking', trouble });
    };
    check(null);
    const onRetry = (error: unknown) => check((error as Error).message);
    const found = await new RetryPolicy().retry(() => this.#identify(token), signal, onRetry);
    signal.throwIfAborted();
    return found;
  }

  #refuse(message: string): void {
    if (this.subject) {
      this.linkRefusal.set(message);
      return;
    }
    this.#setToken(null);
    this.state.set({ kind: 'no', refusal: message });
  }

  #take(token: string, subject: Subject): void {
    this.#setToken(token);
    this.question.set(null);
    this.linkRefusal.set(null);
    this.state.set({ kind: 'yes', subject, expiresAtMs: readClaims(token)?.expiresAtMs ?? null });
  }

  async #rejudge(): Promise<void> {
    const token = this.#token;
    if (token === null) return;
    if (this.#rejudging?.token !== token) this.#rejudging = { token, done: this.#loseRefused(token) };
    await this.#rejudging.done;
  }

  /** Asks until the server says: the same token once more would be refused for good. */
  async #loseRefused(token: string): Promise<void> {
    const { signal } = this.#tokenOver;
    const retryPolicy = new RetryPolicy();
    retryPolicy.noteReply();
    const found = await orAborted(
      retryPolicy.retry(() => this.#identify(token), signal),
      signal,
    ).catch(() => null);
    if (this.#rejudging?.token === token) this.#rejudging = null;
    const { subject } = this;
    if (found?.kind !== 'refused' || this.#token !== token || !subject) return;
    this.#setToken(null);
    this.state.set({ kind: 'expired', subject });
  }

  #setToken(token: string | null): void {
    this.#tokenOver.abort();
    this.#tokenOver = new AbortController();
    this.#token = token;
    keepToken(token);
  }
}
