/** The caller of a request, and what the caller may do. */
import { UploadError } from '@cryolift/protocol/errors';
import type { Scope } from '@cryolift/protocol/scopes';
import type { AccessScope } from '../../uploads/context.ts';
import type { UploadLink } from '../../uploads/upload-links.ts';

export type Caller = TokenCaller | SignedCaller | LinkCaller;

/** The request has a bearer token. */
export interface TokenCaller {
  readonly kind: 'token';
  readonly sub: string;
  readonly scopes: ReadonlySet<string>;
  /** When the token expires, milliseconds since 1970; Infinity when it does not say. */
  readonly expiresAtMs: number;
}

/** The URL of the request is signed. The signature covers the path, so the caller has access to what the path names. */
export interface SignedCaller {
  readonly kind: 'signed';
  /** The key that the URL was signed with. */
  readonly keyId: string;
  /**
   * The network of the client. Calls of one network are counted together, because an owner can sign any number of URLs.
   */
  readonly network: string;
  /** When the signature expires, milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** The request has the token of an upload link. */
export interface LinkCaller {
  readonly kind: 'link';
  readonly link: UploadLink;
}

/** @throws UploadError `forbidden` when the caller lacks the scope; `admin` stands for every scope. */
export function assertScope(caller: Caller, scope: Scope): void {
  if (!hasScope(caller, scope)) throw new UploadError('forbidden', `The token lacks the scope ${scope}.`);
}

export function hasScope(caller: Caller, scope: Scope): boolean {
  return caller.kind === 'token' && (caller.scopes.has(scope) || caller.scopes.has('admin'));
}

/** The owner of what the caller creates. A signed URL creates nothing that has an owner of its own. */
export function ownerOf(caller: Caller): string {
  switch (caller.kind) {
    case 'token':
      return caller.sub;
    case 'link':
      return caller.link.owner;
    case 'signed':
      throw new Error('a signed URL was accepted by a call that needs an owner');
  }
}

/** When the caller's token, signature or link expires, milliseconds since 1970; Infinity when it does not say. */
export function expiryOf(caller: Caller): number {
  return caller.kind === 'link' ? caller.link.expiresAtMs : caller.expiresAtMs;
}

/** The upload link of the caller; null when the caller has none. */
export function linkOf(caller: Caller): UploadLink | null {
  return caller.kind === 'link' ? caller.link : null;
}

/**
 * The name that a caller's use of the server is counted under. A link has its own, so it cannot use up its owner's
 * share.
 */
export function accountOf(caller: Caller): string {
  return caller.kind === 'link' ? caller.link.id : ownerAccountOf(caller);
}

/** As `accountOf`, but the links of an owner are counted together with the owner. */
export function ownerAccountOf(caller: Caller): string {
  return caller.kind === 'signed' ? `signed:${caller.network}` : ownerOf(caller);
}

export function accessOf(caller: Caller): AccessScope {
  switch (caller.kind) {
    case 'token':
      return caller.scopes.has('admin') ? 'everybody' : { owner: caller.sub };
    case 'link':
      return { owner: caller.link.owner, linkId: caller.link.id };
    case 'signed':
      return 'everybody';
  }
}
