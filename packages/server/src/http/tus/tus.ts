/** The tus 1.0 endpoint (https://tus.io/protocols/resumable-upload): an upload of a tus client is an ordinary upload. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { takeAnyBody } from '../connection/any-body.ts';
import { createFailureHandler } from '../errors.ts';
import type { Services } from '../services.ts';
import { append } from './append.ts';
import { ALGORITHMS } from './checksum.ts';
import { create } from './creation.ts';
import { sendFailure, TusError } from './failures.ts';
import { methodOf } from './method.ts';
import { TUS_VERSION } from './request-head.ts';
import { read, show, terminate } from './state.ts';

const EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'termination',
  'expiration',
  'checksum',
  'checksum-trailer',
  'concatenation',
  'concatenation-unfinished',
];

const TusQuery = Type.Object(
  { token: Type.Optional(Type.String({ maxLength: 256, description: 'The token of an upload link.' })) },
  { additionalProperties: false },
);
const TusParams = Type.Object({ upload_id: Type.String({ maxLength: 256 }) });
/** The OpenAPI document leaves these calls out: clients of tus know them from its specification. */
const schema = { hide: true, querystring: TusQuery };
const config = { scope: 'uploads:write', linkable: true, linkInQuery: true } as const;
/** Of calls that read a body. */
const bodyConfig = { ...config, rawBody: true, isLong: true } as const;

type Handler = (services: Services, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** What a client that can only send POST means by X-HTTP-Method-Override. */
const OVERRIDES: Readonly<Record<string, Handler>> = { PATCH: append, DELETE: terminate, HEAD: show };

/** Before every hook that refuses a request, because refusals carry the version, too. */
export function registerTusVersion(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ method, url }, reply) => {
    if (method !== 'OPTIONS' && /^\/tus(\/|\?|$)/.test(url)) reply.header('tus-resumable', TUS_VERSION);
  });
}

/** @param app an instance for these routes alone. */
export function registerTus(app: FastifyInstance, services: Services): void {
  takeAnyBody(app);
  app.addHook('onRequest', async (request, reply) => assertVersion(request, reply));
  app.setErrorHandler(createFailureHandler(services.metrics, sendFailure));
  const run = (handler: Handler) => (request: FastifyRequest, reply: FastifyReply) => handler(services, request, reply);
  for (const url of ['/tus', '/tus/:upload_id']) app.options(url, { schema: { hide: true } }, run(describeServer));
  app.post('/tus', { config: bodyConfig, schema }, run(create));
  const ofUpload = { ...schema, params: TusParams };
  app.head('/tus/:upload_id', { config, schema: ofUpload }, run(show));
  app.get('/tus/:upload_id', { config, schema: ofUpload, exposeHeadRoute: false }, run(read));
  app.patch('/tus/:upload_id', { config: bodyConfig, schema: ofUpload }, run(append));
  app.post('/tus/:upload_id', { config: bodyConfig, schema: ofUpload }, run(override));
  app.delete('/tus/:upload_id', { config, schema: ofUpload }, run(terminate));
}

async function describeServer({ limits }: Services, _request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('tus-resumable', TUS_VERSION).header('tus-version', TUS_VERSION);
  reply.header('tus-extension', EXTENSIONS.join(','));
  reply.header('tus-max-size', String(limits.max_file_size));
  reply.header('tus-checksum-algorithm', ALGORITHMS.join(','));
  await reply.code(204).send();
}

async function override(services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const handler = OVERRIDES[methodOf(request.raw)];
  if (handler) return await handler(services, request, reply);
  reply.header('allow', 'OPTIONS, HEAD, GET, PATCH, POST, DELETE');
  throw new UploadError('method_not_allowed', 'POST to an upload needs X-HTTP-Method-Override: PATCH, DELETE or HEAD.');
}

/** A download by a browser does not name the version. */
function assertVersion({ method, headers }: FastifyRequest, reply: FastifyReply): void {
  const version = headers['tus-resumable'];
  if (method === 'OPTIONS' || version === TUS_VERSION || (method === 'GET' && version === undefined)) return;
  reply.header('tus-version', TUS_VERSION);
  throw new TusError(412, 'precondition_failed', `Tus-Resumable is not ${TUS_VERSION}.`, {
    hint: `Send Tus-Resumable: ${TUS_VERSION}; no other version is supported.`,
  });
}
