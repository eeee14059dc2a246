/**
 * Refuses work while the server is overloaded, so that the other answers are not late. Four things are limited:
 * handlers that run, items of lists that they gather, bytes of bodies that have not arrived, and bytes of answers that
 * clients have not read.
 */
import { Readable } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { accountOf, type Caller, ownerAccountOf } from '../auth/caller.ts';
import { clientNetwork } from './client-network.ts';
import { FairShare } from './fair-share.ts';

/** Handlers that run. Less than the connections that one address may open (1,024 by default). */
const MAX_RUNNING = 512;
const MAX_RUNNING_PER_OWNER = 128;
/** Items of lists that are gathered. An item with the most metadata takes about 10 KiB of memory. */
const MAX_LISTED = 16_000;
const MAX_LISTED_PER_OWNER = 4_000;
const DEFAULT_LIST_ITEMS = 100;
/** Answers of this size or less, such as errors, are never refused. Bytes. */
const SMALL_ANSWER_BYTES = 16 * 1024;
const MAX_UNREAD_BYTES = 128 * 1024 * 1024;
const MAX_UNREAD_BYTES_PER_OWNER = 32 * 1024 * 1024;
/**
 * The memory of one streamed answer whose client does not read: two reads of a file (`STREAM_BYTES` of the storage), or
 * a batch of events.
 */
const STREAM_BYTES = 128 * 1024;
/** For callers without a token, who read files of the page. Bytes, for all of them and for one network. */
const MAX_ANONYMOUS_BYTES = 64 * 1024 * 1024;
const MAX_ANONYMOUS_BYTES_PER_NETWORK = 16 * 1024 * 1024;

/** JSON bodies of this size or less are never refused. Bytes. */
const SMALL_BODY_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_BODY_BYTES_PER_OWNER = 16 * 1024 * 1024;
/** Of a larger body, or one without a length where it may be larger: there is one of them at a time. */
const MAX_LARGE_BODY_BYTES = 100 * 1024 * 1024;

/** Must be registered before the routes. */
export function registerLoadShedder(app: FastifyInstance): void {
  const unread = new FairShare(MAX_UNREAD_BYTES, MAX_UNREAD_BYTES_PER_OWNER);
  limitHandlers(app, unread);
  limitBodies(app);
  limitAnswers(app, unread);
}

/** Limits how many handlers run, and how many items of lists they gather. */
function limitHandlers(app: FastifyInstance, unread: FairShare): void {
  const running = new FairShare(MAX_RUNNING, MAX_RUNNING_PER_OWNER);
  const listed = new FairShare(MAX_LISTED, MAX_LISTED_PER_OWNER);
  app.addHook('onRoute', (options) => {
    const { scope, identifies = false, isLong = false, isStreamed = false } = options.config ?? {};
    if (!(scope || identifies)) return;
    const { handler } = options;
    if (isStreamed) {
      // Refused before anything is opened for the stream.
      options.handler = async function (request, reply) {
        holdUnread(reply, takeFor(request.caller, unread, STREAM_BYTES));
        return await handler.call(this, request, reply);
      };
      return;
    }
    if (isLong) return;
    const isList = hasLimit(options.schema?.querystring);
    // Counted from when the caller is known and the body has arrived until the handler has ended, whether or not the client
    // reads the answer.
    options.handler = async function (request, reply) {
      if (!request.caller) return await handler.call(this, request, reply);
      const giveBack = takeFor(request.caller, running, 1);
      if (!giveBack) throw overloaded('The server is processing as many requests as it can.');
      try {
        const items = isList ? itemsOf(request) : 0;
        const giveBackItems = takeFor(request.caller, listed, items);
        if (!giveBackItems) throw overloaded('The server is reading as many items of lists as it can.');
        try {
          return await handler.call(this, request, reply);
        } finally {
          giveBackItems();
        }
      } finally {
        giveBack();
      }
    };
  });
}

/**
 * Limits the JSON bodies that Fastify holds in memory until they are complete. Runs before the client is asked for the
 * body.
 */
function limitBodies(app: FastifyInstance): void {
  const bodies = new FairShare(MAX_BODY_BYTES, MAX_BODY_BYTES_PER_OWNER);
  const largeBodies = new FairShare(MAX_LARGE_BODY_BYTES, MAX_LARGE_BODY_BYTES);
  app.addHook('onRoute', ({ method, url, bodyLimit = 0, config }) => {
    if (bodyLimit <= MAX_LARGE_BODY_BYTES || config?.rawBody) return;
    throw new Error(`${method} ${url}: a body of ${bodyLimit} bytes would always be refused.`);
  });
  app.addHook('preParsing', async (request, reply) => {
    const { config, bodyLimit } = request.routeOptions;
    if (!request.caller || config.rawBody) return;
    const bytes = announcedBytes(request, bodyLimit);
    // A body over the limit is refused without being read.
    if (bytes <= SMALL_BODY_BYTES || bytes > bodyLimit) return;
    const share = bytes > MAX_BODY_BYTES_PER_OWNER ? largeBodies : bodies;
    const giveBack = takeFor(request.caller, share, bytes);
    if (!giveBack) throw overloaded('Too many request bodies are in transit.');
    onceGone(reply, giveBack);
  });
}

/** Limits the bytes of answers that clients have not read. */
function limitAnswers(app: FastifyInstance, unread: FairShare): void {
  const anonymous = new FairShare(MAX_ANONYMOUS_BYTES, MAX_ANONYMOUS_BYTES_PER_NETWORK);
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    if (!request.caller) {
      // Texts and buffers are small, or all answers share them.
      if (payload instanceof Readable)
        holdUnread(reply, anonymous.take(clientNetwork(request.ip), STREAM_BYTES), payload);
      return;
    }
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0;
    if (bytes > SMALL_ANSWER_BYTES) holdUnread(reply, takeFor(request.caller, unread, bytes));
  });
}

function hasLimit(querystring: unknown): boolean {
  return (querystring as { properties?: { limit?: unknown } } | undefined)?.properties?.limit !== undefined;
}

/** @returns the most items that the page can have. */
function itemsOf({ query }: FastifyRequest): number {
  return (query as { limit?: number }).limit ?? DEFAULT_LIST_ITEMS;
}

function takeFor(caller: Caller, share: FairShare, amount: number): (() => void) | null {
  return share.take(accountOf(caller), amount, ownerAccountOf(caller));
}

/** @param giveBack null: the limit is reached. @param payload is not sent then. @throws UploadError `overloaded`. */
function holdUnread(reply: FastifyReply, giveBack: (() => void) | null, payload?: Readable): void {
  if (giveBack) {
    onceGone(reply, giveBack);
    return;
  }
  payload?.destroy();
  throw overloaded('Too many answers were not read by their clients.');
}

/** Calls back when the answer is sent, or the client has closed the connection. */
function onceGone({ raw }: FastifyReply, callback: () => void): void {
  // When the client closed the connection before this, there is no 'close' event any more.
  if (raw.destroyed) callback();
  else raw.once('close', callback);
}

/** @param maxBytes is returned for a body without a Content-Length. */
function announcedBytes({ headers }: FastifyRequest, maxBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return maxBytes;
  return Number(headers['content-length'] ?? 0);
}

function overloaded(message: string): UploadError {
  return new UploadError('overloaded', message, { retryAfterSeconds: 1 });
}
