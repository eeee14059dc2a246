/**
 * The OpenAPI 3.1 document, made from the schemas of the routes, and a page that shows it. What makes them is loaded when
 * somebody asks for one of them.
 */
import { createHash } from 'node:crypto';
import { ERRORS } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { checkConditions, preconditionFailed } from './conditions.ts';
import type { Services } from './services.ts';

/** What the page is asked under. */
const CONDITIONS = ['if-none-match', 'if-modified-since'];

interface Docs {
  readonly bytes: Buffer;
  readonly etag: string;
  /** Has the page. */
  readonly pages: FastifyInstance;
}

/** To be called before the routes are registered. */
export function registerDocs(app: FastifyInstance, { version, options }: Services): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    if (!route.schema?.hide) routes.push(route);
  });
  let made: Promise<Docs> | null = null;
  const docs = () => {
    made ??= makeDocs(routes, version, options.publicUrl);
    return made;
  };
  const answerDocument = async (request: FastifyRequest, reply: FastifyReply) => {
    const { bytes, etag } = await docs();
    const outcome = checkConditions(request.headers, { etag, lastModifiedMs: null });
    if (outcome === 'failed') throw preconditionFailed();
    reply.header('etag', etag).header('cache-control', 'no-cache');
    return outcome === 'not_modified'
      ? reply.code(304).send()
      : reply.type('application/json; charset=utf-8').send(bytes);
  };
  const answerPage = async (request: FastifyRequest, reply: FastifyReply) => {
    const { pages } = await docs();
    const asked = Object.entries(request.headers).filter(([name]) => CONDITIONS.includes(name));
    const page = await pages.inject({ url: request.url, headers: Object.fromEntries(asked) });
    if (page.statusCode === 404) return reply.callNotFound();
    const { connection: _connection, date: _date, ...shown } = page.headers;
    return await reply.code(page.statusCode).headers(shown).send(page.rawPayload);
  };
  const schema = { hide: true };
  app.get('/openapi.json', { schema }, answerDocument);
  // The page has routes of its own for the document, which would print it anew for every request.
  app.get('/docs/json', { schema }, answerDocument);
  app.get('/docs/yaml', { schema }, async (_request, reply) => await reply.redirect('/openapi.json'));
  app.get('/docs', { schema }, answerPage);
  app.get('/docs/*', { schema }, answerPage);
}

async function makeDocs(routes: readonly RouteOptions[], version: string, publicUrl: string | null): Promise<Docs> {
  const { buildPages } = await import('./openapi/pages.ts');
  const pages = await buildPages(routes, version, publicUrl);
  // The table of error codes: status, whether the same request can succeed when repeated, and what to do.
  const bytes = Buffer.from(JSON.stringify({ ...pages.swagger(), 'x-errors': ERRORS }));
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`, pages };
}
