/** Servers on a bucket, and parts that are sent to it by signed URLs, for the tests of direct parts. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ConfirmedParts, SignedParts, UploadRecord } from '@cryolift/protocol/messages';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { cutPart, initRequest } from '../contract/upload.ts';
import { type Answer, type Call, callAs } from '../contract/wire.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { serviceAt } from './running-service.ts';
import { missingService } from './s3-service.ts';
import { findService } from './shared-service.ts';

const MIB = 1024 * 1024;
const PART_BYTES = 5 * MIB;
export const withService = { skip: missingService(), timeout: 300_000 };

/** @param endpoint of the service, when it is not its own. */
export async function settingsFor(prefix: string, endpoint?: string): Promise<Readonly<Record<string, string>>> {
  return (endpoint ? serviceAt(endpoint) : await findService()).settings(prefix);
}

export async function startOnBucket(
  t: TestContext,
  prefix: string,
  more: Record<string, string> = {},
): Promise<{ server: OwnServer; call: Call }> {
  const server = await startServer({ ...(await settingsFor(prefix)), ...more });
  t.after(() => server.discard());
  return { server, call: callAs(server, { sub: 'ada' }) };
}

/** An MRC file of `partCount` parts, the last one short, whose header the server has checked. */
export async function openLarge(call: Call, partCount: number) {
  const bytes = makeMrc((partCount - 1) * PART_BYTES + 1500);
  const header = bytes.subarray(0, 1024).toString('base64');
  const json = initRequest({ size: bytes.length, part_size: PART_BYTES, header });
  const answer = await call('POST', '/uploads/init', { json });
  assert.equal(answer.status, 201, answer.body.toString());
  const upload = answer.json<UploadRecord>();
  assert.deepEqual([upload.part_size, upload.part_count], [PART_BYTES, partCount]);
  return { upload, bytes };
}

export async function sign(
  call: Call,
  { upload_id }: UploadRecord,
  parts: readonly { part: number; sha256: string }[],
  expires_in?: number,
): Promise<SignedParts> {
  const json = { parts: parts.map(({ part }) => [part, part]), sha256: parts.map(({ sha256 }) => sha256), expires_in };
  const answer = await call('POST', `/uploads/${upload_id}/sign`, { json });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<SignedParts>();
}

/** Signs one part of a file for the bucket. */
export async function signOne(call: Call, upload: UploadRecord, idx: number, bytes: Uint8Array, expires_in?: number) {
  const digest = sha256Hex(cutPart(bytes, upload, idx));
  const [signed] = (await sign(call, upload, [{ part: idx, sha256: digest }], expires_in)).urls;
  assert.equal(signed?.direct, true);
  return signed as SignedParts['urls'][number];
}

/** Sends a body to the bucket. @returns its status and ETag. */
export async function sendDirect(
  { url, headers }: SignedParts['urls'][number],
  body: Uint8Array,
): Promise<{ status: number; etag: string }> {
  const { 'Content-Length': _, ...others } = headers;
  const answer = await fetch(url, { method: 'PUT', headers: others, body: Buffer.from(body) });
  await answer.arrayBuffer();
  return { status: answer.status, etag: answer.headers.get('etag') ?? '' };
}

/** Signs a part and sends it. @returns what is to be confirmed. */
export async function sendPart(call: Call, upload: UploadRecord, idx: number, bytes: Uint8Array) {
  const body = cutPart(bytes, upload, idx);
  const { status, etag } = await sendDirect(await signOne(call, upload, idx, bytes), body);
  assert.equal(status, 200);
  assert.notEqual(etag, '');
  return { part: idx, etag, sha256: sha256Hex(body) };
}

export async function tryConfirm(call: Call, { upload_id }: UploadRecord, claims: unknown): Promise<Answer> {
  return await call('POST', `/uploads/${upload_id}/parts/confirm`, { json: claims });
}

export async function confirm(call: Call, upload: UploadRecord, claims: unknown): Promise<ConfirmedParts> {
  const answer = await tryConfirm(call, upload, claims);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<ConfirmedParts>();
}
