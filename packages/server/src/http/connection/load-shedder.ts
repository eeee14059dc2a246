/**
 * Refuses work while there is more than can be done: a clear answer at once is better than all answers late. Four things are
 * bounded: handlers that run, items of lists that they gather, bytes of bodies that are still coming, and bytes of answers
 * that clients have not taken.
 */
import { Readable } from 'node:stream';
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { accountOf, type Caller, ownerAccountOf } from '../auth/caller.ts';
import { clientNetwork } from './client-network.ts';
import { FairShare } from './fair-share.ts';

/** Handlers at work: fewer than the connections that one address may open (1,024 by default). */
const MAX_RUNNING = 512;
const MAX_RUNNING_PER_OWNER = 128;
/** Items of lists that are gathered: an item with all the metadata that it may have takes some 10 KiB of memory. */
const MAX_LISTED = 16_000;
const MAX_LISTED_PER_OWNER = 4_000;
const USUAL_LIST_ITEMS = 100;
/** Answers of this size or less are never refused: errors are among them. Bytes. */
const SMALL_ANSWER_BYTES = 16 * 1024;
const MAX_UNREAD_BYTES = 128 * 1024 * 1024;
const MAX_UNREAD_BYTES_PER_OWNER = 32 * 1024 * 1024;
/**
 * What one answer that is streamed holds while its client takes nothing: two reads of a file (`STREAM_BYTES` of the store),
 * or a batch of events.
 */
const STREAM_BYTES = 128 * 1024;
/** Of callers who need no token: files of the page. Bytes, of all and of one network. */
const MAX_ANONYMOUS_BYTES = 64 * 1024 * 1024;
const MAX_ANONYMOUS_BYTES_PER_NETWORK = 16 * 1024 * 1024;

/** JSON bodies of this size or less are never refused. Bytes. */
const SMALL_BODY_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_BODY_BYTES_PER_OWNER = 16 * 1024 * 1024;

/** To be registered before the routes. */
export function registerLoadShedder(app: FastifyInstance): void {
  const running = new FairShare(MAX_RUNNING, MAX_RUNNING_PER_OWNER);
  const listed = new FairShare(MAX_LISTED, MAX_LISTED_PER_OWNER);
  const unread = new FairShare(MAX_UNREAD_BYTES, MAX_UNREAD_BYTES_PER_OWNER);
  const bodies = new FairShare(MAX_BODY_BYTES, MAX_BODY_BYTES_PER_OWNER);
  const anonymous = new FairShare(MAX_ANONYMOUS_BYTES, MAX_ANONYMOUS_BYTES_PER_NETWORK);

  app.addHook('onRoute', (options) => {
    const { scope, identifies = false, isLong = false, isStreamed = false } = options.config ?? {};
    if (!(scope || identifies)) return;
    const { handler } = options;
    if (isStreamed) {
      // Before anything is opened for it.
      options.handler = async function (request, reply) {
        holdUnread(reply, takeFor(request.caller, unread, STREAM_BYTES));
        return await handler.call(this, request, reply);
      };
      return;
    }
    if (isLong) return;
    const isList = hasLimit(options.schema?.querystring);
    // A place is taken when the caller is known and the body is there, and given back when the handler has ended, whether or
    // not the client takes the answer.
    options.handler = async function (request, reply) {
      if (!request.caller) return await handler.call(this, request, reply);
      const giveBack = takeFor(request.caller, running, 1);
      if (!giveBack) throw overloaded('The server has as many requests as it can work on.');
      try {
        const items = isList ? itemsOf(request) : 0;
        const giveBackItems = takeFor(request.caller, listed, items);
        if (!giveBackItems) throw overloaded('The server gathers as many items of lists as it can.');
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

  // Fastify holds a JSON body in memory until it is whole. Before the client is told to send it.
  app.addHook('preParsing', async (request, reply) => {
    const { config, bodyLimit } = request.routeOptions;
    if (!request.caller || config.rawBody) return;
    const bytes = announcedBytes(request, bodyLimit);
    // What is longer than the limit is refused without being read.
    if (bytes <= SMALL_BODY_BYTES || bytes > bodyLimit) return;
    const giveBack = takeFor(request.caller, bodies, bytes);
    if (!giveBack) throw overloaded('Too many bodies of requests are on their way.');
    onceGone(reply, giveBack);
  });

  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    if (!request.caller) {
      // Texts and buffers are small, or the same for all.
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

/** Of a page at most. */
function itemsOf({ query }: FastifyRequest): number {
  return (query as { limit?: number }).limit ?? USUAL_LIST_ITEMS;
}

function takeFor(caller: Caller, share: FairShare, amount: number): (() => void) | null {
  return share.take(accountOf(caller), amount, ownerAccountOf(caller));
}

/** @param giveBack null: there is no more. @param payload what is then not sent. @throws UploadError `overloaded`. */
function holdUnread(reply: FastifyReply, giveBack: (() => void) | null, payload?: Readable): void {
  if (giveBack) {
    onceGone(reply, giveBack);
    return;
  }
  payload?.destroy();
  throw overloaded('Too many answers of this server have not been read.');
}

/** Calls back when the answer is out, or the client has gone away. */
function onceGone({ raw }: FastifyReply, callback: () => void): void {
  // Of a client that went away before this, no other 'close' comes.
  if (raw.destroyed) callback();
  else raw.once('close', callback);
}

/** @param maxBytes of a body that does not say how long it is. */
function announcedBytes({ headers }: FastifyRequest, maxBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return maxBytes;
  return Number(headers['content-length'] ?? 0);
}

function overloaded(message: string): UploadError {
  return new UploadError('overloaded', message, { retryAfterSeconds: 1 });
}
