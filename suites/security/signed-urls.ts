/** A server, an owner who signs URLs, and a caller without a token who uses them. */
import assert from 'node:assert/strict';
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { type Answer, type Call, callAs, callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

export interface SignedPart {
  readonly part: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const server = await startServer();

export const owner = callAs(server, { sub: 'owner' });

export const withoutToken = callWith(server, {});

export async function signParts(call: Call, { upload_id }: UploadRecord, body: object): Promise<SignedPart[]> {
  const answer = await call('POST', `/uploads/${upload_id}/sign`, { json: body });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<{ urls: SignedPart[] }>().urls;
}

export async function signPart(upload: UploadRecord, part: number): Promise<URL> {
  const [signed] = await signParts(owner, upload, { parts: [[part, part]] });
  return new URL(signed?.url as string);
}

export async function signFile({ file_id }: FileRecord, body?: object): Promise<URL> {
  const answer = await owner('POST', `/files/${file_id}/sign`, body === undefined ? {} : { json: body });
  assert.equal(answer.status, 200, answer.body.toString());
  return new URL(answer.json<{ url: string }>().url);
}

export async function send(url: URL, method: string, body?: Uint8Array, headers: Record<string, string> = {}) {
  return await withoutToken(method, url.pathname + url.search, { headers, ...(body ? { body } : {}) });
}

/** The same URL but for one parameter. */
export function alter(url: URL, name: string, change: (value: string) => string): URL {
  const altered = new URL(url);
  altered.searchParams.set(name, change(url.searchParams.get(name) as string));
  assert.notEqual(altered.search, url.search);
  return altered;
}

export function assertRefused(answer: Answer, what: string, code: ErrorCode = 'signature_invalid'): void {
  assert.equal(assertFailure(answer, code).code, code, what);
}
