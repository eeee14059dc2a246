/** Requests over `node:http` and `node:https`, with kept connections and a watchdog for stalled requests. */
import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError, SourceError } from '../failures.ts';
import type { LazyBody, Transport, WireReply, WireRequest } from '../ports.ts';
import { createAgent, describeWay } from './agent.ts';
import { toConnectionError } from './connection-failure.ts';
import { httpRequest } from './node-http.ts';

/** Bodies are written in chunks of this size. A connection that sends one within the stall time has not stalled. */
const PIECE_BYTES = 64 * 1024;
/** A chunk that is sent within this time is followed by larger ones, which need less CPU time. */
const QUICK_MS = 50;
const LARGE_PIECE_BYTES = 256 * 1024;
/** A connection on which no byte of a body can be sent for this time is closed. */
const STALL_MS = 20_000;
/** The time to wait for an answer, as a multiple of the stall time: `complete` waits 20 s for a digest. */
const REPLY_STALLS = 4.5;
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** How long to wait for `100 Continue` before the body is sent anyway (RFC 9110 section 10.1.1). */
const CONTINUE_MS = 5_000;

export interface HttpTransportOptions {
  /**
   * The request is given up when no connection is made, no byte of the body is taken, or no byte of a started answer
   * arrives, for this time.
   */
  readonly stallMs?: number | undefined;
  /** Awaited before this number of bytes of a body is sent: the bandwidth limit. */
  readonly pace?: ((bytes: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** The URL of the proxy for the server, if any. Environment variables are not read. */
  readonly proxy?: URL | null | undefined;
}

export class HttpTransport implements Transport {
  readonly #base: URL;
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  readonly #stallMs: number;
  readonly #pace: HttpTransportOptions['pace'];
  readonly #proxy: URL | null;

  /** @param server its URL; a path in it is kept in front of every call. */
  constructor(server: string, { stallMs = STALL_MS, pace, proxy = null }: HttpTransportOptions = {}) {
    this.#base = new URL(server.endsWith('/') ? server : `${server}/`);
    this.#stallMs = stallMs;
    this.#pace = pace;
    this.#proxy = proxy;
    this.#agent = createAgent(this.#base, proxy);
    this.#request = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
  }

  async send(wire: WireRequest): Promise<WireReply> {
    wire.signal?.throwIfAborted();
    const way = describeWay(this.#base, this.#proxy);
    const url = new URL(wire.path.replace(/^\//, ''), this.#base);
    const request = this.#request(url, {
      method: wire.method,
      agent: this.#agent,
      headers: {
        ...wire.headers,
        ...(wire.body ? { 'content-length': String(wire.body.length) } : {}),
        ...(wire.expectContinue ? { expect: '100-continue' } : {}),
      },
    });
    // No write is pending then, also no aborted one: the body is not read any more.
    const closed = new Promise((resolve) => request.once('close', resolve));
    const watchdog = new Watchdog(request, this.#stallMs, way);
    const onAbort = () => watchdog.giveUp('the request was aborted');
    wire.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const replied = nextReply(request, way);
      await connected(request, watchdog);
      const startedMs = performance.now();
      await sendBody(request, wire, watchdog, this.#pace);
      // The last bytes in the system's buffers may need as long as the whole body needed so far.
      watchdog.expect('no answer arrived', this.#stallMs * REPLY_STALLS + (performance.now() - startedMs));
      const response = await replied;
      const body = await readBody(response, wire.maxReplyBytes ?? MAX_REPLY_BYTES, watchdog);
      if (!request.writableFinished) request.destroy();
      return { status: response.statusCode ?? 0, headers: flatten(response), body, from: way };
    } catch (cause) {
      request.destroy();
      if (watchdog.reason) throw watchdog.reason;
      if (cause instanceof ConnectionError || cause instanceof SourceError) throw cause;
      throw toConnectionError(cause, this.#base, this.#proxy);
    } finally {
      await closed;
      watchdog.stop();
      wire.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Ends a request without progress. */
class Watchdog {
  readonly #request: ClientRequest;
  readonly #stallMs: number;
  readonly #way: string;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** The reason for ending the request. */
  reason: ConnectionError | null = null;

  /** @param way description of the connection for messages. */
  constructor(request: ClientRequest, stallMs: number, way: string) {
    this.#request = request;
    this.#stallMs = stallMs;
    this.#way = way;
  }

  /** Aborted when the request is over. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Reports progress; the next must follow within `ms`. */
  expect(otherwise: string, ms = this.#stallMs): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.giveUp(`${otherwise} for ${Math.round(ms / 1000)} s`), ms);
  }

  /** No progress is expected. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  giveUp(reason: string): void {
    this.reason = new ConnectionError(`${this.#way}: ${reason}`);
    this.#request.destroy(this.reason);
    this.#over.abort(this.reason);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#over.abort();
  }
}

/** @param way description of the connection for messages. */
function nextReply(request: ClientRequest, way: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request
    .once('response', resolve)
    .on('error', reject)
    .once('close', () => reject(new ConnectionError(`${way}: the connection was closed`)));
  // The caller may await it later.
  promise.catch(() => {});
  return promise;
}

/** Does not throw: a request without a connection has no reply either. */
async function connected(request: ClientRequest, watchdog: Watchdog): Promise<void> {
  watchdog.expect('no connection was made');
  if (!request.socket) await nextOf(request, 'socket', 'close');
  const { socket } = request;
  if (!socket?.connecting) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('connect', resolve).once('close', resolve);
  await promise;
}

/** Ends early when an answer arrives before the end of the body. */
async function sendBody(
  request: ClientRequest,
  wire: WireRequest,
  watchdog: Watchdog,
  pace: HttpTransportOptions['pace'],
): Promise<void> {
  if (!wire.body) {
    request.end();
    return;
  }
  // No connection was made: no more events follow.
  if (request.destroyed) return;
  let answered = false;
  request.once('response', () => {
    answered = true;
  });
  if (wire.expectContinue) {
    request.flushHeaders();
    const waited = new AbortController();
    const late = sleep(CONTINUE_MS, undefined, { signal: waited.signal }).catch(() => {});
    await Promise.race([nextOf(request, 'continue', 'response', 'close'), late]);
    waited.abort();
  }
  const isOver = () => answered || request.destroyed;
  // The body may wait for the bandwidth limit, and a token of the head must not end meanwhile.
  if (pace) request.flushHeaders();
  let pieceBytes = PIECE_BYTES;
  for (let at = 0; at < wire.body.length && !isOver(); ) {
    watchdog.rest();
    const piece = await takePiece(wire.body, at, pieceBytes);
    if (isOver()) break;
    at += piece.length;
    if (pace) {
      await pace(piece.length, watchdog.over);
      if (isOver()) break;
    }
    watchdog.expect('no bytes could be sent');
    const startedMs = performance.now();
    if (!request.write(piece)) await nextOf(request, 'drain', 'response', 'close');
    wire.onSent?.(piece.length);
    pieceBytes = !pace && performance.now() - startedMs < QUICK_MS ? LARGE_PIECE_BYTES : PIECE_BYTES;
  }
  if (!answered) request.end();
}

/**
 * @returns the next bytes of a body. The bytes of a lazy body are read into new memory, which the request keeps for
 * some time.
 */
async function takePiece(body: Uint8Array | LazyBody, at: number, most: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body.subarray(at, at + most);
  const piece = new Uint8Array(Math.min(most, body.length - at));
  await body.fill(at, piece);
  return piece;
}

/** Resolves with the first of these events. */
function nextOf(request: ClientRequest, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
  });
}

async function readBody(response: IncomingMessage, maxBytes: number, watchdog: Watchdog): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop closes the connection.
    if (length > maxBytes) return Buffer.concat(chunks, maxBytes);
    watchdog.expect('the answer stalled');
  }
  return Buffer.concat(chunks);
}

function flatten(response: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
