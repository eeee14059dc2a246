/** Who is signed in, and what the page asks before somebody else is. */
import type { GrantState } from '../provider/grant-renewer.ts';
import type { Subject } from './subject.ts';

export type SignedIn =
  /** `refusal`: why the last token was not accepted, or the last sign-in did not succeed. */
  | { readonly kind: 'signed-out'; readonly refusal: string | null }
  /** The server has not identified the token yet; `lastError`: why not. */
  | { readonly kind: 'checking'; readonly lastError: string | null }
  | {
      readonly kind: 'signed-in';
      readonly subject: Subject;
      readonly expiresAtMs: number | null;
      /** Null: the token is not one of the identity provider's that this page renews. */
      readonly grant: GrantStatus | null;
    }
  /** The server refuses the token, or the grant has ended. Calls of this subject wait for a new token. */
  | { readonly kind: 'expired'; readonly subject: Subject; readonly wasGrant: boolean };

/** What becomes of the grant whose token is used. */
export interface GrantStatus {
  /** Of the identity provider. */
  readonly host: string;
  readonly state: GrantState;
  /** Of the access token, milliseconds; null: unknown. */
  readonly lifeMs: number | null;
}

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
