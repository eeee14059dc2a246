/** Calls with a token and a JSON body, answered by a message of a known shape. */
import { foreignReply, ServerError } from '../failures.ts';
import { orAborted } from '../pacing/retry-policy.ts';
import type { Transport, WireReply, WireRequest } from '../ports.ts';
import { readRetryAfter } from './retry-after.ts';
import { isEnvelope, type Shape } from './shapes.ts';

/**
 * @param renew the last token was refused: get another one.
 * @returns a promise that may take any time: a call that is aborted stops waiting for it.
 */
export type GetToken = (renew: boolean) => Promise<string>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export type SendOptions = CallOptions & Pick<WireRequest, 'body' | 'expectContinue' | 'maxReplyBytes' | 'onSent'>;

/**
 * Every method throws ServerError for an error answer, ConnectionError when no complete reply arrived,
 * ForeignReplyError for a reply that is not the server's, and the reason of its signal when that is aborted.
 */
export class AuthorizedTransport {
  readonly #transport: Transport;
  readonly #getToken: GetToken;

  constructor(transport: Transport, getToken: GetToken) {
    this.#transport = transport;
    this.#getToken = getToken;
  }

  /** @param renew the last token was refused. */
  async token(signal: AbortSignal | undefined, renew = false): Promise<string> {
    return await orAborted(this.#getToken(renew), signal);
  }

  /** Only 204 proves a deletion: a proxy may answer 200 with a page of its own. */
  async delete(path: string, options?: CallOptions): Promise<void> {
    const reply = await this.send('DELETE', path, options);
    if (reply.status !== 204) throw foreignReply(reply.status, reply.from);
  }

  async json<Message>(
    shape: Shape<Message>,
    method: string,
    path: string,
    body?: object,
    options: CallOptions = {},
  ): Promise<Message> {
    const sent = body === undefined ? options : { ...options, ...jsonBody(body, options.headers) };
    return parse(await this.send(method, path, sent), shape);
  }

  /** Sends with a token. A refused token is renewed once. */
  async send(method: string, path: string, options: SendOptions = {}, renew = false): Promise<WireReply> {
    const token = await this.token(options.signal, renew);
    const headers = { ...options.headers, authorization: `Bearer ${token}` };
    const reply = await this.#transport.send({ ...options, method, path, headers }).catch((error) => {
      // The transport throws another error than the reason for an aborted request.
      options.signal?.throwIfAborted();
      throw error;
    });
    if (reply.status < 400) return reply;
    const error = toServerError(reply);
    if (error.status === 401 && !renew) return await this.send(method, path, options, true);
    throw error;
  }
}

export function jsonBody(body: object, headers: Readonly<Record<string, string>> = {}) {
  return {
    body: new TextEncoder().encode(JSON.stringify(body)),
    headers: { ...headers, 'content-type': 'application/json' },
  };
}

export function parse<Message>(reply: WireReply, shape: Shape<Message>): Message {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder().decode(reply.body));
  } catch (cause) {
    throw foreignReply(reply.status, reply.from, cause);
  }
  if (shape(message)) return message;
  throw foreignReply(reply.status, reply.from);
}

function toServerError(reply: WireReply): ServerError {
  return new ServerError(reply.status, parse(reply, isEnvelope), retryAfterOf(reply));
}

export function retryAfterOf({ headers }: WireReply): number | null {
  return readRetryAfter(headers['retry-after'], headers.date);
}
