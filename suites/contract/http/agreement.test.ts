/** The error table, the page of the contract, the OpenAPI document and the answers say the same. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { ERROR_CODES, ERRORS, type ErrorCode } from '@cryolift/protocol/errors';
import { readDocument } from '../../fuzz/document.ts';
import { findServer } from '../../server-under-test.ts';
import { makeMrc } from '../sample.ts';
import { complete, initRequest, openSample, partPath, publish, put, putAll } from '../upload.ts';
import { type Answer, callAs, callWith } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const call = callAs(server);
const document = await readDocument(server.url);
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
  ),
);

/** Every call with the successes that it may have. */
const CALLS: Readonly<Record<string, readonly number[]>> = {
  'POST /uploads/init': [200, 201],
  'PUT /uploads/{upload_id}/part/{idx}': [200, 201],
  'GET /uploads/{upload_id}': [200],
  'GET /uploads/{upload_id}/parts': [200],
  'POST /uploads/{upload_id}/complete': [200, 202],
  'POST /uploads/{upload_id}/parts/confirm': [200],
  'DELETE /uploads/{upload_id}': [204],
  'GET /uploads/{upload_id}/events': [200],
  'GET /uploads/{upload_id}/preview': [200, 304],
  'POST /uploads/{upload_id}/sign': [200],
  'GET /uploads': [200],
  'GET /events': [200],
  'GET /files': [200],
  'GET /files/tree': [200],
  'GET /files/manifest': [200],
  'POST /files/delete': [200],
  'POST /files/have': [200],
  'POST /files/{file_id}/copy': [200, 201, 202],
  'GET /files/{file_id}': [200],
  'PATCH /files/{file_id}': [200],
  'DELETE /files/{file_id}': [204],
  'GET /files/{file_id}/preview': [200, 304],
  'GET /files/{file_id}/statistics': [200],
  'GET /files/{file_id}/jobs': [200],
  'POST /files/{file_id}/sign': [200],
  'GET /files/{file_id}/content': [200, 206, 304],
  'HEAD /files/{file_id}/content': [200, 206, 304],
  'POST /datasets': [201],
  'GET /datasets': [200],
  'GET /datasets/{dataset_id}': [200],
  'PATCH /datasets/{dataset_id}': [200],
  'DELETE /datasets/{dataset_id}': [202],
  'GET /datasets/{dataset_id}/files': [200],
  'GET /datasets/{dataset_id}/tree': [200],
  'POST /datasets/{dataset_id}/sign': [200],
  'GET /datasets/{dataset_id}/downloads': [200],
  'POST /datasets/{dataset_id}/expected': [200],
  'POST /datasets/{dataset_id}/expected/withdraw': [200],
  'GET /datasets/{dataset_id}/check': [200],
  'POST /datasets/{dataset_id}/complete': [200],
  'POST /datasets/{dataset_id}/release': [200],
  'POST /datasets/{dataset_id}/reopen': [200],
  'GET /datasets/{dataset_id}/receipt': [200],
  'POST /datasets/{dataset_id}/receipt': [201],
  'PUT /datasets/{dataset_id}/receipt/previous': [200],
  'POST /datasets/{dataset_id}/pushes': [202],
  'GET /datasets/{dataset_id}/pushes': [200],
  'GET /datasets/{dataset_id}/pushes/{push_id}': [200],
  'DELETE /datasets/{dataset_id}/pushes/{push_id}': [200],
  'GET /destinations': [200],
  'POST /links': [201],
  'GET /links': [200],
  'DELETE /links': [200],
  'DELETE /links/{link_id}': [204],
  'GET /admin/overview': [200],
  'GET /admin/sessions': [200],
  'GET /admin/owners': [200],
  'GET /admin/links': [200],
  'DELETE /admin/links': [200],
  'POST /admin/sweep': [200, 202],
  'GET /admin/sweep': [200],
  'POST /admin/scrub': [202],
  'GET /admin/scrub': [200],
  'DELETE /admin/scrub': [200],
  'GET /webhooks/deliveries': [200],
  'POST /webhooks/deliveries/{seq}/retry': [202],
  'GET /whoami': [200],
  'GET /limits': [200],
  'GET /healthz': [200],
  'GET /readyz': [200],
  'GET /metrics': [200],
  'GET /.well-known/cryolift-receipt-keys.json': [200],
};
/** Calls that are no part of the API that the document describes. */
const UNDESCRIBED = [
  'GET /openapi.json',
  'GET /docs',
  'GET /install',
  'GET /install/NAME',
  'GET /install/SHA256SUMS',
  'GET /',
];

