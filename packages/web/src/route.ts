/** Where in the page one is: the fragment of the address, so that links, back and reload work. */
import { Cell } from './cell.ts';

export type Route =
  | { readonly view: 'upload' }
  | { readonly view: 'activity' }
  | { readonly view: 'files'; readonly fileId: string | null };

function read(): Route {
  const [view, id] = location.hash.slice(1).split('/');
  if (view === 'activity') return { view };
  if (view === 'files') return { view, fileId: id ? decode(id) : null };
  return { view: 'upload' };
}

/** Anybody may have typed it: what is not percent-encoded is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = new Cell<Route>(read());
addEventListener('hashchange', () => route.set(read()));

export function fileHref(fileId: string): string {
  return `#files/${encodeURIComponent(fileId)}`;
}
