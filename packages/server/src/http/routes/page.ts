/** `GET /`: the web page that `scripts/build-page.mjs` builds from packages/web. */
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyReply } from 'fastify';
import type { Routes } from '../route-schema.ts';

const BUILT = new URL('../../../dist/page/', import.meta.url);
const ASSETS = fileURLToPath(new URL('assets/', BUILT));
/**
 * All resources and scripts come from this server, no page may frame the page, and its links send no referrer.
 *
 * @param otherOrigins origins beside its own that the page may call.
 */
function headersFor(otherOrigins: readonly string[]) {
  const connections = ["'self'", ...otherOrigins].join(' ');
  return {
    'content-security-policy':
      `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src ${connections}; ` +
      "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  };
}
/** For assets, whose names contain a hash of their content. */
const FOREVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cryolift</title>
<h1>Cryolift</h1>
<p>The server runs; its web page was not built.</p>
<p>Build it with <code>node scripts/build-page.mjs</code> (<code>npm start</code> does this, too) and start the server again.</p>
<p>The command line works without it: <code>npx cryolift upload movie.mrc</code>.</p>
<p><a href="/docs">The HTTP interface</a> · <a href="/limits">Limits</a> · <a href="/readyz">Health</a></p>
</html>
`;

/**
 * @param otherOrigins to which the page may send parts, of the object storage and of this server, and those of the identity
 *   provider; called for each answer.
 */
export function registerPage(app: Routes, otherOrigins: () => readonly string[]): void {
  app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: BUILT,
      suppressWarning: true,
      // Adds one route for each file that exists now; other paths are not affected.
      wildcard: false,
      globIgnore: ['**/*.{br,gz,txt}'],
      preCompressed: true,
      cacheControl: false,
      decorateReply: false,
      setHeaders: (reply, path) => setPageHeaders(reply, path, headersFor(otherOrigins())),
    });
    if (scope.hasRoute({ method: 'GET', url: '/' })) return;
    scope.get('/', { schema: { hide: true } }, async (_request, reply) => {
      reply.headers(headersFor(otherOrigins())).type('text/html; charset=utf-8');
      return NOT_BUILT;
    });
  });
}

function setPageHeaders(reply: FastifyReply, path: string, headers: ReturnType<typeof headersFor>): void {
  reply.headers(headers).header('cache-control', path.startsWith(ASSETS) ? FOREVER : ASK_AGAIN);
}
