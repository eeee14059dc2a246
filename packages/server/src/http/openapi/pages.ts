/** An application that is never listened to: it has the routes for their description only, and the page that shows it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type FastifyInstance, fastify, type RouteOptions } from 'fastify';
import { finishDocument } from './document.ts';
import { describeRoute } from './route.ts';

/** Swagger UI sets styles in place; nothing is fetched from elsewhere. */
const DOCS_CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'";

const TAGS = [
  { name: 'uploads', description: 'Uploads: start, send parts, complete.' },
  { name: 'files', description: 'Published files: records, bytes, previews.' },
  { name: 'datasets', description: 'Datasets: files that belong together, and whether all of them are there.' },
  { name: 'links', description: 'Links for uploads without a token.' },
  { name: 'events', description: 'Server-sent events.' },
  { name: 'admin', description: 'Calls for administrators, on the uploads and files of all owners.' },
  { name: 'operations', description: 'Limits, health and metrics.' },
];

/** @returns ready for `inject` and `swagger()`. */
export async function buildPages(
  routes: readonly RouteOptions[],
  version: string,
  publicUrl: string | null,
): Promise<FastifyInstance> {
  const pages = fastify({ exposeHeadRoutes: false });
  pages.setValidatorCompiler(() => () => true);
  pages.setSerializerCompiler(() => JSON.stringify);
  await pages.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cryolift',
        version,
        description:
          'Uploads of large cryo-EM files: in parallel parts, resumable, verified, published without copying.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl ?? '/' }],
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
  await pages.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_CSP, uiConfig: { validatorUrl: null } });
  for (const { method, url, schema = {}, config = {} } of routes) {
    pages.route({ method, url, schema, config, handler: () => {} });
  }
  await pages.ready();
  return pages;
}
