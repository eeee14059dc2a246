/** What a call refuses besides wrong bodies: query parameters that it does not have, and values that no answer ever gave. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Limits, StoredPartPage, UploadPage } from '@cryolift/protocol/messages';
import { readOperations } from '../../fuzz/document.ts';
import { startServer } from '../../server-under-test.ts';
import { makeReceipt } from '../datasets/receipt.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { initRequest, open, openSample, publish, putAll } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

const MIB = 1024 * 1024;
const server = await startServer({ CRYOLIFT_QUOTA_BYTES: '4MiB', CRYOLIFT_MAX_OPEN_UPLOADS: '4' });
after(() => server.discard());
const anonymous = callWith(server, {});
const admin = callAs(server, { sub: 'root', scope: 'admin' });

const BODIES: Readonly<Record<string, object>> = {
  'POST /uploads/init': initRequest(),
  'POST /uploads/{upload_id}/sign': { parts: [[0, 0]] },
  'POST /uploads/{upload_id}/parts/confirm': [{ part: 0, etag: 'x', sha256: 'ab'.repeat(32) }],
  'PATCH /files/{file_id}': { metadata: {} },
  'POST /files/delete': { file_ids: ['none'] },
  'POST /files/have': { files: [{ sha256: 'ab'.repeat(32), size: 1 }] },
  'POST /files/{file_id}/copy': { filename: 'queries.mrc' },
  'POST /datasets': { name: 'queries' },
  'PATCH /datasets/{dataset_id}': { project: 'p1' },
  'PUT /datasets/{dataset_id}/receipt/previous': await makeReceipt(),
  'POST /datasets/{dataset_id}/expected': [{ path: 'a.mrc' }],
  'POST /datasets/{dataset_id}/expected/withdraw': { all: true },
  'POST /datasets/{dataset_id}/pushes': { to: 'nowhere' },
};

/** Parameters that a call does not do without. */
const NEEDED: Readonly<Record<string, string>> = { 'DELETE /admin/links': 'owner=nobody&' };

test('queries: every call of the document refuses a parameter that it does not have', async () => {
  const operations = await readOperations(server.url);
  assert.ok(operations.length > 30);
  const owner = callAs(server);
  const { upload_id } = await open(owner);
  const { file_id, dataset_id = '' } = await publish(owner, makeMrc(2000), { metadata: { dataset: 'queries' } });
  for (const { method, path } of operations) {
    const url = path
      .replace('{upload_id}', upload_id)
      .replace('{file_id}', file_id)
      .replace('{dataset_id}', dataset_id)
      .replace('{idx}', '0')
      .replace('{seq}', '1')
      .replace('{link_id}', 'none')
      .replace('{push_id}', 'none');
    // Bodies are checked first.
    const json = BODIES[`${method} ${path}`];
    const empty = method === 'PUT' ? { headers: { 'content-length': '0' }, body: '' } : {};
    const extra = json ? { json } : empty;
    for (const query of ['nosuch=1', 'nosuch', '__proto__=1', 'limit[]=1']) {
      const answer = await admin(method, `${url}?${NEEDED[`${method} ${path}`] ?? ''}${query}`, extra);
      if (method === 'HEAD') assert.equal(answer.status, 400, `${method} ${url}`);
      else {
        const { message } = assertFailure(answer, 'invalid_request');
        assert.match(message, /no query parameter "(nosuch|__proto__|limit\[\])"/, `${method} ${path}`);
      }
    }
  }
});

test('queries: an integer has one spelling', async () => {
  const call = callAs(server);
  assert.equal((await call('GET', '/uploads?limit=5')).status, 200);
  for (const limit of [
    '05',
    '+5',
    '%205',
    '5%20',
    '5.0',
    '5e0',
    '0x5',
    '0b1',
    '5_0',
    '-0',
    '1e309',
    'true',
    'null',
    '',
  ]) {
    assertFailure(await call('GET', `/uploads?limit=${limit}`), 'invalid_request');
  }
  assertFailure(await call('GET', '/uploads?limit=5&limit=6'), 'invalid_request');
  assertFailure(await admin('POST', '/webhooks/deliveries/0x1/retry'), 'invalid_request');
});

