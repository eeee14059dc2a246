/** Where a token comes from and stays: the address, and this tab's session storage. */
const STORAGE_KEY = 'cryolift-token';

/** `#token=…` as the server prints it, or `?token=…`. It is out of the address bar and the history at once. */
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

/** Null without one, and where the browser lets nothing be stored. */
export function readKeptToken(): string | null {
  try {
    return sessionStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

/** @param token null: none. Where the browser lets nothing be stored, a token lasts until the page is loaded anew. */
export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, token);
  } catch {
    // The token in memory is used all the same.
  }
}
