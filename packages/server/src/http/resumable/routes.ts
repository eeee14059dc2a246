/** IETF resumable uploads (draft-ietf-httpbis-resumable-upload) at `/resumable`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { takeAnyBody } from '../connection/any-body.ts';
import type { Services } from '../services.ts';
import { append } from './append.ts';
import { PARTIAL_UPLOAD } from './append-head.ts';
import { create, UPLOADS_PATH } from './creation.ts';
import { createProblemHandler } from './failure.ts';
import { readInterop } from './interop.ts';
import { printLimits } from './limits.ts';
import { cancel, showState } from './upload-resource.ts';

const LinkQuery = Type.Object(
  { token: Type.Optional(Type.String({ maxLength: 256, description: 'The token of an upload link.' })) },
  { additionalProperties: false },
);
/**
 * Left out of the OpenAPI document: clients of this protocol are made after its drafts, and interim answers, fields
 * whose names depend on the version of the client, and PATCH without a schema have no place there.
 */
const schema = { hide: true, querystring: LinkQuery };
const config = { scope: 'uploads:write', linkable: true, linkInQuery: true } as const;
const bodyConfig = { ...config, rawBody: true, isLong: true } as const;

/** @param app an instance for these routes alone. */
export function registerResumable(app: FastifyInstance, services: Services): void {
  takeAnyBody(app);
  app.setErrorHandler(createProblemHandler(services));
  app.addHook('onRequest', async ({ headers }, reply) => {
    const { interop, isNamed } = readInterop(headers);
    if (isNamed) reply.header('Upload-Draft-Interop-Version', String(interop.version));
  });
  for (const url of ['/resumable', '/resumable/*']) {
    app.route({
      method: url === '/resumable' ? ['POST'] : ['POST', 'PUT'],
      url,
      schema,
      config: bodyConfig,
      handler: async (request, reply) => await create(services, request, reply, pathNameOf(request)),
    });
    registerOptions(app, services, url, url === '/resumable' ? 'POST, OPTIONS' : 'POST, PUT, OPTIONS');
  }
  registerUpload(app, services);
}

function registerUpload(app: FastifyInstance, services: Services): void {
  const url = `${UPLOADS_PATH}/:upload_id`;
  app.route({
    method: ['HEAD', 'GET'],
    url,
    schema,
    config,
    handler: async (request, reply) => await showState(services, request, reply),
  });
  app.route({
    method: 'PATCH',
    url,
    schema,
    config: bodyConfig,
    handler: async (request, reply) => await append(services, request, reply),
  });
  app.route({
    method: 'DELETE',
    url,
    schema,
    config,
    handler: async (request, reply) => await cancel(services, request, reply),
  });
  registerOptions(app, services, url, 'HEAD, GET, PATCH, DELETE, OPTIONS');
}

/** Answers with the limits. Needs no token. */
function registerOptions(app: FastifyInstance, { uploads: { policy } }: Services, url: string, methods: string): void {
  app.route({
    method: 'OPTIONS',
    url,
    schema,
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const { interop } = readInterop(request.headers);
      const limits = printLimits(interop, policy.maxFileSizeBytes, policy.uploadTtlMs);
      if (limits !== null) reply.header('Upload-Limit', limits);
      // Drafts 09 to 11 want it.
      return await reply.code(204).header('Accept-Patch', PARTIAL_UPLOAD).header('Allow', methods).send();
    },
  });
}

function pathNameOf({ params }: FastifyRequest): string {
  return (params as { '*'?: string })['*'] ?? '';
}