test('queries: a cursor that no answer gave is refused on every list; one that was given is taken', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call, 3);
  await putAll(call, upload, bytes);
  await open(call);
  const parts = `/uploads/${upload.upload_id}/parts`;
  const lists = {
    '/uploads': call,
    '/files': call,
    '/files?q=a': call,
    '/files?sort=size': call,
    '/files/tree': call,
    '/datasets': call,
    '/datasets?sort=name': call,
    '/admin/owners': admin,
    [parts]: call,
    '/admin/sessions': admin,
    '/webhooks/deliveries': admin,
  };
  for (const [list, ask] of Object.entries(lists)) {
    const wrong = ['', 'x', '-1', '00', '01', '1.0', '1e1', '%201', 'null', '99999999999999999', 'z'.repeat(26), '%00'];
    for (const cursor of wrong) {
      assertFailure(await ask('GET', `${list}${list.includes('?') ? '&' : '?'}cursor=${cursor}`), 'invalid_request');
    }
  }
  for (const id of [upload.upload_id.toLowerCase(), upload.upload_id.slice(1), `${upload.upload_id}0`]) {
    assertFailure(await call('GET', `/uploads?cursor=${id}`), 'invalid_request');
    assertFailure(await call('GET', `/files?cursor=${id}`), 'invalid_request');
  }
  // After the last part no page follows.
  for (const cursor of [upload.part_count - 1, upload.part_count, 9999]) {
    assertFailure(await call('GET', `${parts}?cursor=${cursor}`), 'invalid_request');
  }
  const first = (await call('GET', '/uploads?limit=1')).json<UploadPage>();
  assert.equal((await call('GET', `/uploads?limit=1&cursor=${first.next_cursor}`)).status, 200);
  const some = (await call('GET', `${parts}?limit=1`)).json<StoredPartPage>();
  const rest = (await call('GET', `${parts}?cursor=${some.next_cursor}`)).json<StoredPartPage>();
  assert.deepEqual(
    rest.items.map(({ part }) => part),
    Array.from({ length: upload.part_count - 1 }, (_, at) => at + 1),
  );
});

test('bodies: a key that is refused is named as the reason', async () => {
  const call = callAs(server);
  const json = { 'content-type': 'application/json' };
  for (const [body, key] of [
    ['{"filename":"a.mrc","size":2000,"__proto__":{"x":1}}', '__proto__'],
    ['{"filename":"a.mrc","size":2000,"metadata":{"__proto__":"x"}}', '__proto__'],
    ['{"filename":"a.mrc","size":2000,"metadata":{"constructor":{"prototype":{}}}}', 'constructor'],
  ] as const) {
    const { message, details } = assertFailure(
      await call('POST', '/uploads/init', { body, headers: json }),
      'invalid_request',
    );
    assert.ok(message.includes(`"${key}"`), message);
    assert.deepEqual(details, { key });
  }
  const broken = await call('POST', '/uploads/init', { body: '{"__proto__":', headers: json });
  assert.match(assertFailure(broken, 'invalid_request').message, /not JSON/);
});

test('quota: a refusal says what is used, allowed and needed, and /limits says the same before', async () => {
  const call = callAs(server);
  await publish(call, makeMrc(MIB));
  await open(call, { size: 2 * MIB });
  const answer = await call('POST', '/uploads/init', { json: initRequest({ size: 2 * MIB }) });
  const { details, message } = assertFailure(answer, 'quota_exceeded');
  assert.deepEqual(details, { used: 3 * MIB, limit: 4 * MIB, needed: 2 * MIB });
  for (const bytes of [3 * MIB, 4 * MIB, 2 * MIB]) assert.ok(message.includes(String(bytes)), message);

  const { quota_bytes, used_bytes, quota_files, used_files, ...limits } = (await call('GET', '/limits')).json<Limits>();
  assert.deepEqual({ quota_bytes, used_bytes }, { quota_bytes: 4 * MIB, used_bytes: 3 * MIB });
  assert.deepEqual({ quota_files, used_files }, { quota_files: 1_000_000, used_files: 2 });
  assert.deepEqual((await anonymous('GET', '/limits')).json(), limits, 'without a token there are no more fields');
  assertFailure(await callAs(server, { ttlSeconds: -120 })('GET', '/limits'), 'token_expired');
  assertFailure(await callWith(server, { authorization: 'Bearer x' })('GET', '/limits'), 'unauthenticated');
});

test('quota: the error for too many open uploads has their number', async () => {
  const call = callAs(server);
  for (let n = 0; n < 4; n++) await open(call);
  const answer = await call('POST', '/uploads/init', { json: initRequest() });
  const { details, message } = assertFailure(answer, 'quota_exceeded');
  assert.deepEqual(details, { used: 4, limit: 4, needed: 1 });
  assert.match(message, /4 uploads open; 4 are allowed/);
});

test('quota: an upload link gets its own limits, not the usage of its owner', async () => {
  const owner = callAs(server);
  await open(owner, { size: MIB });
  const link = (await owner('POST', '/links', { json: { max_bytes: 6000, max_files: 2 } })).json<{ token: string }>();
  const linkCaller = callWith(server, { authorization: `Bearer ${link.token}` });
  await open(linkCaller, { size: 2000 });
  const { quota_bytes, used_bytes, quota_files, used_files } = (await linkCaller('GET', '/limits')).json<Limits>();
  assert.deepEqual({ quota_bytes, used_bytes }, { quota_bytes: 6000, used_bytes: 2000 });
  assert.deepEqual({ quota_files, used_files }, { quota_files: 2, used_files: 1 });
  const large = await linkCaller('POST', '/uploads/init', { json: initRequest({ size: 4001 }) });
  const used = { used: 2000, limit: 6000, needed: 4001, used_files: 1, limit_files: 2 };
  assert.deepEqual(assertFailure(large, 'quota_exceeded').details, used);
  await open(linkCaller, { size: 2000 });
  const third = assertFailure(
    await linkCaller('POST', '/uploads/init', { json: initRequest({ size: 1024 }) }),
    'quota_exceeded',
  );
  assert.match(third.message, /2 of 2 files were started, and this file is one more/);
});