test('agreement: the document has these calls and successes, and no others', () => {
  assert.deepEqual([...operations.keys()].sort(), Object.keys(CALLS).sort());
  for (const [name, successes] of Object.entries(CALLS)) {
    const documented = Object.keys(operations.get(name)?.responses ?? {}).map(Number);
    assert.deepEqual(
      documented.filter((status) => status < 400),
      successes,
      name,
    );
  }
});

test('agreement: the document says what a part and an init are sent as', () => {
  assert.ok(operations.get('PUT /uploads/{upload_id}/part/{idx}')?.requestBody?.content['application/octet-stream']);
  assert.ok(operations.get('POST /uploads/init')?.requestBody?.content['application/json']);
});

test('agreement: every call of the document is there, and asks for a token exactly when the document says so', async () => {
  for (const [name, { security }] of operations) {
    const [method = '', path = ''] = name.split(' ');
    const answer = await callWith(server, {})(method, path.replace(/\{\w+\}/g, '0'));
    const isOpen = security?.length === 0 || security?.some((each) => Object.keys(each).length === 0);
    assert.ok(answer.status === (isOpen ? 200 : 401), `${name}: ${answer.status}`);
  }
});

test('agreement: the answers have the fields that the document gives them', async () => {
  const { upload, bytes } = await openSample(call, 2);
  const file = await publish(call, makeMrc(2000));
  const part = await put(call, upload, 0, bytes);
  const uploadPath = `/uploads/${upload.upload_id}`;
  const answers: Readonly<Record<string, Answer>> = {
    'POST /uploads/init': await call('POST', '/uploads/init', { json: initRequest() }),
    'PUT /uploads/{upload_id}/part/{idx}': part,
    'GET /uploads/{upload_id}': await call('GET', uploadPath),
    'GET /uploads/{upload_id}/parts': await call('GET', `${uploadPath}/parts`),
    'GET /uploads': await call('GET', '/uploads'),
    'GET /files': await call('GET', '/files'),
    'GET /files/tree': await call('GET', '/files/tree'),
    'POST /files/delete': await call('POST', '/files/delete', { json: { file_ids: ['none'] } }),
    'POST /files/have': await call('POST', '/files/have', { json: { files: [{ sha256: 'ab'.repeat(32), size: 1 }] } }),
    'POST /files/{file_id}/copy': await call('POST', `/files/${file.file_id}/copy`, { json: { filename: 'b.mrc' } }),
    'GET /files/{file_id}': await call('GET', `/files/${file.file_id}`),
    'POST /uploads/{upload_id}/sign': await call('POST', `${uploadPath}/sign`, { json: { parts: [[0, 1]] } }),
    'POST /files/{file_id}/sign': await call('POST', `/files/${file.file_id}/sign`),
    'POST /datasets': await call('POST', '/datasets', { json: { name: 'agreement' } }),
    'GET /datasets': await call('GET', '/datasets'),
    'GET /destinations': await call('GET', '/destinations'),
    'POST /links': await call('POST', '/links'),
    'GET /whoami': await call('GET', '/whoami'),
    'GET /limits': await call('GET', '/limits'),
    'GET /healthz': await call('GET', '/healthz'),
    'GET /readyz': await call('GET', '/readyz'),
    'GET /.well-known/cryolift-receipt-keys.json': await call('GET', '/.well-known/cryolift-receipt-keys.json'),
  };
  await putAll(call, upload, bytes);
  const completed = { 'POST /uploads/{upload_id}/complete': await complete(call, upload) };
  for (const [name, answer] of Object.entries({ ...answers, ...completed })) {
    const media = operations.get(name)?.responses[answer.status]?.content?.['application/json'];
    assert.ok(media, `${name} ${answer.status}`);
    const fields = Object.keys(answer.json<object>()).sort();
    const { required = [], properties = {} } = media.schema;
    assert.deepEqual(
      [...required].sort().filter((field) => !fields.includes(field)),
      [],
      `${name} lacks`,
    );
    assert.deepEqual(
      fields.filter((field) => !(field in properties)),
      [],
      `${name} has undocumented`,
    );
  }
});

