/** The requests of a tus 1.0 client, by hand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { FilePage, FileRecord } from '@cryolift/protocol/messages';
import type { Target } from '../../server-under-test.ts';
import type { Answer } from '../answer.ts';
import type { Claims } from '../token.ts';
import { eventually } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

export const OFFSET_TYPE = 'application/offset+octet-stream';
const VERSION = { 'tus-resumable': '1.0.0' };

/** As `callAs`; every answer must carry the version of tus. */
export function tusAs(target: Target, claims: Claims = {}): Call {
  return asTus(callAs(target, claims));
}

export function asTus(call: Call): Call {
  return async (method, path, extra = {}) => {
    const answer = await call(method, path, { ...extra, headers: { ...VERSION, ...extra.headers } });
    if (path.startsWith('/tus')) assert.equal(answer.headers['tus-resumable'], '1.0.0', `${method} ${path}`);
    return answer;
  };
}

type Headers = Readonly<Record<string, string>>;

export function printMetadata(pairs: Headers): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** @returns the answer of POST. */
export async function post(call: Call, headers: Headers, body?: Uint8Array): Promise<Answer> {
  const type: Headers = body ? { 'content-type': OFFSET_TYPE } : { 'content-length': '0' };
  return await call('POST', '/tus', { headers: { ...type, ...headers }, ...(body ? { body } : {}) });
}

/** Starts an upload. @returns its path. */
export async function create(call: Call, headers: Headers, pairs: Headers = { filename: 'a.bin' }): Promise<string> {
  const metadata: Headers = Object.keys(pairs).length > 0 ? { 'upload-metadata': printMetadata(pairs) } : {};
  const answer = await post(call, { ...metadata, ...headers });
  assert.equal(answer.status, 201, answer.body.toString());
  return pathOf(answer);
}

export function pathOf({ headers }: Answer): string {
  const { location } = headers;
  assert.ok(location);
  const { pathname, search } = new URL(location, 'http://cryolift.test');
  return pathname + search;
}

export async function patch(
  call: Call,
  path: string,
  offset: number,
  body: Uint8Array,
  headers: Headers = {},
): Promise<Answer> {
  const own = { 'content-type': OFFSET_TYPE, 'upload-offset': String(offset) };
  return await call('PATCH', path, { headers: { ...own, ...headers }, body });
}

/** Sends all of a file in one PATCH. */
export async function send(call: Call, path: string, bytes: Uint8Array): Promise<void> {
  const answer = await patch(call, path, 0, bytes);
  assert.equal(answer.status, 204, answer.body.toString());
  assert.equal(answer.headers['upload-offset'], String(bytes.length));
}

export async function offsetOf(call: Call, path: string): Promise<number> {
  const answer = await call('HEAD', path);
  assert.equal(answer.status, 200);
  return Number(answer.headers['upload-offset']);
}

export function idOf(path: string): string {
  return /^\/tus\/([\w-]+)/.exec(path)?.[1] as string;
}

/** The file that a finished upload has become, with its bytes. */
export async function readFile(call: Call, path: string): Promise<{ file: FileRecord; bytes: Buffer }> {
  const listed = await eventually(
    async () => (await call('GET', '/files')).json<FilePage>().items,
    (items) => items.some(({ upload_id }) => upload_id === idOf(path)),
  );
  const file = listed.find(({ upload_id }) => upload_id === idOf(path)) as FileRecord;
  return { file, bytes: (await call('GET', `/files/${file.file_id}/content`)).body };
}

/** A value of Upload-Checksum. */
export function checksumOf(algorithm: string, bytes: Uint8Array): string {
  if (algorithm !== 'crc32') return `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`;
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return `crc32 ${digest.toString('base64')}`;
}
