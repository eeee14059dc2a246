/** The hooks that run for every request, in the order of this file. */
import type { IncomingMessage } from 'node:http';
import { type ErrorCode, UploadError } from '@cryolift/protocol/errors';
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import { FailedLogins } from '../auth/failed-logins.ts';
import { identify } from '../auth/identify.ts';
import { refuseEntityTags } from '../conditions.ts';
import { linger } from '../connection/drain.ts';
import { continueBody, isUncontinued } from '../connection/expect.ts';
import { bodyOf, limitBodyTime } from '../connection/standard-body.ts';
import type { RefuseUnrouted } from '../methods.ts';
import type { Services } from '../services.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every call that needs a scope, and on calls with `identifies` when the request has a token. */
    caller: Caller;
    /** The code of the error that the request is answered with. */
    failureCode: ErrorCode | null;
  }
}

/** A year (RFC 6797). Without `includeSubDomains`, because the server does not know what else they serve. */
const STRICT_TRANSPORT = 'max-age=31536000';

export function registerCommonHeaders(app: FastifyInstance): void {
  app.decorateRequest<Caller>('caller', null as unknown as Caller);
  app.decorateRequest('failureCode', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    if (request.protocol === 'https') reply.header('strict-transport-security', STRICT_TRANSPORT);
  });
}

/** That a page of another origin may read, besides those that any page may read. */
const EXPOSED_HEADERS = [
  'x-request-id',
  'accept-encoding',
  'retry-after',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'etag',
  'repr-digest',
  'content-range',
  'content-disposition',
  'location',
  // Of tus 1.0 and of the resumable uploads of the IETF.
  'upload-offset',
  'upload-length',
  'upload-metadata',
  'upload-defer-length',
  'upload-concat',
  'upload-expires',
  'upload-complete',
  'upload-incomplete',
  'upload-limit',
  'upload-received',
  'upload-draft-interop-version',
  'want-repr-digest',
  'tus-resumable',
  'tus-version',
  'tus-extension',
  'tus-max-size',
  'tus-checksum-algorithm',
];

/** That a page of another origin may send. Those that a preflight asks for are allowed, too. */
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'content-digest',
  'content-encoding',
  'repr-digest',
  'unencoded-digest',
  'x-requested-with',
  'x-request-id',
  'x-http-method-override',
  'tus-resumable',
  'upload-length',
  'upload-offset',
  'upload-metadata',
  'upload-defer-length',
  'upload-concat',
  'upload-checksum',
  'upload-complete',
  'upload-incomplete',
  'upload-parallel',
  'upload-draft-interop-version',
];

/** Stands before every hook that refuses a request, so that a page of another origin can read the refusal. */
export async function registerCors(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const fixed = {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 3600,
  };
  await app.register(cors, {
    delegator: ({ method, headers }, done) => {
      // Other OPTIONS requests are for the routes.
      const preflight = method === 'OPTIONS' && Boolean(headers.origin && headers['access-control-request-method']);
      const asked = headers['access-control-request-headers']?.toLowerCase().split(/ *, */) ?? [];
      done(null, { ...fixed, preflight, allowedHeaders: [...new Set([...ALLOWED_HEADERS, ...asked])] });
    },
  });
}

/** Refuses what no route takes, and identifies the caller. @param isStopping true once the server takes no new work. */
export function registerIdentity(
  app: FastifyInstance,
  services: Services,
  refuseUnrouted: RefuseUnrouted,
  isStopping: () => boolean,
): void {
  const failedLogins = new FailedLogins();
  app.addHook('onRequest', async (request, reply) => {
    if (isStopping()) {
      reply.header('connection', 'close');
      throw new UploadError('shutting_down', 'The server is stopping.');
    }
    assertOneHost(request.raw);
    // Before Fastify reads a body that no route takes.
    if (request.is404) refuseUnrouted(request, reply);
    const { scope, identifies } = request.routeOptions.config;
    if (!scope && !(identifies && request.headers.authorization !== undefined)) return;
    request.caller = await identify(request, services).catch((error: unknown) => {
      throw failedLogins.note(request.ip, error);
    });
    refuseEntityTags(request.method, request.headers);
  });
}

/** Asks for the body where the route does not read it itself, and reads the rest of a body after an early answer. */
export function registerBodies(app: FastifyInstance, bodyIdleTimeoutMs: number): void {
  app.addHook('preParsing', async (request, reply) => {
    if (request.routeOptions.config.rawBody) return;
    continueBody(request.raw, reply.raw);
    limitBodyTime(request.raw, bodyIdleTimeoutMs);
  });
  app.addHook('onSend', async (request, reply) => drainBody(request, reply));
}

/** Logs and counts every request when its answer is sent. */
export function registerRequestLog(app: FastifyInstance, { metrics }: Services, isStopping: () => boolean): void {
  app.addHook('onResponse', async (request, reply) => {
    const seconds = reply.elapsedTime / 1000;
    const route = request.routeOptions.url ?? '(none)';
    metrics.noteRequest({ method: request.method, route, status: reply.statusCode, seconds });
    request.log.info(
      { method: request.method, route, ...namedIds(request.params), status: reply.statusCode, seconds },
      'request',
    );
    if (isStopping()) setImmediate(() => app.server.closeIdleConnections());
  });
}

/** Reads and drops the part of the body that has not arrived when the request is answered. */
export function drainBody({ raw }: FastifyRequest, reply: FastifyReply): void {
  const body = bodyOf(raw);
  if (isUncontinued(raw)) reply.header('connection', 'close');
  if (!body.complete) linger(raw.socket, body.drain());
}

/** RFC 9112 section 3.2. @throws UploadError `invalid_request`. */
function assertOneHost({ headersDistinct, httpVersion }: IncomingMessage): void {
  const hosts = headersDistinct.host?.length ?? 0;
  if (hosts > 1) throw new UploadError('invalid_request', 'The request has more than one Host (RFC 9112 section 3.2).');
  if (hosts === 0 && httpVersion === '1.1') {
    throw new UploadError('invalid_request', 'The request has no Host (RFC 9112 section 3.2).');
  }
}

/** The ids in a path by their names, which is all that a log line may hold of a URL. */
function namedIds(params: unknown): Record<string, string | undefined> {
  const { upload_id, idx, file_id } = params as Record<string, string | undefined>;
  return { upload_id, part: idx, file_id };
}
