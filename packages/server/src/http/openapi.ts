/** The OpenAPI 3.1 document, made from the schemas of the routes, and a page that shows it. */
import { createHash } from 'node:crypto';
import { ERRORS } from '@cryolift/protocol/errors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkConditions, preconditionFailed } from './conditions.ts';
import { finishDocument } from './openapi/document.ts';
import { describeRoute } from './openapi/route.ts';
import type { Services } from './services.ts';

/** Swagger UI sets styles in place; nothing is fetched from elsewhere. */
const DOCS_CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'";

const TAGS = [
  { name: 'uploads', description: 'Uploads: start, send parts, complete.' },
  { name: 'files', description: 'Published files: records, bytes, previews.' },
  { name: 'links', description: 'Links for uploads without a token.' },
  { name: 'events', description: 'Server-sent events.' },
  { name: 'admin', description: 'Calls for administrators, on the uploads and files of all owners.' },
  { name: 'operations', description: 'Limits, health and metrics.' },
];

export async function registerDocs(app: FastifyInstance, { version, options }: Services): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cryolift',
        version,
        description:
          'Uploads of large cryo-EM files: in parallel parts, resumable, verified, published without copying.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: options.publicUrl ?? '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          signed_url: { type: 'apiKey', in: 'query', name: 'cl_sig', description: 'A URL of one of the calls …/sign.' },
        },
      },
    },
    transform: describeRoute,
    transformObject: (made) => ('openapiObject' in made ? finishDocument(made.openapiObject) : {}),
  });
  // Made once, when all routes are there, and shared by all answers.
  let document: { bytes: Buffer; etag: string } | null = null;
  const answerDocument = async (request: FastifyRequest, reply: FastifyReply) => {
    document ??= print(app);
    const outcome = checkConditions(request.headers, { etag: document.etag, lastModifiedMs: null });
    if (outcome === 'failed') throw preconditionFailed();
    reply.header('etag', document.etag).header('cache-control', 'no-cache');
    return outcome === 'not_modified'
      ? reply.code(304).send()
      : reply.type('application/json; charset=utf-8').send(document.bytes);
  };
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_CSP,
    uiConfig: { validatorUrl: null },
    uiHooks: {
      // The page has routes of its own for the document, which would print it anew for every request.
      async onRequest(request, reply) {
        const url = request.routeOptions.url ?? '';
        if (url === '/docs/json') return await answerDocument(request, reply);
        if (url === '/docs/yaml') return await reply.redirect('/openapi.json');
      },
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, answerDocument);
}

function print(app: FastifyInstance): { bytes: Buffer; etag: string } {
  // The table of error codes: status, whether the same request can succeed when repeated, and what to do.
  const bytes = Buffer.from(JSON.stringify({ ...app.swagger(), 'x-errors': ERRORS }));
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"` };
}
