/** The token in the page's address, and the token or the grant in the session storage of this tab. */
import type { Grant } from '../provider/grant.ts';

const TOKEN_KEY = 'cryolift-token';
const GRANT_KEY = 'cryolift-grant';

/** A token that was pasted or came with a link, or a grant of the identity provider. */
export type Credential = string | Grant;

/** Reads `#token=…`, as the server prints it, or `?token=…`, and removes it from the address bar and the history. */
export function takeTokenFromAddress(): string | null {
  const fromFragment = new URLSearchParams(location.hash.slice(1)).get('token');
  const query = new URLSearchParams(location.search);
  const token = fromFragment ?? query.get('token');
  if (token === null) return null;
  query.delete('token');
  const rest = query.size > 0 ? `?${query}` : '';
  history.replaceState(null, '', location.pathname + rest + (fromFragment === null ? location.hash : ''));
  return token;
}

/** Null when there is none, or when the browser allows no storage. */
export function readSaved(): Credential | null {
  try {
    const grant = sessionStorage.getItem(GRANT_KEY);
    return grant === null ? sessionStorage.getItem(TOKEN_KEY) : (JSON.parse(grant) as Grant);
  } catch {
    return null;
  }
}

/** @param credential null removes it. When the browser allows no storage, it is lost when the page is reloaded. */
export function save(credential: Credential | null): void {
  try {
    const isToken = typeof credential === 'string';
    if (isToken) sessionStorage.setItem(TOKEN_KEY, credential);
    else sessionStorage.removeItem(TOKEN_KEY);
    if (credential === null || isToken) sessionStorage.removeItem(GRANT_KEY);
    else sessionStorage.setItem(GRANT_KEY, JSON.stringify(credential));
  } catch {
    // What is in memory still works.
  }
}
