/** For routes that read the bytes of their bodies themselves. */
import type { FastifyInstance } from 'fastify';

/**
 * Takes bodies of any Content-Type and parses none. Fastify would refuse one that it cannot parse, so the header is
 * removed from `headers`; `headersDistinct` still has it.
 *
 * @param app an instance for such routes alone.
 */
export function takeAnyBody(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw }) => {
    delete raw.headers['content-type'];
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}
