/** Requests whose head, body and answer are visible as separate steps. */
import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent } from '@cryolift/client/node';
import type { ErrorEnvelope } from '@cryolift/protocol/errors';

/** A connection without progress is closed after this time. Bytes in the system's buffers may take long to send. */
const STALL_MS = 60_000;
const PIECE_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly body: Buffer;
  /** When the request started, and when the head of the answer arrived, in milliseconds since 1970. */
  readonly startedMs: number;
  readonly answeredMs: number;
}

type Headers = Readonly<Record<string, string>>;

/** Requests to one server. Every request uses its own connection, so that requests do not affect each other. */
export class Wire {
  readonly base: URL;
  readonly #proxy: URL | null;
  readonly #signal: AbortSignal;

  /**
   * @param server its URL; a path in it is kept in front of every call.
   * @param proxy that leads to it.
   * @param signal ends every request.
   */
  constructor(server: string, proxy: URL | null, signal: AbortSignal) {
    this.base = new URL(server.endsWith('/') ? server : `${server}/`);
    this.#proxy = proxy;
    this.#signal = signal;
  }

  /** The same connection without the abort signal, for cleaning up. */
  uninterrupted(): Wire {
    return new Wire(this.base.href, this.#proxy, AbortSignal.timeout(STALL_MS));
  }

  /** Sends the head of a request. */
  begin(method: string, path: string, headers: Headers = {}): Exchange {
    const url = new URL(path.replace(/^\//, ''), this.base);
    return new Exchange(url, this.#proxy, method, headers, this.#signal);
  }

  /** Sends a whole request. */
  async ask(method: string, path: string, headers: Headers = {}, body: Uint8Array = new Uint8Array()): Promise<Answer> {
    const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
    return await this.begin(method, path, { ...headers, ...length }).finish(body);
  }

  async askJson(method: string, path: string, headers: Headers, json: object): Promise<Answer> {
    const body = Buffer.from(JSON.stringify(json));
    return await this.ask(method, path, { ...headers, 'content-type': 'application/json' }, body);
  }
}

/** One request under way. */
export class Exchange {
  /** Rejects with the system's error when the connection ends without an answer. */
  readonly answer: Promise<Answer>;
  /** Resolves when `100 Continue` comes; never, if it does not. */
  readonly continued: Promise<void>;
  readonly #request: ClientRequest;
  #settled = false;

  constructor(url: URL, proxy: URL | null, method: string, headers: Headers, signal: AbortSignal) {
    signal.throwIfAborted();
    const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
    // Keep-alive, as in uploads: with `Connection: close`, a reset may lose an early answer.
    const agent = createAgent(url, proxy);
    const startedMs = Date.now();
    this.#request = begin(url, { method, headers, agent });
    const onAbort = () => this.#request.destroy(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#request.setTimeout(STALL_MS, () =>
      this.#request.destroy(new Error(`no data moved for ${STALL_MS / 1000} s`)),
    );
    this.continued = new Promise((resolve) => this.#request.once('continue', resolve));
    this.answer = receive(this.#request, startedMs).finally(() => {
      this.#settled = true;
      agent.destroy();
      signal.removeEventListener('abort', onAbort);
    });
    // The caller that sends the body reads it later.
    this.answer.catch(() => {});
    this.#request.flushHeaders();
  }

  /** Sends a part of the body, until the answer arrives. */
  async send(body: Uint8Array): Promise<void> {
    for (let at = 0; at < body.length && !this.#settled; at += PIECE_BYTES) {
      if (this.#request.write(body.subarray(at, at + PIECE_BYTES))) continue;
      await Promise.race([new Promise((resolve) => this.#request.once('drain', resolve)), this.answer]);
    }
  }

  /** Sends the rest of the body. */
  async finish(body: Uint8Array = new Uint8Array()): Promise<Answer> {
    await this.send(body);
    if (!this.#settled) this.#request.end();
    return await this.answer;
  }

  /** @returns the answer when it comes within `ms`, else null. */
  async answerWithin(ms: number): Promise<Answer | null> {
    const done = new AbortController();
    const late = sleep(ms, null, { signal: done.signal }).catch(() => null);
    return await Promise.race([this.answer, late]).finally(() => done.abort());
  }

  /** Aborts the request. */
  drop(): void {
    this.#request.destroy();
  }
}

async function receive(request: ClientRequest, startedMs: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request.on('error', reject).once('close', () => reject(new Error('the connection ended without an answer')));
  request.once('response', (response) => {
    const answeredMs = Date.now();
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = () => {
      const { statusCode: status = 0, headers, httpVersion } = response;
      resolve({ status, headers, httpVersion, body: Buffer.concat(chunks), startedMs, answeredMs });
      if (!request.writableFinished) request.destroy();
    };
    response
      .on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) request.destroy();
      })
      .on('error', reject)
      .once('end', finish);
  });
  return await promise;
}

/** The JSON object of an answer; null when the body is something else. */
export function readJson(answer: Answer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(answer.body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The error envelope of a Cryolift server; null when the answer is not an error, or comes from something else. */
export function readFailure(answer: Answer): ErrorEnvelope | null {
  const value = readJson(answer);
  if (answer.status < 400 || typeof value?.code !== 'string' || typeof value.request_id !== 'string') return null;
  return value as unknown as ErrorEnvelope;
}
