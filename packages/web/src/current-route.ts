/** The route of this tab. It follows the fragment of the address. */
import { Cell } from './cell.ts';
import { parseRoute, type Route } from './route.ts';

/** Browsers refuse more than about 100 changes of the address in 30 s. */
const WRITE_MS = 400;

export const route = new Cell<Route>(parseRoute(location.hash));
/** The fragment with its parameters. A parameter that changes often is written to the address a little later. */
export const fragment = new Cell(fragmentOfAddress());

let timer: ReturnType<typeof setTimeout> | null = null;
let writtenMs = 0;

/** Call it after the address has been replaced. */
export function followAddress(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  fragment.set(fragmentOfAddress());
  const now = parseRoute(location.hash);
  if (JSON.stringify(now) !== JSON.stringify(route.value)) route.set(now);
}

/** Replaces the fragment without a new entry in the history. @param hash of the same route, with other parameters. */
export function replaceFragment(hash: string): void {
  fragment.set(hash);
  timer ??= setTimeout(writeAddress, Math.max(0, writtenMs + WRITE_MS - Date.now()));
}

function writeAddress(): void {
  if (timer === null) return;
  clearTimeout(timer);
  timer = null;
  writtenMs = Date.now();
  history.replaceState(history.state, '', fragment.value || location.pathname);
}

/** A token is removed from the address, and must not be written to it again. */
function fragmentOfAddress(): string {
  return new URLSearchParams(location.hash.slice(1)).has('token') ? '' : location.hash;
}

addEventListener('hashchange', followAddress);
// A link, a reload and a copied address have to see the newest parameters.
addEventListener('click', writeAddress, true);
addEventListener('pagehide', writeAddress);
