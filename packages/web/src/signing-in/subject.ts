/** Whose token it is. The server says so: what a token says of itself is not verified here. */
import { Api, ServerError, type Transport } from '@cryolift/client';
import { texts } from '../texts.ts';
import { readClaims } from './claims.ts';

export interface Subject {
  /** Equal for two tokens of one subject. An upload link has a key of its own: it may do less than its owner. */
  readonly key: string;
  readonly owner: string;
  readonly isLink: boolean;
}

export type Identified =
  | { readonly kind: 'accepted'; readonly subject: Subject }
  | { readonly kind: 'refused'; readonly message: string };

/** @throws ConnectionError or ServerError when the server does not say whose token it is. */
export async function identify(transport: Transport, token: string): Promise<Identified> {
  // Other characters cannot be in a header; no token has them.
  if (!/^[\x21-\x7e]+$/.test(token)) return { kind: 'refused', message: texts.signIn.malformed };
  try {
    const { owner, link_id: linkId } = await new Api(transport, async () => token).whoami();
    return { kind: 'accepted', subject: subjectOf(owner, linkId) };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.status === 401) return { kind: 'refused', message: error.message };
    const claims = readClaims(token);
    // It verified the token, and only misses the scope.
    if (error.code === 'forbidden' && claims) return { kind: 'accepted', subject: subjectOf(claims.subject, null) };
    throw error;
  }
}

export function nameOf({ owner, isLink }: Subject): string {
  return isLink ? texts.signIn.linkOf(owner) : owner;
}

function subjectOf(owner: string, linkId: string | null): Subject {
  return { key: JSON.stringify([owner, linkId]), owner, isLink: linkId !== null };
}
