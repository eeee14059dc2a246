/** The ordinary lane: Fastify over `node:http`, and what holds for every call. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, UploadError } from '@cryolift/protocol/errors';
import type { Scope } from '@cryolift/protocol/scopes';
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify';
import { registerAudit } from './audit.ts';
import type { Caller } from './auth/caller.ts';
import { FailedLogins } from './auth/failed-logins.ts';
import { identify } from './auth/identify.ts';
import { refuseEntityTags } from './conditions.ts';
import { linger } from './connection/drain.ts';
import { continueBody, isUncontinued } from './connection/expect.ts';
import type { Listeners } from './connection/listener.ts';
import { registerLoadShedder } from './connection/load-shedder.ts';
import { bodyOf, limitBodyTime } from './connection/request-body.ts';
import { RequestQueue } from './connection/request-queue.ts';
import { answerOnSocket, answerParserError, createFailureHandler } from './errors.ts';
import { createJsonParser } from './json.ts';
import { watchMethods } from './methods.ts';
import { registerDocs } from './openapi.ts';
import { registerRateLimit } from './rate-limit.ts';
import { requestIdOf } from './request-id.ts';
import { registerAdmin } from './routes/admin.ts';
import { registerEvents } from './routes/events.ts';
import { registerFiles } from './routes/files.ts';
import { registerJobs } from './routes/jobs.ts';
import { registerLinks } from './routes/links.ts';
import { registerOperations } from './routes/operations.ts';
import { registerPage } from './routes/page.ts';
import { registerPart } from './routes/part.ts';
import { registerPreviews } from './routes/previews.ts';
import { registerSign } from './routes/sign.ts';
import { registerUploads } from './routes/uploads.ts';
import { registerWebhooks } from './routes/webhooks.ts';
import type { Services } from './services.ts';
import { registerTraces } from './traces.ts';
import { createValidator, requireStrictQueries } from './validation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that a caller needs; absent: anybody may call. */
    scope?: Scope;
    /** Whoever sends a token is identified; without one anybody may call. */
    identifies?: boolean;
    /** It streams or waits, which costs little however long it takes: it takes no place of the load shedder. */
    isLong?: boolean;
    /** Its answer is a stream: what that holds while nobody reads it is counted. */
    isStreamed?: boolean;
    /** A signed URL does instead of a token. */
    signable?: boolean;
    /** An upload link does, too. */
    linkable?: boolean;
  }
  interface FastifyRequest {
    /** Set on every call that needs a scope, and where the route identifies callers that have a token. */
    caller: Caller;
    /** Of the error that it is answered with. */
    failureCode: ErrorCode | null;
  }
}

/** A year (RFC 6797). Not for subdomains: they are not ours to decide for. */
const STRICT_TRANSPORT = 'max-age=31536000';
/** JSON bodies: the largest is an init with a header and metadata. */
const MAX_JSON_BYTES = 1024 * 1024;

/** @param isStopping true once the server takes no new work. */
export async function buildApp(services: Services, listeners: Listeners, isStopping: () => boolean) {
  const { trustProxy, corsOrigins } = services.options;
  const answerFailure = createFailureHandler(services.metrics);
  const failedLogins = new FailedLogins();
  const queue = new RequestQueue((request, response) => app.routing(request, response));
  const app = fastify({
    serverFactory: () => listeners.add(queue),
    loggerInstance: services.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    // Fastify's own counting of proxies believes nobody.
    trustProxy: typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : [...trustProxy],
    genReqId: requestIdOf,
    bodyLimit: MAX_JSON_BYTES,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerParserError(error, socket, queue.lastAnswer(socket)),
    frameworkErrors: (error, request, reply) => {
      // No hook runs for these.
      readOn(request, reply);
      answerFailure(error, request, reply);
    },
    routerOptions: { maxParamLength: 256 },
  });

  const refuseOtherMethods = watchMethods(app);
  app.setValidatorCompiler(createValidator());
  requireStrictQueries(app);
  app.setErrorHandler(answerFailure);
  app.setNotFoundHandler(() => {
    throw noSuchPath();
  });

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, createJsonParser(app));

  // Node would answer these by itself; here the routes decide when a body is wanted.
  app.server.on('checkContinue', queue.take);
  app.server.on('checkExpectation', queue.take);
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const failure = new UploadError('method_not_allowed', 'This server is no proxy.');
    answerOnSocket(socket, failure, ['Allow: GET, HEAD, POST, PUT, PATCH, DELETE']);
  });

  app.decorateRequest('caller', null as unknown as Caller);
  app.decorateRequest('failureCode', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    if (request.protocol === 'https') reply.header('strict-transport-security', STRICT_TRANSPORT);
  });
  registerAudit(app, services);
  registerTraces(app, services.traces);
  // Before anything refuses: a page elsewhere must be able to read why.
  if (corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: [
        'x-request-id',
        'retry-after',
        'ratelimit-limit',
        'ratelimit-remaining',
        'ratelimit-reset',
        'etag',
        'repr-digest',
        'content-range',
        'content-disposition',
      ],
      maxAge: 3600,
    });
  }
  app.addHook('onRequest', async (request, reply) => {
    if (isStopping()) {
      reply.header('connection', 'close');
      throw new UploadError('shutting_down', 'The server is stopping.');
    }
    assertOneHost(request.raw);
    // Before Fastify reads a body, which nobody waits for here.
    if (request.is404) throw noSuchPath();
    const { scope, identifies } = request.routeOptions.config;
    if (!scope && !(identifies && request.headers.authorization !== undefined)) return;
    request.caller = await identify(request, services).catch((error: unknown) => {
      throw failedLogins.note(request.ip, error);
    });
    refuseEntityTags(request.method, request.headers);
  });
  registerLoadShedder(app);
  app.addHook('preParsing', async (request, reply) => {
    if (request.routeOptions.config.rawBody) return;
    continueBody(request.raw, reply.raw);
    limitBodyTime(request.raw, services.options.bodyIdleTimeoutMs);
  });
  app.addHook('onSend', async (request, reply) => readOn(request, reply));
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
    registerPreviews(routes, services);
    registerJobs(routes, services);
    registerWebhooks(routes, services);
    registerSign(routes, services);
    registerLinks(routes, services);
    registerAdmin(routes, services);
    registerEvents(routes, services);
    registerOperations(routes, services);
    registerPage(routes);
  });
  await app.register(async (scope) => registerPart(scope, services));
  refuseOtherMethods();
  await app.ready();
  return app;
}

function noSuchPath(): UploadError {
  return new UploadError('not_found', 'There is no such path.');
}

/** RFC 9112 section 3.2. @throws UploadError `invalid_request`. */
function assertOneHost({ headersDistinct, httpVersion }: IncomingMessage): void {
  const hosts = headersDistinct.host?.length ?? 0;
  if (hosts > 1) throw new UploadError('invalid_request', 'The request has more than one Host (RFC 9112 section 3.2).');
  if (hosts === 0 && httpVersion === '1.1') {
    throw new UploadError('invalid_request', 'The request has no Host (RFC 9112 section 3.2).');
  }
}

/** What of a request has not come when it is answered. */
function readOn({ raw }: FastifyRequest, reply: FastifyReply): void {
  const body = bodyOf(raw);
  if (isUncontinued(raw)) reply.header('connection', 'close');
  if (!body.complete) linger(raw.socket, body.drain());
}

/** The ids in a path, by their names: what a log line may tell of a URL. */
function namedIds(params: unknown): Record<string, string | undefined> {
  const { upload_id, idx, file_id } = params as Record<string, string | undefined>;
  return { upload_id, part: idx, file_id };
}
