/**
 * The current view, kept in the fragment of the address so that links, back and reload work: `#files/ID?folder=a%2Fb&q=x`.
 * The part behind the question mark holds parameters of the view.
 */

export type Route =
  | { readonly view: 'upload' }
  | { readonly view: 'activity' }
  | { readonly view: 'admin' }
  | { readonly view: 'files'; readonly fileId: string | null }
  | { readonly view: 'datasets'; readonly datasetId: string | null };

/** @param hash with its `#`. */
export function parseRoute(hash: string): Route {
  const [path = ''] = hash.slice(1).split('?');
  const [view, id] = path.split('/');
  if (view === 'activity' || view === 'admin') return { view };
  if (view === 'files') return { view, fileId: id ? decode(id) : null };
  if (view === 'datasets') return { view, datasetId: id ? decode(id) : null };
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

export function datasetHref(datasetId: string): string {
  return `#datasets/${encodeURIComponent(datasetId)}`;
}

/** @param hash with its `#`. @returns the parameters behind its question mark. */
export function parametersOf(hash: string): URLSearchParams {
  const at = hash.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : hash.slice(at + 1));
}

/**
 * @param hash with its `#`.
 * @param value null: without this parameter.
 * @returns the fragment with the parameter set; all others stay.
 */
export function withParameter(hash: string, name: string, value: string | null): string {
  const parameters = parametersOf(hash);
  if (value === null) parameters.delete(name);
  else parameters.set(name, value);
  const [path = ''] = hash.split('?');
  return parameters.size === 0 ? path : `${path || '#'}?${parameters}`;
}
