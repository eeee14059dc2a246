/** A client of IETF resumable uploads by hand, in any version of the draft. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { FileRecord } from '@cryolift/protocol/messages';
import { MIN_PART_BYTES, type Target } from '../../server-under-test.ts';
import { assertEnvelope } from '../failure.ts';
import { sha256Hex } from '../sample.ts';
import { eventually } from '../upload.ts';
import { type Answer, Connection, printHead } from '../wire.ts';

export type Headers = Readonly<Record<string, string>>;

/** All that the server sends for one request. */
export interface Exchange {
  /** Answers of status 1xx, in their order. */
  readonly interim: readonly Answer[];
  readonly final: Answer;
}

export const PARTIAL_UPLOAD = 'application/partial-upload';
/** A part that is cut is kept as far as it came. A bucket cannot do that. */
export const KEEPS_CUT_PARTS = MIN_PART_BYTES < 1024 * 1024;
const PROBLEM = 'https://iana.org/assignments/http-problem-types#';

/** Sends requests as one owner. A later header of the same name wins. */
export type Send = (method: string, path: string, headers?: Headers, body?: Uint8Array) => Promise<Exchange>;

/** @param version of the draft; null: the client names none. */
export function sendAs(target: Target, version: number | null, claims: Parameters<Target['token']>[0] = {}): Send {
  const token = target.token({ sub: `owner-${randomUUID()}`, ...claims });
  return sendWith(target, { authorization: `Bearer ${token}`, ...versionHeader(version) });
}

export function sendWith(target: Pick<Target, 'url'>, common: Headers): Send {
  return async (method, path, headers = {}, body = new Uint8Array()) => {
    const connection = await Connection.open(target.url);
    try {
      const framed = headers['transfer-encoding'] !== undefined;
      const length = framed ? {} : { 'content-length': String(body.length) };
      connection.send(printHead(method, path, { ...length, ...common, ...headers }));
      if (body.length > 0) connection.send(body);
      return await readExchange(connection, method);
    } finally {
      connection.close();
    }
  };
}

export function versionHeader(version: number | null): Headers {
  return version === null ? {} : { 'upload-draft-interop-version': String(version) };
}

/** Reads answers up to the final one. */
export async function readExchange(connection: Connection, method: string): Promise<Exchange> {
  const interim: Answer[] = [];
  for (;;) {
    const answer = await connection.answer(method);
    if (answer.status >= 200) return { interim, final: answer };
    interim.push(answer);
  }
}

/** The path of a Location. */
export function pathOf(location: string | undefined): string {
  assert.ok(location, 'a Location is there');
  return location.replace(/^https?:\/\/[^/]+/, '');
}

/** Asserts that an answer is a problem with the fields of an error of Cryolift. @returns its members. */
export function assertProblem(
  answer: Answer,
  status: number,
  code: ErrorCode,
  type: string | null = null,
): Readonly<Record<string, unknown>> {
  const text = answer.body.toString();
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  const { type: uri, title, status: inside, detail, ...rest } = JSON.parse(text) as Record<string, unknown>;
  assert.equal(uri, type === null ? 'about:blank' : `${PROBLEM}${type}`);
  assert.ok(typeof title === 'string' && title !== '');
  assert.equal(inside, status);
  const { message, hint, retryable, request_id, details, ...members } = rest;
  assert.equal(detail, message);
  assert.equal(rest.code, code, text);
  assertEnvelope({ code, message, hint, retryable, request_id, ...(details ? { details } : {}) } as never);
  return members;
}

/** Asserts that an upload was answered with its file, and that the file is these bytes, also when its digest comes late. */
export async function assertPublished(send: Send, { final }: Exchange, bytes: Uint8Array): Promise<FileRecord> {
  assert.equal(final.status, 201, final.body.toString());
  const file = final.json<FileRecord>();
  assert.equal(file.size, bytes.length);
  assert.equal(final.headers['content-location'], `/files/${file.file_id}`);
  const digested = await eventually(
    async () => (await send('GET', `/files/${file.file_id}`)).final.json<FileRecord>(),
    ({ sha256 }) => sha256 !== null,
  );
  assert.equal(digested.sha256, sha256Hex(bytes));
  return file;
}
