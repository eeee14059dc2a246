/**
 * Every refusal of a client that a call has in the OpenAPI document can be had. That a call has no other is checked with every
 * answer of the contract (`documented.ts`).
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ERRORS, type ErrorCode } from '@cryolift/protocol/errors';
import type { DatasetRecord, UploadRecord } from '@cryolift/protocol/messages';
import { type Operation, readOperations } from '../../fuzz/document.ts';
import { startServer } from '../../server-under-test.ts';
import { makeReceipt } from '../datasets/receipt.ts';
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
import { type Answer, type Call, Connection, callAs, callWith, printHead } from '../wire.ts';

type Refused = () => Promise<Answer>;
type Refusals = Partial<Record<ErrorCode, Refused>>;

const SETTINGS = { CRYOLIFT_ACCEPT: 'bin,tif', CRYOLIFT_RATE_LIMIT: '100000', CRYOLIFT_BODY_IDLE_TIMEOUT: '1s' };
const server = await startServer({ ...SETTINGS, CRYOLIFT_QUOTA_BYTES: '64MiB', CRYOLIFT_MAX_FILE_SIZE: '128MiB' });
const forgetful = await startServer({ ...SETTINGS, CRYOLIFT_SESSION_TTL: '6s' });
const closed = await startServer({ CRYOLIFT_RATE_LIMIT: '1', CRYOLIFT_METRICS: 'false' });
after(async () => {
  for (const each of [server, forgetful, closed]) await each.discard();
});
const operations = await readOperations(server.url);
const owner = callAs(server, { sub: 'owner' });
const admin = callAs(server, { sub: 'root', scope: 'admin' });
const impatient = callAs(forgetful, { sub: 'owner' });

const NOT_HERE: readonly string[] = [
  // See suites/contract/files/copies.test.ts: they need a scrub, a full quota, and a limit that was lowered.
  'copyFile file_damaged',
  'copyFile quota_exceeded',
  'copyFile file_too_large',
  // After 200 calls of 1,000 files.
  'announceFiles quota_exceeded',
  // In a race alone: the upload that was found is forgotten before it is read.
  'initUpload upload_not_found',
  // With a bucket alone: see suites/engines/direct-server.test.ts.
  'completeUpload invalid_mrc',
  // After pushes to 100 places.
  'pushDataset quota_exceeded',
  // See packages/server/src/receipts/receipts.test.ts.
  'getReceipt receipt_not_ready',
  'issueReceipt receipt_not_ready',
];

/** Bodies that are right, where an empty one is not. */
const BODIES: Readonly<Record<string, object>> = {
  initUpload: initRequest(),
  updateFile: { metadata: {} },
  deleteFiles: { file_ids: ['none'] },
  findKnownFiles: { files: [{ sha256: 'ab'.repeat(32), size: 1 }] },
  createDataset: { name: 'refusals' },
  updateDataset: { project: 'p1' },
  takeReceipt: await makeReceipt(),
  announceFiles: [{ path: 'a.mrc' }],
  withdrawFiles: { all: true },
  pushDataset: { to: 'nowhere' },
  signParts: { parts: [[0, 0]] },
  confirmParts: claimOf(0),
};

