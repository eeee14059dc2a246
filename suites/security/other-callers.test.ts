/** Two owners and nobody: every call of the server's own document, on ids that are another's. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DatasetPage, FilePage, UploadPage } from '@cryolift/protocol/messages';
import { makeReceipt } from '../contract/datasets/receipt.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { keepsUpload, openSample, publish, put } from '../contract/upload.ts';
import { type Call, callAs, callWith } from '../contract/wire.ts';
import { type Operation, readOperations } from '../fuzz/document.ts';
import { startServer } from '../server-under-test.ts';

const EVERYTHING_BUT_ADMIN = 'uploads:write files:read files:delete files:locate';
const server = await startServer();
after(() => server.discard());
const owner = callAs(server, { sub: 'ada' });
const { upload, bytes } = await openSample(owner);
await put(owner, upload, 0, bytes);
const file = await publish(owner, makeMrc(2000), { metadata: { dataset: 'session 1' } });
const dataset_id = file.dataset_id ?? '';
const ids: Readonly<Record<string, string>> = {
  upload_id: upload.upload_id,
  file_id: file.file_id,
  dataset_id,
  idx: '1',
};
const operations = await readOperations(server.url);
const onIds = operations.filter(({ path }) => /\{(upload|file|dataset)_id\}/.test(path));

/** Right in every respect but for who asks. */
async function ask(call: Call, { method, path, requestBody }: Operation) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '1');
  const [type] = Object.keys(requestBody?.content ?? {});
  if (type === undefined) return await call(method, filled);
  if (type !== 'application/json') return await call(method, filled, { body: bytes.subarray(0, upload.part_size) });
  return await call(method, filled, { json: BODIES[`${method} ${path}`] ?? {} });
}

/** Where an empty one would be refused for itself. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /uploads/{upload_id}/sign': { parts: [[0, 1]] },
  'POST /uploads/{upload_id}/parts/confirm': [{ part: 0, etag: 'x', sha256: 'ab'.repeat(32) }],
  'PATCH /files/{file_id}': { metadata: { mine: 'now' } },
  'POST /files/delete': { file_ids: [file.file_id] },
  'POST /files/have': { files: [{ sha256: 'ab'.repeat(32), size: 1 }] },
  'POST /datasets': { name: 'session 2' },
  'PATCH /datasets/{dataset_id}': { project: 'mine' },
  'PUT /datasets/{dataset_id}/receipt/previous': await makeReceipt(),
  'POST /datasets/{dataset_id}/expected': [{ path: 'a.mrc' }],
  'POST /datasets/{dataset_id}/expected/withdraw': { all: true },
  'POST /datasets/{dataset_id}/pushes': { to: 'nowhere' },
};

test('other callers: there are calls to try', () => {
  assert.ok(onIds.length >= 14, `${onIds.length} calls`);
});

for (const operation of onIds) {
  const name = `${operation.method} ${operation.path}`;
  test(`${name}: not there for another owner, refused without a token, and without effect`, async () => {
    const [, kind = ''] = operation.path.split('/');
    const code = `${kind.slice(0, -1) as 'file' | 'upload' | 'dataset'}_not_found` as const;
    const read = async () => [
      (await owner('GET', `/files/${file.file_id}`)).body.toString(),
      // How files arrive depends on the time of the answer.
      JSON.stringify({ ...(await owner('GET', `/datasets/${dataset_id}`)).json<object>(), stream: null }),
    ];
    const records = await read();
    await keepsUpload(owner, upload, async () => {
      const otherOwner = await ask(callAs(server, { sub: 'bob', scope: EVERYTHING_BUT_ADMIN }), operation);
      const nobody = await ask(callWith(server, {}), operation);
      if (operation.method === 'HEAD') {
        assert.deepEqual([otherOwner.status, nobody.status], [404, 401]);
        return;
      }
      const { message } = assertFailure(otherOwner, code);
      assert.doesNotMatch(message, /owner|another|belongs/i);
      assertFailure(nobody, 'unauthenticated');
    });
    assert.deepEqual(await read(), records);
  });
}

test('other callers: lists show what is one’s own', async () => {
  const otherOwner = callAs(server, { sub: 'bob', scope: EVERYTHING_BUT_ADMIN });
  assert.deepEqual((await otherOwner('GET', '/uploads')).json<UploadPage>().items, []);
  assert.deepEqual((await otherOwner('GET', '/files')).json<FilePage>().items, []);
  assert.deepEqual((await otherOwner('GET', '/datasets')).json<DatasetPage>().items, []);
  for (const cursor of [upload.upload_id, file.file_id]) {
    assert.doesNotMatch((await otherOwner('GET', `/uploads?cursor=${cursor}`)).body.toString(), /ada|upload_id/);
    assert.doesNotMatch((await otherOwner('GET', `/files?cursor=${cursor}`)).body.toString(), /ada|file_id/);
  }
});

test('scopes: a call without its scope is refused, also for the owner', async () => {
  for (const operation of operations) {
    const answer = await ask(callAs(server, { sub: 'ada', scope: 'nothing:at-all' }), operation);
    const isOpen = (await ask(callWith(server, {}), operation)).status !== 401;
    if (operation.method === 'HEAD') assert.equal(answer.status, 403);
    else if (!isOpen) assertFailure(answer, 'forbidden');
  }
});

test('other callers: a fingerprint, an Idempotency-Key and an id that another owner uses find nothing of theirs', async () => {
  const json = { filename: 'a.mrc', size: 5000, fingerprint: 'the same' };
  const headers = { 'idempotency-key': 'the same' };
  const mine = (await owner('POST', '/uploads/init', { json, headers })).json<{ upload_id: string }>();
  const theirs = await callAs(server, { sub: 'bob' })('POST', '/uploads/init', { json, headers });
  assert.equal(theirs.status, 201);
  assert.notEqual(theirs.json<{ upload_id: string }>().upload_id, mine.upload_id);
});
