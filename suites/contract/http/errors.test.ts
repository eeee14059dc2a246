/** Every code of the error table, produced by a request; `assertFailure` then checks the whole answer against the table. */
import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { ERROR_CODES, type ErrorCode } from '@cryolift/protocol/errors';
import type { DatasetRecord, ReceiptDocument } from '@cryolift/protocol/messages';
import { type OwnServer, type Settings, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { digestHeader, flipBit, makeMrc } from '../sample.ts';
import {
  complete,
  cutPart,
  eventually,
  initRequest,
  open,
  openSample,
  PART_BYTES,
  partPath,
  publish,
  put,
  putBody,
  readUploadRecord,
} from '../upload.ts';
import { type Answer, Connection, callAs, callWith, printHead } from '../wire.ts';

const server = await startServer({ CRYOLIFT_BODY_IDLE_TIMEOUT: '1s' });
after(() => server.discard());
const call = callAs(server, { sub: 'errs' });
const authorization = `Bearer ${server.token({ sub: 'errs' })}`;

/** A server with settings of its own, for one request. */
async function withServer(settings: Settings, use: (other: OwnServer) => Promise<Answer>): Promise<Answer> {
  const other = await startServer(settings);
  return await use(other).finally(() => other.discard());
}

const init = (fields: Parameters<typeof initRequest>[0]) =>
  call('POST', '/uploads/init', { json: initRequest(fields) });

/** @returns the path and query of a signed URL. */
async function signDownload(seconds: number): Promise<string> {
  const { file_id } = await publish(call, makeMrc(2000));
  const answer = await call('POST', `/files/${file_id}/sign`, { json: { expires_in: seconds } });
  const { pathname, search } = new URL(answer.json<{ url: string }>().url);
  return pathname + search;
}

/** How to get an answer with this code; or why no request of this suite can. */
const ROWS: Readonly<Record<ErrorCode, (() => Promise<Answer>) | string>> = {
  invalid_request: () => call('POST', '/uploads/init', { json: {} }),
  invalid_filename: () => init({ filename: '../a.mrc' }),
  async part_size_mismatch() {
    return await putBody(call, (await openSample(call)).upload, 0, Buffer.alloc(10));
  },
  async unsupported_digest() {
    const { upload, bytes } = await openSample(call);
    return await putBody(call, upload, 0, cutPart(bytes, upload, 0), { 'content-digest': 'sha-512=:AAAA:' });
  },
  unauthenticated: () => callWith(server, {})('GET', '/uploads'),
  token_expired: () => callAs(server, { ttlSeconds: -120 })('GET', '/uploads'),
  forbidden: () => callAs(server, { scope: 'files:read' })('GET', '/uploads'),
  async signature_invalid() {
    return await callWith(server, {})('GET', `${await signDownload(60)}x`);
  },
  async signature_expired() {
    const path = await signDownload(1);
    return await eventually(
      () => callWith(server, {})('GET', path),
      ({ status }) => status !== 200,
    );
  },
  not_found: () => call('GET', '/nowhere'),
  upload_not_found: () => call('GET', '/uploads/none'),
  file_not_found: () => call('GET', '/files/none'),
  dataset_not_found: () => call('GET', '/datasets/none'),
  async part_out_of_range() {
    return await putBody(call, (await openSample(call)).upload, 4, Buffer.alloc(10));
  },
  method_not_allowed: () => call('PATCH', '/uploads'),
  async body_timeout() {
    const { upload } = await openSample(call);
    const connection = await Connection.open(server.url);
    connection.send(printHead('PUT', partPath(upload, 0), { authorization, 'content-length': String(PART_BYTES) }));
    return await connection.answer().finally(() => connection.close());
  },
  async part_conflict() {
    const { upload, bytes } = await openSample(call);
    await put(call, upload, 1, bytes);
    return await putBody(call, upload, 1, flipBit(cutPart(bytes, upload, 1), 0));
  },
  async upload_incomplete() {
    return await complete(call, (await openSample(call)).upload);
  },
  async upload_closed() {
    const { upload, bytes } = await openSample(call);
    await call('DELETE', `/uploads/${upload.upload_id}`);
    return await put(call, upload, 0, bytes);
  },
  offset_mismatch: 'suites/contract/tus, suites/contract/resumable',
  async idempotency_conflict() {
    const headers = { 'idempotency-key': 'errors' };
    await call('POST', '/uploads/init', { json: initRequest(), headers });
    return await call('POST', '/uploads/init', { json: initRequest({ size: 5000 }), headers });
  },
  async dataset_exists() {
    await call('POST', '/datasets', { json: { name: 'errors' } });
    return await call('POST', '/datasets', { json: { name: 'errors' } });
  },
  async dataset_closed() {
    const { dataset_id } = (await call('POST', '/datasets', { json: { name: 'closed' } })).json<DatasetRecord>();
    return await call('POST', `/datasets/${dataset_id}/release`);
  },
  async dataset_not_complete() {
    const { dataset_id } = (await call('POST', '/datasets', { json: { name: 'not pushed' } })).json<DatasetRecord>();
    return await call('POST', `/datasets/${dataset_id}/pushes`, { json: { to: 'nowhere' } });
  },
  async destination_not_found() {
    const { dataset_id } = (await call('POST', '/datasets', { json: { name: 'nowhere' } })).json<DatasetRecord>();
    await call('POST', `/datasets/${dataset_id}/complete`);
    return await call('POST', `/datasets/${dataset_id}/pushes`, { json: { to: 'http://169.254.169.254/' } });
  },
  async push_not_found() {
    const { dataset_id } = (await call('POST', '/datasets', { json: { name: 'no push' } })).json<DatasetRecord>();
    return await call('GET', `/datasets/${dataset_id}/pushes/none`);
  },
  async receipt_not_found() {
    const { dataset_id } = (await call('POST', '/datasets', { json: { name: 'no receipt' } })).json<DatasetRecord>();
    return await call('GET', `/datasets/${dataset_id}/receipt`);
  },
  receipt_not_ready: 'packages/server/src/receipts/receipts.test.ts',
  async receipt_invalid() {
    const { dataset_id } = (await call('POST', '/datasets', { json: { name: 'forged' } })).json<DatasetRecord>();
    const issued = (await call('POST', `/datasets/${dataset_id}/receipt`)).json<ReceiptDocument>();
    const json = { ...issued, receipt: { ...issued.receipt, issuer: 'another' } };
    return await call('PUT', `/datasets/${dataset_id}/receipt/previous`, { json });
  },
  async dataset_incomplete() {
    const json = { name: 'incomplete', expected_files: 1 };
    const { dataset_id } = (await call('POST', '/datasets', { json })).json<DatasetRecord>();
    return await call('POST', `/datasets/${dataset_id}/complete`);
  },
  file_damaged: 'suites/contract/files/copies.test.ts',
  upload_expired: () =>
    withServer({ CRYOLIFT_SESSION_TTL: '6s' }, async (other) => {
      const asOther = callAs(other);
      const { upload, bytes } = await openSample(asOther);
      await eventually(
        () => readUploadRecord(asOther, upload),
        ({ status }) => status === 'expired',
      );
      return await put(asOther, upload, 0, bytes);
    }),
  async length_required() {
    const { upload } = await openSample(call);
    return await call('PUT', partPath(upload, 0), { headers: { 'transfer-encoding': 'chunked' }, body: '0\r\n\r\n' });
  },
  precondition_failed: () => call('GET', '/', { headers: { 'if-match': '"another"' } }),
  file_too_large: () => init({ size: 2 ** 53 - 1 }),
  async part_too_large() {
    return await putBody(call, (await openSample(call)).upload, 0, Buffer.alloc(PART_BYTES + 1));
  },
  quota_exceeded: () =>
    withServer({ CRYOLIFT_QUOTA_BYTES: '1KiB' }, (other) =>
      callAs(other)('POST', '/uploads/init', { json: initRequest() }),
    ),
  unsupported_file_type: () => init({ filename: 'a.exe' }),
  async range_not_satisfiable() {
    const { file_id } = await publish(call, makeMrc(2000));
    return await call('GET', `/files/${file_id}/content`, { headers: { range: 'bytes=2000-' } });
  },
  async part_checksum_mismatch() {
    const { upload, bytes } = await openSample(call);
    const part = cutPart(bytes, upload, 1);
    return await putBody(call, upload, 1, flipBit(part, 5), { 'content-digest': digestHeader(part) });
  },
  async file_checksum_mismatch() {
    const { upload, bytes } = await openSample(call, 1, { sha256: 'ab'.repeat(32) });
    await put(call, upload, 0, bytes);
    return await complete(call, upload);
  },
  invalid_mrc: () => init({ header: Buffer.alloc(1024).toString('base64') }),
  invalid_tiff: () => init({ filename: 'a.tif', header: Buffer.alloc(1024).toString('base64') }),
  rate_limited: () =>
    withServer({ CRYOLIFT_RATE_LIMIT: '1' }, async (other) => {
      const hasty = callAs(other);
      const answers = await Promise.all([1, 2, 3, 4].map(() => hasty('GET', '/files')));
      return answers.find(({ status }) => status !== 200) ?? assert.fail('all four were answered');
    }),
  internal: 'a request that gets this has found a bug',
  storage_unavailable: async () => {
    const folder = join(server.dataDir, 'elsewhere');
    await mkdir(folder);
    return await withServer({ CRYOLIFT_STORAGE_URL: `file:${folder}` }, async (other) => {
      await rename(folder, `${folder}.gone`);
      return await callWith(other, {})('GET', '/readyz');
    });
  },
  database_unavailable: async () => {
    await mkdir(join(server.dataDir, 'beside'));
    const path = join(server.dataDir, 'beside', 'database.sqlite');
    return await withServer({ CRYOLIFT_DATABASE_URL: `sqlite:${path}` }, async (other) => {
      // The server may be writing just now.
      const intruder = new DatabaseSync(path, { timeout: 60_000 });
      intruder.exec('BEGIN IMMEDIATE');
      const answer = await callAs(other)('POST', '/uploads/init', { json: initRequest() });
      intruder.close();
      return answer;
    });
  },
  shutting_down: () =>
    withServer({}, async (other) => {
      const started = await Connection.open(other.url);
      started.send('GET /limits HTTP/1.1\r\nHost: x\r\n');
      // Answered after the bytes above were read.
      await callWith(other, {})('GET', '/healthz');
      const exit = other.stop();
      await eventually(
        () =>
          Connection.open(other.url).then(
            (connection) => connection.close(),
            () => 'refused',
          ),
        (outcome) => outcome === 'refused',
      );
      started.send('\r\n');
      const answer = await started.answer();
      assert.equal(await exit, 0);
      return answer;
    }),
  overloaded: () =>
    // Nothing listens on port 1: the keys that tokens are verified with cannot be fetched now.
    withServer({ CRYOLIFT_JWT_SECRET: '', CRYOLIFT_JWKS_URL: 'http://127.0.0.1:1/keys' }, (other) => {
      const [, claims = '', signature = ''] = server.token().split('.');
      const head = Buffer.from('{"alg":"RS256","kid":"1"}').toString('base64url');
      return callWith(other, { authorization: `Bearer ${head}.${claims}.${signature}` })('GET', '/files');
    }),
  async insufficient_storage() {
    const size = (await call('GET', '/limits')).json<{ max_file_size: number }>().max_file_size;
    return await init({ size, part_size: 2 ** 40 });
  },
};

// Invariant 10
test('errors: every code of the table has its row', () => {
  assert.deepEqual(Object.keys(ROWS).sort(), [...ERROR_CODES].sort());
});

for (const [code, row] of Object.entries(ROWS) as [ErrorCode, (typeof ROWS)[ErrorCode]][]) {
  // A reason in the place of a call: no request is known that gets this code.
  if (typeof row === 'string') continue;
  test(code, async () => {
    assertFailure(await row(), code);
  });
}

test('errors: the server has had no surprises meanwhile', async () => {
  await open(call);
  const surprises = server.stderr
    .split('\n')
    .filter((line) => line.includes('"level":50') || line.includes('unexpected'));
  assert.deepEqual(surprises, []);
});
