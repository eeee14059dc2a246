/** The current view, kept in the fragment of the address so that links, back and reload work. */

export type Route =
  | { readonly view: 'upload' }
  | { readonly view: 'activity' }
  | { readonly view: 'files'; readonly fileId: string | null };

/** @param hash with its `#`. */
export function parseRoute(hash: string): Route {
  const [view, id] = hash.slice(1).split('/');
  if (view === 'activity') return { view };
  if (view === 'files') return { view, fileId: id ? decode(id) : null };
  return { view: 'upload' };
}

/** Text that is not percent-encoded correctly is used as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function fileHref(fileId: string): string {
  return `#files/${encodeURIComponent(fileId)}`;
}
