/** Steps of an upload that tests of something else take for granted. */
import assert from 'node:assert/strict';
import type { FilePage, FileRecord, InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import { MIN_PART_BYTES } from '../server-under-test.ts';
import { digestHeader, makeMrc } from './sample.ts';
import type { Answer, Call, Extra } from './wire.ts';

/** The part size that tests request: the smallest, so that small files have many parts. */
export const PART_BYTES = MIN_PART_BYTES;

/** The init request; `part_size` requests the smallest size. */
export function initRequest(fields: Partial<InitRequest> = {}): InitRequest {
  return { filename: 'movie.mrc', size: 3 * PART_BYTES + 100, part_size: PART_BYTES, ...fields };
}

export async function open(call: Call, fields: Partial<InitRequest> = {}): Promise<UploadRecord> {
  const answer = await call('POST', '/uploads/init', { json: initRequest(fields) });
  assert.equal(answer.status, 201, answer.body.toString());
  return answer.json<UploadRecord>();
}

/** A new upload of a new file of `partCount` parts, the last one short, and the file. */
export async function openSample(call: Call, partCount = 4, fields: Partial<InitRequest> = {}) {
  const bytes = makeMrc((partCount - 1) * PART_BYTES + 1500);
  const upload = await open(call, { size: bytes.length, ...fields });
  assert.equal(upload.part_count, partCount);
  return { upload, bytes };
}

export function cutPart(bytes: Uint8Array, upload: UploadRecord, idx: number): Buffer {
  return Buffer.from(bytes.subarray(idx * upload.part_size, (idx + 1) * upload.part_size));
}

export function partPath(upload: Pick<UploadRecord, 'upload_id'>, idx: number | string): string {
  return `/uploads/${upload.upload_id}/part/${idx}`;
}

/** Sends part `idx` of a file, with its digest. */
export async function put(call: Call, upload: UploadRecord, idx: number, bytes: Uint8Array): Promise<Answer> {
  return await putBody(call, upload, idx, cutPart(bytes, upload, idx));
}

/** Sends these bytes as part `idx`, with their digest unless the headers give another. */
export async function putBody(
  call: Call,
  upload: UploadRecord,
  idx: number | string,
  body: Uint8Array,
  headers: Extra['headers'] = { 'content-digest': digestHeader(body) },
): Promise<Answer> {
  return await call('PUT', partPath(upload, idx), { body, headers });
}

export async function putAll(call: Call, upload: UploadRecord, bytes: Uint8Array): Promise<void> {
  for (let idx = 0; idx < upload.part_count; idx++) {
    const answer = await put(call, upload, idx, bytes);
    assert.ok(answer.status === 201 || answer.status === 200, answer.body.toString());
  }
}

export async function readUploadRecord(
  call: Call,
  { upload_id }: Pick<UploadRecord, 'upload_id'>,
): Promise<UploadRecord> {
  const answer = await call('GET', `/uploads/${upload_id}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<UploadRecord>();
}

/** Completes, and repeats that as long as the server is still verifying. */
export async function completeOnce(
  call: Call,
  { upload_id }: Pick<UploadRecord, 'upload_id'>,
  body?: unknown,
): Promise<Answer> {
  for (;;) {
    const answer = await call('POST', `/uploads/${upload_id}/complete`, body === undefined ? {} : { json: body });
    if (answer.status !== 202) return answer;
    assert.equal(answer.json<UploadRecord>().status, 'verifying');
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
  }
}

/** Completes, and repeats that until the file has its SHA-256, which some storages compute after the publish. */
export async function complete(call: Call, upload: Pick<UploadRecord, 'upload_id'>, body?: unknown): Promise<Answer> {
  return await eventually(
    () => completeOnce(call, upload, body),
    (answer) => answer.status !== 200 || answer.json<FileRecord>().sha256 !== null,
  );
}

/** Uploads a whole file. */
export async function publish(call: Call, bytes: Uint8Array, fields: Partial<InitRequest> = {}): Promise<FileRecord> {
  const upload = await open(call, { size: bytes.length, ...fields });
  await putAll(call, upload, bytes);
  const answer = await complete(call, upload);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<FileRecord>();
}

export async function listFiles(call: Call): Promise<FileRecord[]> {
  return (await call('GET', '/files')).json<FilePage>().items;
}

/** Runs `act` and asserts that the upload is afterwards as it was before. */
export async function keepsUpload<T>(call: Call, upload: UploadRecord, act: () => Promise<T>): Promise<T> {
  const before = await readUploadRecord(call, upload);
  const result = await act();
  assert.deepEqual(await readUploadRecord(call, upload), before);
  return result;
}

/** On a machine that is busy with other things, too. */
const PATIENCE_MS = 90_000;

/** Asks again and again until the answer is what a test waits for; for what the server does in its own time. */
export async function eventually<T>(ask: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await ask();
    if (isThere(value)) return value;
    assert.ok(Date.now() < deadlineMs, `still ${JSON.stringify(value)} after ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
