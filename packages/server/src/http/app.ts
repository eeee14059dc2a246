/** The ordinary lane: Fastify over `node:http`, and what holds for every call. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import { bodyOf, limitBodyTime } from './body.ts';
import { assertScope, type Caller, type Scope } from './caller.ts';
import { registerEvents } from './events.ts';
import { continueBody, isUncontinued } from './expect.ts';
import { answerOnSocket, answerParserError, createFailureHandler, noteAnswering } from './failure.ts';
import { registerFiles } from './files.ts';
import { createJsonParser } from './json.ts';
import { createListener } from './listener.ts';
import { watchMethods } from './methods.ts';
import { registerDocs } from './openapi.ts';
import { registerOperations } from './operations.ts';
import { registerPage } from './page.ts';
import { registerPart } from './part.ts';
import { registerRateLimit } from './rate-limit.ts';
import { requestIdOf } from './request-id.ts';
import type { Services } from './services.ts';
import { registerUploads } from './uploads.ts';
import { createValidator } from './validation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that a caller needs; absent: anybody may call. */
    scope?: Scope;
  }
  interface FastifyRequest {
    /** Set on every call that needs a scope. */
    caller: Caller;
  }
}

/** JSON bodies: the largest is an init with a header and metadata. */
const MAX_JSON_BYTES = 1024 * 1024;

/** @param isStopping true once the server takes no new work. */
export async function buildApp(services: Services, isStopping: () => boolean) {
  const { tls, trustProxy, corsOrigins } = services.options;
  const app = fastify({
    serverFactory: (handler) => createListener(handler, tls),
    loggerInstance: services.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    trustProxy,
    genReqId: requestIdOf,
    bodyLimit: MAX_JSON_BYTES,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerParserError,
    frameworkErrors: createFailureHandler(services.metrics),
    routerOptions: { maxParamLength: 256 },
  });

  const refuseOtherMethods = watchMethods(app);
  app.setValidatorCompiler(createValidator());
  app.setErrorHandler(createFailureHandler(services.metrics));
  app.setNotFoundHandler(() => {
    throw new UploadError('not_found', 'There is no such path.');
  });

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, createJsonParser(app));

  // Node would answer these by itself; here the routes decide when a body is wanted.
  const route = (request: IncomingMessage, response: ServerResponse) => app.routing(request, response);
  app.server.on('checkContinue', route);
  app.server.on('checkExpectation', route);
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const failure = new UploadError('method_not_allowed', 'This server is no proxy.');
    answerOnSocket(socket, failure, ['Allow: GET, HEAD, POST, PUT, DELETE']);
  });

  app.decorateRequest('caller', null as unknown as Caller);
  app.addHook('onRequest', async (request, reply) => {
    noteAnswering(request.raw, reply.raw);
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  // Before anything refuses: a page elsewhere must be able to read why.
  if (corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      exposedHeaders: ['x-request-id', 'retry-after', 'etag', 'repr-digest', 'content-range', 'content-disposition'],
      maxAge: 3600,
    });
  }
  app.addHook('onRequest', async (request, reply) => {
    if (isStopping()) {
      reply.header('connection', 'close');
      throw new UploadError('shutting_down', 'The server is stopping.');
    }
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      throw new UploadError('invalid_request', 'The request has no Host (RFC 9112 section 3.2).');
    }
    const { scope } = request.routeOptions.config;
    if (!scope) return;
    request.caller = await services.authenticate(request.headers.authorization);
    assertScope(request.caller, scope);
  });
  app.addHook('preParsing', async (request, reply) => {
    if (request.routeOptions.config.rawBody || request.is404) return;
    continueBody(request.raw, reply.raw);
    limitBodyTime(request.raw, services.options.bodyIdleTimeoutMs);
  });
  app.addHook('onSend', async (request, reply) => {
    const body = bodyOf(request.raw);
    if (isUncontinued(request.raw)) reply.header('connection', 'close');
    // Closing while the body still comes would reset the connection, and the client would not see the answer.
    else if (!body.complete && reply.statusCode !== 408 && reply.hasHeader('connection')) {
      reply.header('connection', 'keep-alive');
    }
    body.drain();
  });
  app.addHook('onResponse', async (request, reply) => {
    const seconds = reply.elapsedTime / 1000;
    const route = request.routeOptions.url ?? '(none)';
    services.metrics.noteRequest({ method: request.method, route, status: reply.statusCode, seconds });
    request.log.info(
      { method: request.method, route, ...namedIds(request.params), status: reply.statusCode, seconds },
      'request',
    );
    if (isStopping()) setImmediate(() => app.server.closeIdleConnections());
  });

  await registerRateLimit(app, services.options.rateLimit);
  await registerDocs(app, services);
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<TypeBoxTypeProvider>();
    registerUploads(routes, services);
    registerFiles(routes, services);
    registerEvents(routes, services);
    registerOperations(routes, services);
    registerPage(routes);
  });
  await app.register(async (scope) => registerPart(scope, services));
  refuseOtherMethods();
  await app.ready();
  return app;
}

/** The ids in a path, by their names: what a log line may tell of a URL. */
function namedIds(params: unknown): Record<string, string | undefined> {
  const { upload_id, idx, file_id } = params as Record<string, string | undefined>;
  return { upload_id, part: idx, file_id };
}
