/// <reference lib="dom" />
/**
 * Requests over XMLHttpRequest, in a page or a worker, with a watchdog for stalled requests. It is the only API of
 * browsers that reports how much of a body was sent.
 */
import { ConnectionError } from '../failures.ts';
import type { Transport, WireReply, WireRequest } from '../ports.ts';

/** A connection on which no byte of a body can be sent for this time is closed. */
const STALL_MS = 20_000;
/** The time to wait for an answer: `complete` waits 20 s for a digest. */
const REPLY_MS = 90_000;
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/**
 * Larger bodies are sent as a Blob, because a Chromium tab crashes on an array of 256 MiB. As an array, a body takes
 * half the time and leaves the browser's memory sooner.
 */
const MAX_ARRAY_BYTES = 32 * 1024 * 1024;

export interface XhrTransportOptions {
  /**
   * The request is aborted when no byte of the body is sent, or no byte of a started answer arrives, for this time.
   */
  readonly stallMs?: number | undefined;
  /** A sent request without an answer is aborted after this time, milliseconds. */
  readonly replyMs?: number | undefined;
}

/**
 * `expectContinue` has no effect: browsers do not offer it. They copy a body when it is sent. A reply longer than
 * `maxReplyBytes` has no body, because browsers deliver a body as a whole.
 *
 * Over HTTP/1.1 a browser holds six connections per server for all tabs, and queues further requests. Use `parallel: 4`
 * for an Uploader, so that two remain for short calls and events. Where the server has further origins, `partOrigins` with
 * `parallel: 5` uses connections to them, too.
 */
export class XhrTransport implements Transport {
  readonly #base: URL;
  readonly #stallMs: number;
  readonly #replyMs: number;
  /**
   * When any connection last sent a byte. A request that the browser queues has not stalled while others make progress.
   */
  #movedMs = 0;

  /** @param server its URL; a path in it is kept in front of every call. */
  constructor(server: string, { stallMs = STALL_MS, replyMs = REPLY_MS }: XhrTransportOptions = {}) {
    this.#base = new URL(server.endsWith('/') ? server : `${server}/`);
    this.#stallMs = stallMs;
    this.#replyMs = replyMs;
  }

  async send(wire: WireRequest): Promise<WireReply> {
    const body = await wrap(wire.body);
    wire.signal?.throwIfAborted();
    const xhr = new XMLHttpRequest();
    xhr.open(wire.method, new URL(wire.path.replace(/^\//, ''), this.#base));
    xhr.responseType = 'arraybuffer';
    for (const [name, value] of Object.entries(wire.headers)) xhr.setRequestHeader(name, value);
    const watchdog = new Watchdog(xhr);
    const onAbort = () => watchdog.giveUp('the request was aborted');
    wire.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const replied = this.#nextReply(xhr, wire.maxReplyBytes ?? MAX_REPLY_BYTES, watchdog);
      if (wire.body) this.#watchBody(xhr, wire, watchdog);
      else watchdog.expect('no answer arrived', this.#replyMs);
      xhr.send(body);
      return await replied;
    } finally {
      watchdog.stop();
      wire.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves on the `online` event. */
  async whenOnline(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    globalThis.addEventListener('online', () => resolve(), { once: true, signal });
    await promise;
  }

  #watchBody(xhr: XMLHttpRequest, wire: WireRequest, watchdog: Watchdog): void {
    const startedMs = performance.now();
    let sent = 0;
    const idleMs = () => (sent === 0 ? performance.now() - this.#movedMs : this.#stallMs);
    const expectMore = () => watchdog.expect('no bytes could be sent', this.#stallMs, idleMs);
    const onProgress = ({ loaded }: ProgressEvent) => {
      if (loaded <= sent) return;
      const more = loaded - sent;
      sent = loaded;
      this.#movedMs = performance.now();
      expectMore();
      wire.onSent?.(more);
    };
    xhr.upload.onprogress = onProgress;
    xhr.upload.onload = (event) => {
      onProgress(event);
      // The last bytes in the system's buffers may need as long as the whole body needed so far.
      watchdog.expect('no answer arrived', this.#replyMs + performance.now() - startedMs);
    };
    expectMore();
  }

  #nextReply(xhr: XMLHttpRequest, maxBytes: number, watchdog: Watchdog): Promise<WireReply> {
    const { promise, resolve, reject } = Promise.withResolvers<WireReply>();
    const describe = (body: Uint8Array) => ({ status: xhr.status, headers: readHeaders(xhr), body });
    xhr.onprogress = ({ loaded }) => {
      if (loaded > maxBytes) {
        resolve(describe(new Uint8Array()));
        xhr.abort();
      } else {
        watchdog.expect('the answer stalled', this.#stallMs);
      }
    };
    xhr.onload = () => resolve(describe(new Uint8Array(xhr.response as ArrayBuffer)));
    xhr.onabort = () => reject(watchdog.reason);
    // A page receives no details. An untrusted certificate and a refused origin give the same error.
    xhr.onerror = () => reject(new ConnectionError('no connection to the server', { offline: !navigator.onLine }));
    return promise;
  }
}

/** Ends a request without progress. */
class Watchdog {
  readonly #xhr: XMLHttpRequest;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The reason for ending the request. */
  reason: ConnectionError | null = null;

  constructor(xhr: XMLHttpRequest) {
    this.#xhr = xhr;
  }

  /** Reports progress; the next must follow within `ms`. @param idleMs returns the time without progress. */
  expect(otherwise: string, ms: number, idleMs = () => ms, waitMs = ms): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const moreMs = ms - idleMs();
      if (moreMs > 0) this.expect(otherwise, ms, idleMs, moreMs);
      else this.giveUp(`${otherwise} for ${Math.round(ms / 1000)} s`);
    }, waitMs);
  }

  giveUp(reason: string): void {
    this.reason = new ConnectionError(reason);
    this.#xhr.abort();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** The browser reads the bytes of a lazy body itself. */
async function wrap(body: WireRequest['body']): Promise<Uint8Array<ArrayBuffer> | Blob | null> {
  if (!body) return null;
  if (!(body instanceof Uint8Array)) {
    if (body.blob) return body.blob;
    const bytes = new Uint8Array(body.length);
    await body.fill(0, bytes);
    return wrap(bytes);
  }
  const bytes = body as Uint8Array<ArrayBuffer>;
  return bytes.length > MAX_ARRAY_BYTES ? new Blob([bytes]) : bytes;
}

function readHeaders(xhr: XMLHttpRequest): Record<string, string> {
  const lines = xhr.getAllResponseHeaders().split('\r\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