/** Right in every respect, but that there is nothing of this id. */
async function ask(call: Call, { operationId, method, path, requestBody }: Operation, extra: Asked = {}) {
  const { query = '', headers = {} } = extra;
  const filled = path
    .replace('{idx}', '0')
    .replace('{seq}', '1')
    .replace(/\{\w+\}/g, 'none');
  const type = Object.keys(requestBody?.content ?? {})[0];
  if (type === undefined) return await call(method, filled + query, { headers });
  if (type !== 'application/json') return await call(method, filled + query, { headers, body: 'x' });
  return await call(method, filled + query, { headers, json: BODIES[operationId] ?? {} });
}
interface Asked {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What follows from the route, not from what the call does. */
function commonRefusals(operation: Operation): Refusals {
  const { method, path, requestBody } = operation;
  return {
    invalid_request: () => ask(admin, operation, { query: '?nonsense=1' }),
    unauthenticated: () => ask(callWith(server, { authorization: 'Bearer x' }), operation),
    token_expired: () => ask(callAs(server, { ttlSeconds: -120 }), operation),
    forbidden: () => ask(callAs(server, { scope: 'none' }), operation),
    signature_invalid: () => ask(callWith(server, {}), operation, { query: '?cl_exp=1&cl_key=x&cl_sig=x' }),
    upload_not_found: () => ask(admin, operation),
    file_not_found: () => ask(admin, operation),
    dataset_not_found: () => ask(admin, operation),
    not_found: () => ask(admin, operation),
    precondition_failed: () => ask(admin, operation, { headers: { 'if-match': '"x"' } }),
    rate_limited: () =>
      eventually(
        async () => {
          const hasty = callAs(closed, { sub: 'hasty', scope: 'admin' });
          const answers = await Promise.all([1, 2, 3, 4].map(() => ask(hasty, operation)));
          return answers.find(({ status }) => status === 429) ?? (answers[0] as Answer);
        },
        ({ status }) => status === 429,
      ),
    body_timeout: async () => {
      const { upload_id } = await open(owner);
      const connection = await Connection.open(server.url);
      const filled = path
        .replace('{idx}', '0')
        .replace('{upload_id}', upload_id)
        .replace(/\{\w+\}/g, 'none');
      const type = Object.keys(requestBody?.content ?? {})[0] ?? '';
      const authorization = `Bearer ${server.token({ sub: 'root', scope: 'admin' })}`;
      const framing = { 'content-type': type, 'content-length': String(PART_BYTES) };
      connection.send(printHead(method, filled, { authorization, ...framing }));
      return await connection.answer().finally(() => connection.close());
    },
  };
}

const init = (fields: Parameters<typeof initRequest>[0], headers = {}) =>
  owner('POST', '/uploads/init', { json: initRequest(fields), headers });
const signOf = (call: Call, { upload_id }: UploadRecord, part = 0) =>
  call('POST', `/uploads/${upload_id}/sign`, { json: { parts: [[part, part]] } });
const previewOf = (call: Call, { upload_id }: { upload_id: string }, headers = {}) =>
  call('GET', `/uploads/${upload_id}/preview`, { headers });

/** An upload of an MRC file whose header is known. */
async function openSeen(call: Call) {
  const bytes = makeMrc(3 * PART_BYTES);
  const header = bytes.subarray(0, 1024).toString('base64');
  return { bytes, upload: await open(call, { size: bytes.length, header }) };
}

async function cancelled() {
  const seen = await openSeen(owner);
  await owner('DELETE', `/uploads/${seen.upload.upload_id}`);
  return seen;
}

async function expired() {
  const seen = await openSeen(impatient);
  await eventually(
    () => readUploadRecord(impatient, seen.upload),
    ({ status }) => status === 'expired',
  );
  return seen;
}

async function deleted() {
  const { file_id, upload_id } = await publish(owner, makeMrc(3000));
  await owner('DELETE', `/files/${file_id}`);
  return { upload_id };
}

/** @returns the answer to a signed URL whose time is over. */
async function useLate(path: string, json: object, toUrl: (answer: Answer) => string, method: string) {
  const { pathname, search } = new URL(toUrl(await owner('POST', path, { json: { ...json, expires_in: 1 } })));
  return await eventually(
    () => callWith(server, {})(method, pathname + search, method === 'PUT' ? { body: 'x' } : {}),
    (answer) => answer.body.includes('signature_expired'),
  );
}

/** What follows from what the call does. */
const OWN: Readonly<Record<string, Refusals>> = {
  listDownloads: { dataset_not_found: () => owner('GET', '/files/manifest?dataset_id=none') },
  initUpload: {
    invalid_filename: () => init({ filename: '' }),
    idempotency_conflict: async () => {
      await init({}, { 'idempotency-key': 'refusals' });
      return await init({ size: 5000 }, { 'idempotency-key': 'refusals' });
    },
    dataset_not_found: () => init({ dataset_id: 'none' }),
    dataset_closed: async () => init({ dataset_id: await makeClosed() }),
    file_too_large: () => init({ size: 2 ** 52 }),
    quota_exceeded: () => init({ size: 100 * 1024 * 1024 }),
    unsupported_file_type: () => init({ filename: 'a.exe' }),
    invalid_mrc: () => init({ header: Buffer.alloc(1024).toString('base64') }),
    invalid_tiff: () => init({ filename: 'a.tif', header: Buffer.alloc(1024).toString('base64') }),
  },
  putPart: {
    part_size_mismatch: async () => await putBody(owner, await open(owner), 0, Buffer.alloc(10)),
    part_too_large: async () => await putBody(owner, await open(owner), 0, Buffer.alloc(PART_BYTES + 1)),
    part_out_of_range: async () => await putBody(owner, await open(owner), 99, Buffer.alloc(10)),
    unsupported_digest: async () => {
      return await putBody(owner, await open(owner), 0, Buffer.alloc(PART_BYTES), { 'content-digest': 'md5=:AAAA:' });
    },
    length_required: async () =>
      await owner('PUT', partPath(await open(owner), 0), {
        headers: { 'transfer-encoding': 'chunked' },
        body: '0\r\n\r\n',
      }),
    part_conflict: async () => {
      const { upload, bytes } = await openSample(owner);
      await put(owner, upload, 1, bytes);
      return await putBody(owner, upload, 1, flipBit(cutPart(bytes, upload, 1), 0));
    },
    part_checksum_mismatch: async () => {
      const { upload, bytes } = await openSample(owner);
      const part = cutPart(bytes, upload, 1);
      return await putBody(owner, upload, 1, flipBit(part, 5), { 'content-digest': digestHeader(part) });
    },
    invalid_mrc: async () => await putBody(owner, await open(owner), 0, Buffer.alloc(PART_BYTES)),
    invalid_tiff: async () =>
      await putBody(owner, await open(owner, { filename: 'a.tif' }), 0, Buffer.alloc(PART_BYTES)),
    upload_closed: async () => {
      const { upload, bytes } = await cancelled();
      return await put(owner, upload, 0, bytes);
    },
    upload_expired: async () => {
      const { upload, bytes } = await expired();
      return await put(impatient, upload, 0, bytes);
    },
    signature_expired: async () => {
      const { upload_id } = await open(owner);
      const toUrl = (answer: Answer) => answer.json<{ urls: [{ url: string }] }>().urls[0].url;
      return await useLate(`/uploads/${upload_id}/sign`, { parts: [[0, 0]] }, toUrl, 'PUT');
    },
  },
  completeUpload: {
    file_not_found: async () => await complete(owner, await deleted()),
    upload_incomplete: async () => await complete(owner, await open(owner)),
    upload_closed: async () => await complete(owner, (await cancelled()).upload),
    upload_expired: async () => await complete(impatient, (await expired()).upload),
    invalid_tiff: async () => {
      // Its directory would be at byte 4096.
      const bytes = Buffer.alloc(5000).fill(Buffer.from('49492a0000100000', 'hex'), 0, 8);
      const upload = await open(owner, { filename: 'a.tif', size: bytes.length });
      await put(owner, upload, 0, bytes);
      return await complete(owner, upload);
    },
    file_checksum_mismatch: async () => {
      const { upload, bytes } = await openSample(owner, 1, { sha256: 'ab'.repeat(32) });
      await put(owner, upload, 0, bytes);
      return await complete(owner, upload);
    },
  },
  cancelUpload: {
    upload_closed: async () => await owner('DELETE', `/uploads/${(await publish(owner, makeMrc(3000))).upload_id}`),
  },
  signParts: {
    part_out_of_range: async () => await signOf(owner, await open(owner), 99),
    upload_closed: async () => await signOf(owner, (await cancelled()).upload),
    upload_expired: async () => await signOf(impatient, (await expired()).upload),
  },
  confirmParts: {
    part_out_of_range: async () => await confirmOf(owner, await open(owner), 99),
    upload_closed: async () => await confirmOf(owner, (await cancelled()).upload),
    upload_expired: async () => await confirmOf(impatient, (await expired()).upload),
  },
  getUploadPreview: {
    not_found: async () => await previewOf(owner, await open(owner, { filename: 'a.bin' })),
    file_not_found: async () => await previewOf(owner, await deleted()),
    upload_incomplete: async () => await previewOf(owner, (await openSeen(owner)).upload),
    upload_closed: async () => await previewOf(owner, (await cancelled()).upload),
    upload_expired: async () => await previewOf(impatient, (await expired()).upload),
    precondition_failed: async () => await previewOf(owner, await publish(owner, makeMrc(3000)), { 'if-match': '"x"' }),
  },
  readFile: {
    precondition_failed: () => readFile({ 'if-match': '"x"' }),
    range_not_satisfiable: () => readFile({ range: 'bytes=99999-' }),
    signature_expired: async () => {
      const { file_id } = await publish(owner, makeMrc(3000));
      return await useLate(`/files/${file_id}/sign`, {}, (answer) => answer.json<{ url: string }>().url, 'GET');
    },
  },
  listDatasetDownloads: {
    signature_expired: async () => {
      const toUrl = (answer: Answer) => answer.json<{ url: string }>().url;
      return await useLate(`/datasets/${await makeDataset('shared')}/sign`, {}, toUrl, 'GET');
    },
  },
  getFilePreview: {
    not_found: () => readFile({}, 'preview', 'a.bin'),
    precondition_failed: () => readFile({ 'if-match': '"x"' }, 'preview'),
  },
  copyFile: {
    invalid_filename: () => copyOf({ filename: '' }),
    dataset_not_found: () => copyOf({ dataset_id: 'none' }),
    dataset_closed: async () => copyOf({ dataset_id: await makeClosed() }),
    unsupported_file_type: () => copyOf({ filename: 'a.exe' }),
    invalid_mrc: () => copyOf({ filename: 'a.mrc' }, 'a.bin'),
    invalid_tiff: () => copyOf({ filename: 'a.tif' }, 'a.bin'),
  },
  getFileStatistics: { not_found: () => readFile({}, 'statistics', 'a.bin') },
  createDataset: {
    dataset_exists: async () => {
      await makeDataset('twice');
      return await owner('POST', '/datasets', { json: { name: 'twice' } });
    },
    quota_exceeded: async () => {
      const greedy = callAs(server, { sub: 'greedy' });
      for (let name = 0; ; ) {
        const jsons = Array.from({ length: 50 }, () => ({ name: `d${name++}` }));
        const answers = await Promise.all(jsons.map((json) => greedy('POST', '/datasets', { json })));
        const refused = answers.find(({ status }) => status !== 201);
        if (refused) return refused;
      }
    },
  },
  updateDataset: {
    dataset_exists: async () => {
      await makeDataset('taken');
      return await owner('PATCH', `/datasets/${await makeDataset('other')}`, { json: { name: 'taken' } });
    },
  },
  completeDataset: {
    dataset_closed: async () => {
      const id = await makeClosed();
      await owner('POST', `/datasets/${id}/release`);
      return await owner('POST', `/datasets/${id}/complete`);
    },
    dataset_incomplete: async () => {
      const id = await makeDataset('incomplete', { expected_files: 2 });
      return await owner('POST', `/datasets/${id}/complete`);
    },
  },
  announceFiles: {
    dataset_closed: async () => owner('POST', `/datasets/${await makeClosed()}/expected`, { json: [{ path: 'a' }] }),
  },
  withdrawFiles: {
    dataset_closed: async () =>
      owner('POST', `/datasets/${await makeClosed()}/expected/withdraw`, { json: { all: true } }),
  },
  releaseDataset: {
    dataset_closed: async () => owner('POST', `/datasets/${await makeDataset('open')}/release`),
  },
  getReceipt: {
    receipt_not_found: async () => owner('GET', `/datasets/${await makeDataset('no receipt')}/receipt`),
  },
  takeReceipt: {
    receipt_invalid: async () => {
      const id = await makeDataset('another');
      return await owner('PUT', `/datasets/${id}/receipt/previous`, { json: await makeReceipt(1) });
    },
  },
  pushDataset: {
    dataset_not_complete: async () =>
      owner('POST', `/datasets/${await makeDataset('open still')}/pushes`, { json: { to: 'nowhere' } }),
    destination_not_found: async () =>
      owner('POST', `/datasets/${await makeClosed()}/pushes`, { json: { to: 'nowhere' } }),
  },
  getPush: {
    push_not_found: async () => owner('GET', `/datasets/${await makeDataset('no push')}/pushes/none`),
  },
  cancelPush: {
    push_not_found: async () => owner('DELETE', `/datasets/${await makeDataset('not pushed')}/pushes/none`),
  },
  reopenDataset: {
    dataset_closed: async () => {
      const id = await makeClosed();
      await owner('POST', `/datasets/${id}/release`);
      return await owner('POST', `/datasets/${id}/reopen`);
    },
  },
  createLink: {
    quota_exceeded: async () => {
      const greedy = callAs(server, { sub: 'greedy' });
      for (;;) {
        const answers = await Promise.all(Array.from({ length: 16 }, () => greedy('POST', '/links')));
        const refused = answers.find(({ status }) => status !== 201);
        if (refused) return refused;
      }
    },
  },
  getMetrics: {
    not_found: () =>
      eventually(
        () => callWith(closed, {})('GET', '/metrics'),
        ({ status }) => status !== 429,
      ),
  },
};

async function makeDataset(name: string, more: object = {}): Promise<string> {
  const answer = await owner('POST', '/datasets', { json: { name, ...more } });
  return answer.json<DatasetRecord>().dataset_id;
}

/** @returns the id of one that is complete. */
async function makeClosed(): Promise<string> {
  const id = await makeDataset(`closed ${Math.random()}`);
  await owner('POST', `/datasets/${id}/complete`);
  return id;
}

function claimOf(part: number): object {
  return [{ part, etag: 'x', sha256: 'ab'.repeat(32) }];
}

async function confirmOf(call: Call, { upload_id }: Pick<UploadRecord, 'upload_id'>, part = 0): Promise<Answer> {
  return await call('POST', `/uploads/${upload_id}/parts/confirm`, { json: claimOf(part) });
}

async function readFile(headers: Record<string, string>, what = 'content', filename = 'a.mrc'): Promise<Answer> {
  const { file_id } = await publish(owner, makeMrc(3000), { filename });
  return await owner('GET', `/files/${file_id}/${what}`, { headers });
}

/** @param filename of the source: an MRC file, or one that is none. */
async function copyOf(json: object, filename: 'a.mrc' | 'a.bin' = 'a.mrc'): Promise<Answer> {
  const { file_id } = await publish(owner, filename === 'a.bin' ? Buffer.alloc(3000) : makeMrc(3000), { filename });
  return await owner('POST', `/files/${file_id}/copy`, { json });
}

function codesOf({ responses }: Operation): ErrorCode[] {
  return Object.values(responses).flatMap((each) => each['x-codes'] ?? []);
}

for (const operation of operations) {
  const { operationId, method } = operation;
  // An answer to HEAD has no code.
  if (method === 'HEAD') continue;
  const refusals = { ...commonRefusals(operation), ...OWN[operationId] };
  const codes = codesOf(operation).filter(
    (code) => ERRORS[code].status < 500 && !NOT_HERE.includes(`${operationId} ${code}`),
  );
  test(`refusals: ${operationId} answers each that the document gives it`, async () => {
    assert.deepEqual(
      Object.keys(OWN[operationId] ?? {}).filter((code) => !codes.includes(code as ErrorCode)),
      [],
    );
    for (const code of codes) {
      const refused = refusals[code];
      assert.ok(refused, `nothing here makes ${operationId} answer ${code}`);
      assertFailure(await refused(), code);
    }
  });
}

test('refusals: HEAD has those of GET', () => {
  for (const { path } of operations.filter(({ method }) => method === 'HEAD')) {
    const [get, head] = ['GET', 'HEAD'].map((name) =>
      operations.find((each) => each.path === path && each.method === name),
    );
    assert.ok(get && head);
    assert.deepEqual(codesOf(head), codesOf(get));
  }
});
