/** The application: Fastify over `node:http`, which is the standard path, with its hooks and routes. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import type { Scope } from '@cryolift/protocol/scopes';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Listeners } from './connection/listener.ts';
import { registerLoadShedder } from './connection/load-shedder.ts';
import { RequestQueue } from './connection/request-queue.ts';
import { answerOnSocket, answerParserError, createFailureHandler } from './errors.ts';
import { registerAudit } from './hooks/audit.ts';
import { registerRateLimit } from './hooks/rate-limit.ts';
import {
  drainBody,
  registerBodies,
  registerCommonHeaders,
  registerCors,
  registerIdentity,
  registerRequestLog,
} from './hooks/request-hooks.ts';
import { registerTraces } from './hooks/traces.ts';
import { createJsonParser } from './json.ts';
import { type RefuseUnrouted, watchMethods } from './methods.ts';
import { registerDocs } from './openapi.ts';
import { requestIdOf } from './request-id.ts';
import { registerResumable } from './resumable/routes.ts';
import { registerAdmin } from './routes/admin.ts';
import { registerConfirm } from './routes/confirm.ts';
import { registerCopies } from './routes/copies.ts';
import { registerDatasetCheck } from './routes/dataset-check.ts';
import { registerDatasetDownloads } from './routes/dataset-downloads.ts';
import { registerDatasets } from './routes/datasets.ts';
import { registerEvents } from './routes/events.ts';
import { registerFiles } from './routes/files.ts';
import { registerInstall } from './routes/install.ts';
import { registerJobs } from './routes/jobs.ts';
import { registerLibrary } from './routes/library.ts';
import { registerLinks } from './routes/links.ts';
import { registerManifest } from './routes/manifest.ts';
import { registerOperations } from './routes/operations.ts';
import { registerPage } from './routes/page.ts';
import { registerPart } from './routes/part.ts';
import { registerPreviews } from './routes/previews.ts';
import { registerPushes } from './routes/pushes.ts';
import { registerReceipts } from './routes/receipts.ts';
import { registerSign } from './routes/sign.ts';
import { registerUploads } from './routes/uploads.ts';
import { registerWebhooks } from './routes/webhooks.ts';
import type { Services } from './services.ts';
import { registerTus, registerTusVersion } from './tus/tus.ts';
import { createSerializer, createValidator, requireStrictQueries } from './validation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that a caller needs; absent: the call needs no token. */
    scope?: Scope;
    /** The call needs no token, but a caller who sends one is identified. */
    identifies?: boolean;
    /**
     * The call streams or waits, which costs little however long it takes. The load shedder does not count it as
     * running.
     */
    isLong?: boolean;
    /** The answer is a stream: the load shedder counts what it buffers while the client does not read. */
    isStreamed?: boolean;
    /** A signed URL is accepted instead of a token. */
    signable?: boolean;
    /** An upload link is accepted, too. */
    linkable?: boolean;
    /** The token of an upload link is accepted in the query, as `token`. */
    linkInQuery?: boolean;
  }
}

/** The largest JSON body is an init with a header and metadata. */
const MAX_JSON_BYTES = 1024 * 1024;

type FailureHandler = ReturnType<typeof createFailureHandler>;

/** @param isStopping true once the server takes no new work. */
export async function buildApp(services: Services, listeners: Listeners, isStopping: () => boolean) {
  const answerFailure = createFailureHandler(services.metrics);
  const queue = new RequestQueue((request, response) => app.routing(request, response));
  const app = createApp(services, listeners, queue, answerFailure);
  const refuseUnrouted = watchMethods(app);
  setHandlers(app, answerFailure, refuseUnrouted);
  takeRequests(app, queue);
  await registerHooks(app, services, refuseUnrouted, isStopping);
  registerDocs(app, services);
  await registerRoutes(app, services);
  await app.ready();
  return app;
}

