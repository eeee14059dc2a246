/**
 * Answers every failure with the error envelope, also failures that Fastify or Node's parser find before a handler
 * runs.
 */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, UploadError } from '@cryolift/protocol/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../ops/metrics.ts';
import { Drain } from './connection/drain.ts';
import { STATUS_CODES } from './node-http.ts';
import { newRequestId } from './request-id.ts';

/** The client closed the connection in the middle of its request, so no answer can be sent. */
export class ClientGone extends Error {}

/** How long an anonymous connection may go on sending after its answer. */
const LINGER_MS = 1_000;
/** Seconds, for errors that do not set `retryAfterSeconds`. */
const RETRY_AFTER: Partial<Record<ErrorCode, number>> = {
  rate_limited: 1,
  storage_unavailable: 5,
  database_unavailable: 5,
  shutting_down: 5,
  overloaded: 1,
  insufficient_storage: 60,
};

/** Sends the answer of a failed request. */
export type SendFailure = (failure: UploadError, request: FastifyRequest, reply: FastifyReply) => void;

/**
 * Answers a failed request. Unexpected errors are logged with their stack and answered as `internal`.
 *
 * @param send for a protocol that gives errors a form of its own.
 */
export function createFailureHandler(metrics: Metrics, send: SendFailure = sendFailure) {
  return (error: FastifyError | UploadError | ClientGone, request: FastifyRequest, reply: FastifyReply): void => {
    if (error instanceof ClientGone) {
      request.raw.socket.destroy();
      return;
    }
    const failure = error instanceof UploadError ? error : translate(error);
    if (failure.code === 'internal') request.log.error({ err: error }, 'unexpected error');
    else if (failure.status >= 500 && (failure.cause || failure.code === 'storage_unavailable')) {
      request.log.error({ err: failure.cause ?? failure }, failure.message);
    }
    metrics.noteError(failure.code);
    request.failureCode = failure.code;
    send(failure, request, reply);
  };
}

function sendFailure(failure: UploadError, request: FastifyRequest, reply: FastifyReply): void {
  setFailureHeaders(failure, request, reply);
  reply.code(failure.status).type('application/json').serializer(JSON.stringify).send(failure.toEnvelope(request.id));
}

/** Sets what a client needs beside the envelope. */
export function setFailureHeaders(failure: UploadError, request: FastifyRequest, reply: FastifyReply): void {
  // Fastify may refuse a request before any hook has run.
  reply.header('x-request-id', request.id).header('cache-control', 'no-store');
  const retryAfter = failure.retryAfterSeconds ?? RETRY_AFTER[failure.code];
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  // RFC 6750 section 3.
  if (failure.code === 'unauthenticated') {
    // RFC 6750 section 3.1: `error` only when the request had a token.
    const sent = request.headers.authorization !== undefined;
    reply.header('www-authenticate', sent ? 'Bearer error="invalid_token"' : 'Bearer');
  }
  if (failure.code === 'token_expired') reply.header('www-authenticate', 'Bearer error="invalid_token"');
}

/** Translates the errors of Fastify: a body that is not JSON, or does not match the schema. */
function translate(error: FastifyError): UploadError {
  if (error.validation?.[0]?.instancePath === '/filename' && error.validation[0].keyword === 'maxLength') {
    return new UploadError('invalid_filename', 'The file name has more than 255 bytes.');
  }
  const unknown = error.validation?.[0]?.params.additionalProperty;
  if (error.validationContext === 'querystring' && unknown !== undefined) {
    const name = JSON.stringify(String(unknown).slice(0, 64));
    return new UploadError('invalid_request', `The request is not valid: this call has no query parameter ${name}.`);
  }
  if (error.validation) return new UploadError('invalid_request', `The request is not valid: ${error.message}.`);
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new UploadError('invalid_request', 'The body needs Content-Type: application/json.');
  }
  const status = error.statusCode ?? 500;
  // @fastify/static: the conditions of RFC 9110 section 13, and a range outside the file.
  if (status === 412) return new UploadError('precondition_failed', 'A condition of the request does not match.');
  if (status === 416) return new UploadError('range_not_satisfiable', 'The file ends before this range.');
  if (error.code === 'FST_ERR_BAD_URL' || error.code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new UploadError('not_found', 'This path does not exist.');
  }
  // Errors of the Web platform have numbers for codes.
  if (String(error.code).startsWith('FST_') && status >= 400 && status < 500) {
    return new UploadError('invalid_request', error.message);
  }
  // secure-json-parse and JSON.parse, as Fastify marks them.
  if (status === 400) return new UploadError('invalid_request', 'The body is not JSON.');
  return new UploadError('internal', 'The server had an unexpected error.', { cause: error });
}

/**
 * Answers a request that Node's parser has refused: malformed HTTP, or a head that is too long or too slow.
 *
 * @param owed the last answer to an earlier request of the connection that has not been sent: it is sent first.
 */
export function answerParserError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  owed: ServerResponse | undefined,
): void {
  if (error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  // The connection is answered already; the rest is read and dropped.
  if (socket.writableEnded) return;
  const failure =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new UploadError('body_timeout', 'The request did not arrive in time.')
      : new UploadError('invalid_request', `The request is not valid HTTP (${error.code ?? 'unknown'}).`);
  if (owed?.req.complete && !owed.writableFinished) owed.once('finish', () => answerOnSocket(socket, failure));
  else answerOnSocket(socket, failure);
}

/** Answers on the socket and closes it: for bytes that never become a request, or stall before they do. */
export function answerOnSocket(socket: Duplex, failure: UploadError, headers: readonly string[] = []): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const id = newRequestId();
  const body = JSON.stringify(failure.toEnvelope(id));
  const head = [
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}`,
    'Content-Type: application/json',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
    ...headers,
  ];
  // Node has removed its listeners from some of these sockets. An 'error' event without a listener would end the process.
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const drain = new Drain(() => socket.destroy(), LINGER_MS);
  socket.on('data', (bytes: Buffer) => drain.note(bytes.length)).once('close', () => drain.end());
  socket.resume();
}
