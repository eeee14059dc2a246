/** HTTP requests for checks of protocols: each on a connection of its own, with interim answers, trailers and cuts. */
import assert from 'node:assert/strict';
import { type ClientRequest, request as startRequest } from 'node:http';
import type { Socket } from 'node:net';

/** A server that answers nothing for so long hangs. */
const SILENCE_MS = 30_000;

export type Fields = Readonly<Record<string, string>>;

export interface Outgoing {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers?: Fields;
  readonly body?: Uint8Array;
  /** Sends the body in chunks, without Content-Length. */
  readonly chunked?: boolean;
  /** Sent after a chunked body, and announced in `Trailer`. */
  readonly trailers?: Fields;
  /** Waits for `100 Continue` before the body. */
  readonly expect?: boolean;
}

interface Interim {
  readonly status: number;
  readonly headers: Fields;
}

export interface Answer extends Interim {
  readonly body: Buffer;
  /** 1xx answers before it, in order. */
  readonly interim: readonly Interim[];
}

/** @throws Error when no final answer comes. */
export async function exchange(outgoing: Outgoing): Promise<Answer> {
  const { request, answer } = begin(outgoing, outgoing.body?.length ?? 0);
  const { body, trailers, expect } = outgoing;
  const finish = () => {
    if (body) request.write(body);
    if (trailers) request.addTrailers(trailers);
    request.end();
  };
  if (expect) request.once('continue', finish).flushHeaders();
  else finish();
  return await answer;
}

export interface Unfinished {
  readonly answer: Promise<Answer>;
  readonly interim: readonly Interim[];
  write(bytes: Uint8Array): void;
  end(bytes?: Uint8Array): void;
  /** Ends the connection; `answer` is then rejected unless it has come. */
  cut(): void;
}

/** Sends the head and `sentBytes` of the body, whose Content-Length says all of it. */
export async function exchangePartly(outgoing: Outgoing, sentBytes: number): Promise<Unfinished> {
  const { body = new Uint8Array() } = outgoing;
  const { request, answer, interim } = begin(outgoing, body.length);
  answer.catch(() => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  request.write(body.subarray(0, sentBytes), () => resolve());
  request.once('close', resolve);
  await promise;
  return {
    answer,
    interim,
    write: (bytes) => void request.write(bytes),
    end: (bytes) => void (bytes ? request.end(bytes) : request.end()),
    cut: () => void (request.socket as Socket | null)?.destroy(),
  };
}

function begin({ method, url, headers = {}, body, chunked, trailers, expect }: Outgoing, lengthBytes: number) {
  const hasLength = !chunked && (body !== undefined || ['POST', 'PUT', 'PATCH'].includes(method));
  const request: ClientRequest = startRequest(url, {
    method,
    agent: false,
    timeout: SILENCE_MS,
    headers: {
      ...(hasLength ? { 'content-length': String(lengthBytes) } : {}),
      ...(chunked ? { 'transfer-encoding': 'chunked' } : {}),
      ...(trailers ? { trailer: Object.keys(trailers).join(', ') } : {}),
      ...(expect ? { expect: '100-continue' } : {}),
      ...headers,
    },
  });
  const interim: Interim[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const title = `${method} ${new URL(url).pathname}`;
  request.on('information', ({ statusCode, headers: fields }) => {
    interim.push({ status: statusCode, headers: toFields(fields) });
  });
  request.on('timeout', () => request.destroy(new Error(`no answer within ${SILENCE_MS} ms`)));
  request.on('error', (error) => reject(new Error(`${title}: ${error.message}`, { cause: error })));
  request.on('response', (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', reject);
    response.on('end', () => {
      const { statusCode = 0, headers: fields } = response;
      resolve({ status: statusCode, headers: toFields(fields), body: Buffer.concat(pieces), interim });
    });
  });
  return { request, answer: promise, interim };
}

function toFields(headers: NodeJS.Dict<string | string[] | number>): Fields {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return Object.fromEntries(entries);
}

/** @returns Upload-Offset of the answer to HEAD; NaN: it has none. */
export function offsetIn({ status, headers }: Pick<Answer, 'status' | 'headers'>): number {
  assert.ok(status === 200 || status === 204, `HEAD was answered ${status}`);
  return Number(headers['upload-offset'] ?? Number.NaN);
}