test('agreement: refusals are documented with the envelope, and with the codes of the table that have their status', async () => {
  assert.deepEqual(document['x-errors'], ERRORS);
  const { Error: envelope } = document.components.schemas;
  assert.deepEqual([...(envelope?.required ?? [])].sort(), ['code', 'hint', 'message', 'request_id', 'retryable']);
  assert.deepEqual(envelope?.properties?.code?.enum, ERROR_CODES);
  for (const [name, { responses }] of operations) {
    for (const [status, { content, 'x-codes': codes = [] }] of Object.entries(responses)) {
      if (Number(status) < 400) continue;
      assert.match(status, /^[45]\d\d$/, name);
      assert.deepEqual(content?.['application/json']?.schema, envelope, name);
      assert.ok(codes.length > 0, `${name} ${status}`);
      for (const each of codes) assert.equal(ERRORS[each].status, Number(status), `${name} ${each}`);
    }
  }
  const { code, hint } = (await call('GET', partPath({ upload_id: 'none' }, 0).replace('/part/0', ''))).json<{
    code: ErrorCode;
    hint: string;
  }>();
  assert.equal(hint, document['x-errors'][code].hint);
});

const PAGE = new URL('../../../docs/architecture/7-api-specifications.md', import.meta.url);

/** The cells of every table row of the page, or of one section of it. */
async function readRows(heading?: string): Promise<string[][]> {
  const page = await readFile(PAGE, 'utf8');
  const from = heading === undefined ? 0 : page.indexOf(`\n## ${heading}\n`);
  assert.ok(from >= 0, `the page has no section ${heading}`);
  const end = heading === undefined ? -1 : page.indexOf('\n## ', from + 1);
  const lines = page.slice(from, end < 0 ? undefined : end).split('\n');
  return lines
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test('agreement: the page lists every code as the table has it', async () => {
  const rows = (await readRows('Errors')).filter(([, code]) => /^`\w+`$/.test(code ?? ''));
  const listed = rows.map(([status, code, retryable, hint]) => [code?.slice(1, -1), Number(status), retryable, hint]);
  const table = ERROR_CODES.map((code) => [
    code,
    ERRORS[code].status,
    ERRORS[code].retryable ? 'yes' : 'no',
    ERRORS[code].hint,
  ]);
  assert.deepEqual(listed.sort(), table.sort());
});

test('agreement: the page lists every call', async () => {
  const cells = (await readRows()).flat().join(' ');
  const listed = [...cells.matchAll(/`((?:GET|HEAD|POST|PUT|DELETE|PATCH) \/[^`?\s]*)(?:\?[^`]*)?`/g)].map(
    ([, name]) => name,
  );
  const called = Object.keys(CALLS).filter((name) => !name.startsWith('HEAD '));
  assert.deepEqual([...new Set(listed)].sort(), [...called, ...UNDESCRIBED].sort());
});

test('agreement: the troubleshooting guide has a word on every code, and on no other', async () => {
  const guide = await readFile(new URL('../../../docs/guides/troubleshooting.md', import.meta.url), 'utf8');
  const named = [...guide.matchAll(/^- ((?:\*\*`\w+`\*\*(?:, )?)+)/gm)].flatMap(
    ([, names = '']) => names.match(/\w+/g) ?? [],
  );
  assert.deepEqual(named.sort(), Object.keys(ERRORS).sort());
});