function createApp(services: Services, listeners: Listeners, queue: RequestQueue, answerFailure: FailureHandler) {
  const { trustProxy } = services.options;
  return fastify({
    serverFactory: () => listeners.add(queue),
    loggerInstance: services.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    // A number is given as a function, because Fastify trusts no proxy when it is given a number.
    trustProxy: typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : [...trustProxy],
    genReqId: requestIdOf,
    bodyLimit: MAX_JSON_BYTES,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerParserError(error, socket, queue.lastAnswer(socket)),
    frameworkErrors: (error, request, reply) => {
      // No hook runs for these errors.
      drainBody(request, reply);
      answerFailure(error, request, reply);
    },
    routerOptions: { maxParamLength: 256 },
  });
}

/** Validation, errors and JSON. */
function setHandlers(app: FastifyInstance, answerFailure: FailureHandler, refuseUnrouted: RefuseUnrouted): void {
  requireStrictQueries(app);
  app.setValidatorCompiler(createValidator());
  app.setSerializerCompiler(createSerializer());
  app.setErrorHandler(answerFailure);
  app.setNotFoundHandler(refuseUnrouted);
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, createJsonParser(app));
}

/** Requests that Node would answer by itself. Here the routes decide when a body is wanted. */
function takeRequests(app: FastifyInstance, queue: RequestQueue): void {
  app.server.on('checkContinue', queue.take);
  app.server.on('checkExpectation', queue.take);
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const failure = new UploadError('method_not_allowed', 'This server is not a proxy.');
    answerOnSocket(socket, failure, ['Allow: GET, HEAD, POST, PUT, PATCH, DELETE']);
  });
}

/** Fastify runs the hooks of one kind in the order in which they are registered. */
async function registerHooks(
  app: FastifyInstance,
  services: Services,
  refuseUnrouted: RefuseUnrouted,
  isStopping: () => boolean,
): Promise<void> {
  const { bodyIdleTimeoutMs, rateLimit } = services.options;
  registerCommonHeaders(app);
  registerTusVersion(app);
  registerAudit(app, services);
  registerTraces(app, services.traces);
  await registerCors(app, pageOrigins(services.options));
  registerIdentity(app, services, refuseUnrouted, isStopping);
  registerLoadShedder(app);
  registerBodies(app, bodyIdleTimeoutMs);
  registerRequestLog(app, services, isStopping);
  await registerRateLimit(app, rateLimit);
}

/** Of the pages that may call this server: other ones, and its own when that sends parts to another of its origins. */
function pageOrigins({ corsOrigins, partOrigins, publicUrl }: Services['options']): string[] {
  if (partOrigins.length === 0 || publicUrl === null) return [...corsOrigins];
  return [...new Set([...corsOrigins, new URL(publicUrl).origin, ...partOrigins])];
}

async function registerRoutes(app: FastifyInstance, services: Services): Promise<void> {
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<TypeBoxTypeProvider>();
    registerUploads(routes, services);
    registerLibrary(routes, services);
    registerDatasets(routes, services);
    registerDatasetCheck(routes, services);
    registerManifest(routes, services);
    registerDatasetDownloads(routes, services);
    registerFiles(routes, services);
    registerCopies(routes, services);
    registerPreviews(routes, services);
    registerJobs(routes, services);
    registerWebhooks(routes, services);
    registerSign(routes, services);
    registerConfirm(routes, services);
    registerLinks(routes, services);
    registerAdmin(routes, services);
    registerEvents(routes, services);
    registerOperations(routes, services);
    registerPushes(routes, services);
    registerReceipts(routes, services);
    registerInstall(routes, services);
    const { presigner } = services.uploads.storage;
    const partOrigins = [...(presigner ? [presigner.origin] : []), ...services.options.partOrigins];
    registerPage(routes, () => [...partOrigins, ...services.signInOrigins()]);
  });
  await app.register(async (scope) => registerPart(scope, services));
  await app.register(async (scope) => registerResumable(scope, services));
  await app.register(async (scope) => registerTus(scope, services));
}
