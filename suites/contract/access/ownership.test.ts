/** What belongs to another owner is not there: 404, not 403, for every call, and nothing happens to it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Caller, FileRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { cutPart, keepsUpload, open, openSample, partPath, publish, put } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
const owner = callAs(server);
const otherOwner = callAs(server);
const ODD_IDS = [
  'x',
  '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  'x'.repeat(250),
  '%F0%9F%92%A9',
  '*',
  "'",
  '-',
];

test("ownership: another owner's upload", async () => {
  const { upload, bytes } = await openSample(owner);
  await put(owner, upload, 0, bytes);
  const path = `/uploads/${upload.upload_id}`;
  await keepsUpload(owner, upload, async () => {
    for (const [method, wanted] of [
      ['GET', path],
      ['GET', `${path}/parts`],
      ['POST', `${path}/complete`],
      ['DELETE', path],
    ] as const) {
      assertFailure(await otherOwner(method, wanted), 'upload_not_found');
    }
    for (const idx of [0, 1]) {
      const body = cutPart(bytes, upload, idx);
      assertFailure(await otherOwner('PUT', partPath(upload, idx), { body }), 'upload_not_found');
    }
  });
});

test('ownership: records and GET /whoami name the owner, also to an administrator of another name', async () => {
  const { file_id, owner: named } = await publish(owner, makeMrc(2000));
  const caller = (await owner('GET', '/whoami')).json<Caller>();
  assert.deepEqual(
    { ...caller, expires_at: null },
    {
      owner: named,
      link_id: null,
      note: null,
      expires_at: null,
      scopes: ['uploads:write', 'files:read', 'files:delete'],
    },
  );
  assert.ok(Date.parse(caller.expires_at ?? '') > Date.now());
  const admin = callAs(server, { scope: 'admin' });
  assert.notEqual((await admin('GET', '/whoami')).json<Caller>().owner, named);
  assert.equal((await admin('GET', `/files/${file_id}`)).json<FileRecord>().owner, named);
  assertFailure(await callAs(server, { scope: 'files:read' })('GET', '/whoami'), 'forbidden');
});

test("ownership: another owner's file", async () => {
  const { file_id } = await publish(owner, makeMrc(2000));
  const path = `/files/${file_id}`;
  for (const method of ['GET', 'DELETE']) assertFailure(await otherOwner(method, path), 'file_not_found');
  assertFailure(await otherOwner('GET', `${path}/content`), 'file_not_found');
  assert.equal((await otherOwner('HEAD', `${path}/content`)).status, 404);
  assert.equal((await owner('GET', `${path}/content`)).status, 200);
});

test('ownership: a missing id gives the same answer', async () => {
  const { upload_id } = await open(owner);
  const readEnvelope = async (id: string) => {
    const { request_id: _, ...envelope } = assertFailure(await otherOwner('GET', `/uploads/${id}`), 'upload_not_found');
    return JSON.stringify(envelope).replaceAll(id, 'ID');
  };
  assert.equal(await readEnvelope('never-there'), await readEnvelope(upload_id));
});

test('ownership: odd ids are not found', async () => {
  for (const id of ODD_IDS) {
    for (const [method, path] of [
      ['GET', `/uploads/${id}`],
      ['GET', `/uploads/${id}/parts`],
      ['POST', `/uploads/${id}/complete`],
      ['DELETE', `/uploads/${id}`],
      ['PUT', `/uploads/${id}/part/0`],
    ] as const) {
      const body = method === 'PUT' ? { body: 'abc' } : {};
      assertFailure(await owner(method, path, body), 'upload_not_found', 'not_found');
    }
    for (const path of [`/files/${id}`, `/files/${id}/content`]) {
      assertFailure(await owner('GET', path), 'file_not_found', 'not_found');
    }
    assertFailure(await owner('DELETE', `/files/${id}`), 'file_not_found', 'not_found');
  }
});
