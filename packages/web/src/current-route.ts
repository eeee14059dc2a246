/** The route of this tab. It follows the fragment of the address. */
import { Cell } from './cell.ts';
import { parseRoute, type Route } from './route.ts';

export const route = new Cell<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => route.set(parseRoute(location.hash)));
