/** The subject of a token. The page asks the server, because it cannot verify the token itself. */
import { Api, ServerError, type Transport } from '@cryolift/client';
import type { Caller } from '@cryolift/protocol/messages';
import { texts } from '../texts.ts';
import { readClaims } from './claims.ts';

export interface Subject {
  /** The same for all tokens of one subject. An upload link has its own key: it is allowed less than its owner. */
  readonly key: string;
  readonly owner: string;
  readonly isLink: boolean;
  /** The name that the identity provider gives, for display; null: the owner is shown. */
  readonly name: string | null;
  /** What the upload link is for; null: nothing is noted, or it is no link. */
  readonly note: string | null;
  /** When the token or the link expires, milliseconds since 1970; null: it does not say. */
  readonly expiresAtMs: number | null;
  /** The token may see and change the whole server. */
  readonly isAdmin: boolean;
  /** The token may upload, complete and push: more than look. */
  readonly mayUpload: boolean;
}

export type Identified =
  | { readonly kind: 'accepted'; readonly subject: Subject }
  | { readonly kind: 'refused'; readonly message: string };

/** @throws ConnectionError or ServerError when the server does not identify the token. */
export async function identify(transport: Transport, token: string): Promise<Identified> {
  // Other characters are not allowed in a header, and no token contains them.
  if (!/^[\x21-\x7e]+$/.test(token)) return { kind: 'refused', message: texts.signIn.malformed };
  try {
    const caller: Partial<Caller> & Pick<Caller, 'owner'> = await new Api(transport, async () => token).whoami();
    const { owner, link_id: linkId = null, note = null, expires_at: expiresAt = null, scopes = [] } = caller;
    const expiresAtMs = expiresAt === null ? null : Date.parse(expiresAt);
    const isAdmin = scopes.includes('admin');
    const mayUpload = isAdmin || scopes.includes('uploads:write');
    const subject = { ...subjectOf(owner, linkId), note, expiresAtMs, isAdmin, mayUpload };
    return { kind: 'accepted', subject };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.status === 401) return { kind: 'refused', message: error.message };
    const claims = readClaims(token);
    // The server has verified the token. Only a scope is missing.
    if (error.code === 'forbidden' && claims) {
      return { kind: 'accepted', subject: { ...subjectOf(claims.subject, null), expiresAtMs: claims.expiresAtMs } };
    }
    throw error;
  }
}

export function nameOf({ owner, isLink, name }: Subject): string {
  return isLink ? texts.signIn.linkOf(owner) : (name ?? owner);
}

function subjectOf(owner: string, linkId: string | null): Subject {
  const key = JSON.stringify([owner, linkId]);
  const nothing = { name: null, note: null, expiresAtMs: null, isAdmin: false, mayUpload: false };
  return { key, owner, isLink: linkId !== null, ...nothing };
}
