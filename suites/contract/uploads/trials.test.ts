/** Trial uploads: they work like others and leave nothing. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { OwnedUploadPage, UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, eventually, initRequest, open, PART_BYTES, put, readUploadRecord } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

const server = await startServer();
after(() => server.discard());
const HOUR_MS = 3_600_000;

async function openTrial(call: Call, fields: object = {}): Promise<UploadRecord> {
  const json = { ...initRequest({ size: 3 * PART_BYTES }), part_size: PART_BYTES, trial: true, ...fields };
  const answer = await call('POST', '/uploads/init', { json });
  assert.equal(answer.status, 201, answer.body.toString());
  return answer.json<UploadRecord>();
}

test('trial: it takes parts, becomes no file, and once it is cancelled nothing is known of it', async () => {
  const call = callAs(server, { sub: 'tries' });
  const bytes = makeMrc(3 * PART_BYTES);
  const trial = await openTrial(call);
  for (const idx of [0, 1, 2]) assert.equal((await put(call, trial, idx, bytes)).status, 201);
  const whole = await readUploadRecord(call, trial);
  assert.equal(whole.progress, 1);
  assert.ok(Date.parse(whole.expires_at) <= Date.now() + HOUR_MS, 'it does not hold its space for long');
  const refused = await complete(call, trial);
  assert.match(assertFailure(refused, 'invalid_request').message, /trial/);
  assert.equal((await call('DELETE', `/uploads/${trial.upload_id}`)).status, 204);
  assertFailure(await call('GET', `/uploads/${trial.upload_id}`), 'upload_not_found');
  assert.deepEqual((await call('GET', '/uploads')).json<UploadPage>().items, []);
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  const all = (await admin('GET', '/admin/sessions')).json<OwnedUploadPage>().items;
  assert.ok(all.every(({ upload_id }) => upload_id !== trial.upload_id));
  assert.deepEqual(await readdir(join(server.dataDir, 'staging')), []);
});

test('trial: it makes no event', async () => {
  const claims = { sub: 'silent' };
  const call = callAs(server, claims);
  const stream = await EventStream.open<UploadRecord>(server, '/events', claims, '0');
  const trial = await openTrial(call);
  assert.equal((await call('DELETE', `/uploads/${trial.upload_id}`)).status, 204);
  const { upload_id } = await open(call);
  const first = await stream.next();
  assert.equal(first?.type, 'cryolift.upload.created');
  assert.ok(JSON.stringify(first).includes(upload_id), 'the first event is that of the upload after it');
});

test('trial: an init of the same fingerprint, or with the same key, does not mix it up with an upload', async () => {
  const call = callAs(server, { sub: 'mixes' });
  const fields = { fingerprint: 'f', size: 3 * PART_BYTES };
  const trial = await openTrial(call, fields);
  const upload = await open(call, fields);
  assert.notEqual(upload.upload_id, trial.upload_id);
  const headers = { 'idempotency-key': 'k' };
  const json = initRequest();
  assert.equal((await call('POST', '/uploads/init', { json: { ...json, trial: true }, headers })).status, 201);
  assertFailure(await call('POST', '/uploads/init', { json, headers }), 'idempotency_conflict');
});

test('trial: one that expires is forgotten by the sweep', async () => {
  const own = await startServer({ CRYOLIFT_SESSION_TTL: '1s' });
  const call = callAs(own);
  const trial = await openTrial(call);
  const gone = await eventually(
    () => call('GET', `/uploads/${trial.upload_id}`),
    ({ status }) => status === 404,
  );
  assertFailure(gone, 'upload_not_found');
  await own.discard();
});
