/** The subject of a token. The page asks the server, because it cannot verify the token itself. */
import { Api, ServerError, type Transport } from '@cryolift/client';
import { texts } from '../texts.ts';
import { readClaims } from './claims.ts';

export interface Subject {
  /** The same for all tokens of one subject. An upload link has its own key: it is allowed less than its owner. */
  readonly key: string;
  readonly owner: string;
  readonly isLink: boolean;
  /** The name that the identity provider gives, for display; null: the owner is shown. */
  readonly name: string | null;
}

export type Identified =
  | { readonly kind: 'accepted'; readonly subject: Subject }
  | { readonly kind: 'refused'; readonly message: string };

/** @throws ConnectionError or ServerError when the server does not identify the token. */
export async function identify(transport: Transport, token: string): Promise<Identified> {
  // Other characters are not allowed in a header, and no token contains them.
  if (!/^[\x21-\x7e]+$/.test(token)) return { kind: 'refused', message: texts.signIn.malformed };
  try {
    const { owner, link_id: linkId } = await new Api(transport, async () => token).whoami();
    return { kind: 'accepted', subject: subjectOf(owner, linkId) };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.status === 401) return { kind: 'refused', message: error.message };
    const claims = readClaims(token);
    // The server has verified the token. Only a scope is missing.
    if (error.code === 'forbidden' && claims) return { kind: 'accepted', subject: subjectOf(claims.subject, null) };
    throw error;
  }
}

export function nameOf({ owner, isLink, name }: Subject): string {
  return isLink ? texts.signIn.linkOf(owner) : (name ?? owner);
}

function subjectOf(owner: string, linkId: string | null): Subject {
  return { key: JSON.stringify([owner, linkId]), owner, isLink: linkId !== null, name: null };
}
