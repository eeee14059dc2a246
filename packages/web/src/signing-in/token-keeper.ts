/** The token: from the link, from the paste field, never anywhere but in memory and in this tab's session storage. */
import { Cell } from '../cell.ts';
import { type Claims, readClaims } from './claims.ts';

const STORAGE_KEY = 'cryolift-token';

export type SignedIn =
  | { readonly kind: 'no' }
  | { readonly kind: 'yes'; readonly claims: Claims }
  /** The server refuses the token that there was. Calls wait for another one. */
  | { readonly kind: 'expired'; readonly claims: Claims };

/** What the server says to a token: null when it takes it. @throws when it cannot be reached. */
export type JudgeToken = (token: string) => Promise<string | null>;

export class TokenKeeper {
  readonly state = new Cell<SignedIn>({ kind: 'no' });
  /** Somebody else is signed in now: what is known of the server is not theirs to see. */
  onNewSubject = (): void => {};
  readonly #judge: JudgeToken;
  #token: string | null = null;
  /** Of the last token there was. */
  #subject: string | null = null;
  #judging: Promise<void> | null = null;
  /** Of the next token. */
  #next = Promise.withResolvers<string>();

  constructor(judge: JudgeToken) {
    this.#judge = judge;
    this.takeFromAddress();
    const kept = sessionStorage.getItem(STORAGE_KEY);
    if (this.#token === null && kept !== null) this.#take(kept);
    addEventListener('hashchange', () => this.takeFromAddress());
  }

  /** `#token=…` as the server prints it, or `?token=…`. It is out of the address bar and the history at once. */
  takeFromAddress(): void {
    const fromFragment = new URLSearchParams(location.hash.slice(1)).get('token');
    const query = new URLSearchParams(location.search);
    const token = fromFragment ?? query.get('token');
    if (token === null) return;
    query.delete('token');
    const rest = query.size > 0 ? `?${query}` : '';
    history.replaceState(null, '', location.pathname + rest + (fromFragment === null ? location.hash : ''));
    this.#take(token);
  }

  /**
   * For the SDK. Without a token it waits until there is one, and so does every upload that needs it.
   *
   * @param renew the token was refused. Several calls may say so of a token that has been replaced since, so the server is
   *   asked once about the one there is.
   */
  get = async (renew: boolean): Promise<string> => {
    if (renew && this.#token !== null) {
      this.#judging ??= this.#loseRefused(this.#token).finally(() => {
        this.#judging = null;
      });
      await this.#judging;
    }
    return this.#token ?? (await this.#next.promise);
  };

  /** A token that somebody pasted, or a whole link with one. @returns null, or why it is not taken. */
  async give(text: string): Promise<string | null> {
    const token = /[#?&]token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
    const refusal = await this.#judge(token);
    if (refusal === null) this.#take(token);
    return refusal;
  }

  forget(): void {
    this.#clear();
    this.state.set({ kind: 'no' });
  }

  #take(token: string): void {
    const claims = readClaims(token) ?? { subject: '?', expiresAtMs: null };
    const isNew = claims.subject !== this.#subject;
    this.#token = token;
    this.#subject = claims.subject;
    sessionStorage.setItem(STORAGE_KEY, token);
    this.state.set({ kind: 'yes', claims });
    if (isNew) this.onNewSubject();
    this.#next.resolve(token);
    this.#next = Promise.withResolvers();
  }

  async #loseRefused(token: string): Promise<void> {
    const refusal = await this.#judge(token).catch(() => null);
    const { value } = this.state;
    if (refusal === null || this.#token !== token || value.kind === 'no') return;
    this.#clear();
    this.state.set({ kind: 'expired', claims: value.claims });
  }

  #clear(): void {
    this.#token = null;
    sessionStorage.removeItem(STORAGE_KEY);
  }
}
