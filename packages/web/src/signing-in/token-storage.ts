/** The token in the page's address and in the session storage of this tab. */
const STORAGE_KEY = 'cryolift-token';

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
export function readSavedToken(): string | null {
  try {
    return sessionStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

/** @param token null removes it. When the browser allows no storage, the token is lost when the page is reloaded. */
export function saveToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, token);
  } catch {
    // The token in memory still works.
  }
}
