/** The route of this tab. It follows the fragment of the address. */
import { Cell } from './cell.ts';
import { parseRoute, type Route } from './route.ts';

/** Browsers refuse more than about 100 changes of the address in 30 s: so many are made at once, the others more slowly. */
const SPAN_MS = 30_000;
const AT_ONCE = 40;
const WRITE_MS = 600;

export const route = new Cell<Route>(parseRoute(location.hash));
/** The fragment with its parameters. One that changes very often is written to the address a little later. */
export const fragment = new Cell(fragmentOfAddress());

let timer: ReturnType<typeof setTimeout> | null = null;
/** When the address was written, milliseconds since 1970. */
let writes: number[] = [];
/** The fragment of the address when it was last read or written. */
let known = location.hash;

/** Call it after the address has been replaced. */
export function followAddress(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  known = location.hash;
  fragment.set(fragmentOfAddress());
  const now = parseRoute(location.hash);
  if (JSON.stringify(now) !== JSON.stringify(route.value)) route.set(now);
}

/** Replaces the fragment without a new entry in the history. @param hash of the same route, with other parameters. */
export function replaceFragment(hash: string): void {
  fragment.set(hash);
  if (timer !== null) return;
  const nowMs = Date.now();
  writes = writes.filter((ms) => ms > nowMs - SPAN_MS);
  if (writes.length < AT_ONCE) writeAddress();
  else timer = setTimeout(writeAddress, WRITE_MS);
}

function writeLate(): void {
  if (timer !== null) writeAddress();
}

function writeAddress(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  // Somebody has gone elsewhere, and its event comes next.
  if (location.hash !== known) return;
  writes.push(Date.now());
  history.replaceState(history.state, '', fragment.value || location.pathname);
  known = location.hash;
}

/** Goes to another view. The page sees it at once. @param hash with its `#`. */
export function goTo(hash: string): void {
  location.hash = hash;
  followAddress();
}

/** A token is removed from the address, and must not be written to it again. */
function fragmentOfAddress(): string {
  return new URLSearchParams(location.hash.slice(1)).has('token') ? '' : location.hash;
}

addEventListener('hashchange', followAddress);
// A link, a reload and a copied address have to see the newest parameters.
addEventListener('click', writeLate, true);
addEventListener('pagehide', writeLate);
