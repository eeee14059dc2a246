/** The OpenAPI 3.1 document, made from the schemas of the routes, and a page that shows it. */

import { ERRORS } from '@cryolift/protocol/errors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Services } from './services.ts';

/** Swagger UI sets styles in place; nothing is fetched from elsewhere. */
const DOCS_CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'";

export async function registerDocs(app: FastifyInstance, { version, options }: Services): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cryolift',
        version,
        description:
          'Uploads of large cryo-EM files: in parts, in parallel, resumable, verified, published without copying.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      ...(options.publicUrl === null ? {} : { servers: [{ url: options.publicUrl }] }),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          signed_url: { type: 'apiKey', in: 'query', name: 'cl_sig', description: 'A URL of one of the calls …/sign.' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const { scope, signable } = route.config ?? {};
      if (!scope) return { schema, url };
      return { schema: { ...schema, security: [{ bearer: [scope] }, ...(signable ? [{ signed_url: [] }] : [])] }, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_CSP, uiConfig: { validatorUrl: null } });
  app.get('/openapi.json', { schema: { hide: true } }, async () => ({
    ...app.swagger(),
    // The table of error codes: status, whether the same request can succeed when repeated, and what to do.
    'x-errors': ERRORS,
  }));
}
