/** Who calls, and what they may do. */
import { UploadError } from '@cryolift/protocol/errors';
import type { Scope } from '@cryolift/protocol/scopes';
import type { AccessScope } from '../../uploads/context.ts';
import type { LinkRow } from '../../uploads/upload-links.ts';

export interface Caller {
  readonly sub: string;
  readonly scopes: ReadonlySet<string>;
  /** When the token ends, milliseconds since 1970; Infinity when it does not say. */
  readonly expiresAtMs: number;
  /** Of callers without a token; whoever has one reaches what is theirs. */
  readonly access?: AccessScope;
  /** What the caller has instead of a token. */
  readonly link?: LinkRow;
}

/** @throws UploadError `forbidden` when the token lacks the scope; `admin` stands for every scope. */
export function assertScope(caller: Caller, scope: Scope): void {
  if (!hasScope(caller, scope)) throw new UploadError('forbidden', `The token lacks the scope ${scope}.`);
}

export function hasScope(caller: Caller, scope: Scope): boolean {
  return caller.scopes.has(scope) || caller.scopes.has('admin');
}

/** Under which name a caller's share of the server is counted: a link by itself, so that it cannot take its owner's. */
export function accountOf({ link, sub }: Caller): string {
  return link?.id ?? sub;
}

export function accessOf(caller: Caller): AccessScope {
  return caller.access ?? (caller.scopes.has('admin') ? 'everybody' : { owner: caller.sub });
}
