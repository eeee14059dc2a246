/** `POST /files/have` and `POST /files/{file_id}/copy`: page 7, files that are there. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DatasetRecord, FileRecord, KnownFiles, ScrubReport, UploadRecord } from '@cryolift/protocol/messages';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { eventually, initRequest, listFiles, publish } from '../upload.ts';
import { type Answer, type Call, callAs, callWith } from '../wire.ts';
import { getPicture } from './pictures.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: 'bin,tif', CRYOLIFT_QUOTA_BYTES: '1MiB' });
after(() => server.discard());
let owners = 0;
const newOwner = () => ({ sub: `copying-${process.pid}-${++owners}` });

const asked = (bytes: Uint8Array) => ({ sha256: sha256Hex(bytes), size: bytes.length });
async function have(call: Call, ...files: object[]): Promise<KnownFiles['items']> {
  const answer = await call('POST', '/files/have', { json: { files } });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<KnownFiles>().items;
}

/** Repeats the call as long as the copy is being made. */
async function copy(call: Call, { file_id }: Pick<FileRecord, 'file_id'>, json?: object): Promise<Answer> {
  return await eventually(
    () => call('POST', `/files/${file_id}/copy`, json === undefined ? {} : { json }),
    ({ status }) => status !== 202,
  );
}

async function copied(call: Call, of: Pick<FileRecord, 'file_id'>, json?: object): Promise<FileRecord> {
  const answer = await copy(call, of, json);
  assert.equal(answer.status, 201, answer.body.toString());
  const file = answer.json<FileRecord>();
  assert.equal(answer.headers.location, `/files/${file.file_id}`);
  return file;
}

const content = async (call: Call, { file_id }: FileRecord) => (await call('GET', `/files/${file_id}/content`)).body;

test('have: a caller learns which of his own files are there, and nothing of those of others', async () => {
  const call = callAs(server, newOwner());
  const other = callAs(server, newOwner());
  const [mine, twice, theirs] = [makeMrc(2000), makeMrc(2100), makeMrc(2200)];
  const first = await publish(call, mine);
  const older = await publish(call, twice);
  await publish(call, twice, { filename: 'again.mrc' });
  const foreign = await publish(other, theirs);
  const known = await have(call, asked(theirs), asked(twice), asked(mine), asked(mine), asked(makeMrc(2300)));
  assert.deepEqual(known, [
    { ...asked(twice), file_id: older.file_id },
    { ...asked(mine), file_id: first.file_id },
  ]);
  // Of another size it is another file.
  assert.deepEqual(await have(call, { ...asked(mine), size: 1999 }), []);
  const unknown = await call('POST', '/files/have', { json: { files: [asked(makeMrc(2200))] } });
  const belongs = await call('POST', '/files/have', { json: { files: [asked(theirs)] } });
  assert.deepEqual(belongs.body, unknown.body);
  // The rights of an administrator are no other files of his own, as with GET /files.
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  assert.deepEqual(await have(admin, asked(mine)), []);
  await call('DELETE', `/files/${first.file_id}`);
  assert.deepEqual(await have(call, asked(mine)), []);
  assertFailure(await call('POST', `/files/${foreign.file_id}/copy`), 'file_not_found');
});

test('have: needs its scope, a digest and a bound', async () => {
  const claims = newOwner();
  const files = [asked(makeMrc(2000))];
  const ask = (call: Call, json: object) => call('POST', '/files/have', { json });
  assertFailure(await ask(callAs(server, { ...claims, scope: 'uploads:write' }), { files }), 'forbidden');
  const call = callAs(server, claims);
  const link = (await call('POST', '/links')).json<{ token: string }>();
  const byLink = callWith(server, { authorization: `Bearer ${link.token}` });
  assertFailure(await ask(byLink, { files }), 'forbidden');
  for (const wrong of [
    {},
    { files: [] },
    { files: Array(1001).fill(files[0]) },
    { files: [{ sha256: 'x', size: 1 }] },
  ]) {
    assertFailure(await ask(call, wrong), 'invalid_request');
  }
  assert.equal((await ask(call, { files: Array(1000).fill(files[0]) })).status, 200);
  const { file_id } = await publish(call, makeMrc(2000));
  assertFailure(await byLink('POST', `/files/${file_id}/copy`), 'forbidden');
  for (const scope of ['uploads:write', 'files:read']) {
    assertFailure(await callAs(server, { ...claims, scope })('POST', `/files/${file_id}/copy`), 'forbidden');
  }
});

test('copy: a file of its own with the same bytes, that outlives its source', async () => {
  const claims = newOwner();
  const call = callAs(server, claims);
  const bytes = makeMrc(200_000);
  const source = await publish(call, bytes, { metadata: { sample: 'a' }, instrument: 'krios' });
  const stream = await EventStream.open(server, '/events', claims);
  const metadata = { path: 'session 2/b.mrc' };
  const file = await copied(call, source, { filename: 'b.mrc', metadata });
  assert.notEqual(file.file_id, source.file_id);
  const own = ['file_id', 'upload_id', 'filename', 'metadata', 'copied_from', 'created_at'] as const;
  assert.deepEqual(
    { ...file, ...Object.fromEntries(own.map((name) => [name, source[name]])), copied_from: undefined },
    { ...source, copied_from: undefined },
  );
  assert.deepEqual([file.filename, file.metadata, file.copied_from], ['b.mrc', metadata, source.file_id]);
  assert.deepEqual(await content(call, file), bytes);
  const seen: string[] = [];
  while (!seen.includes('cryolift.file.published')) {
    const event = await stream.next();
    const data = event?.data as { copied_from?: string; upload_id?: string } | undefined;
    if (data?.upload_id !== file.upload_id) continue;
    assert.equal(data.copied_from, source.file_id);
    seen.push(event?.type ?? '');
  }
  stream.close();
  assert.deepEqual(seen, ['cryolift.upload.verifying', 'cryolift.upload.completed', 'cryolift.file.published']);
  const upload = (await call('GET', `/uploads/${file.upload_id}`)).json<UploadRecord>();
  assert.deepEqual([upload.status, upload.progress, upload.missing_parts], ['completed', 1, []]);
  // Its pictures are its own.
  const picture = await eventually(
    () => getPicture(call, `/files/${file.file_id}/preview`),
    ({ status }) => status === 200,
  );
  assert.equal((await call('DELETE', `/files/${source.file_id}`)).status, 204);
  assert.deepEqual(await content(call, file), bytes);
  assert.deepEqual((await getPicture(call, `/files/${file.file_id}/preview`)).body, picture.body);
  assert.equal((await call('DELETE', `/files/${file.file_id}`)).status, 204);
  assertFailure(await call('GET', `/files/${file.file_id}/content`), 'file_not_found');
});

test('copy: repeated, and twice at once, it is one file', async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, makeMrc(2000), { metadata: { path: 'one/movie.mrc' } });
  // As it is, it is there.
  const same = await copy(call, source);
  assert.deepEqual([same.status, same.json<FileRecord>().file_id], [200, source.file_id]);
  const json = { metadata: { path: 'two/movie.mrc' } };
  const answers = await Promise.all(Array.from({ length: 5 }, () => copy(call, source, json)));
  const ids = new Set(answers.map((answer) => answer.json<FileRecord>().file_id));
  assert.equal(ids.size, 1, answers.map(({ status, body }) => `${status} ${body}`).join('\n'));
  const again = await copy(call, source, json);
  assert.deepEqual([again.status, again.json<FileRecord>().file_id], [200, [...ids][0]]);
  // In another folder, under another name, or in a dataset it is another file.
  await copied(call, source, { metadata: { path: 'three/movie.mrc' } });
  await copied(call, source, { ...json, filename: 'other.mrc' });
  await copied(call, source, { metadata: { ...json.metadata, dataset: 'session' } });
  assert.equal((await listFiles(call)).length, 5);
});

test('copy: it belongs to a dataset as an upload does, counts there, and completes it', async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, makeMrc(2000));
  const json = { name: 'from a copy', expected_files: 1, complete_when_whole: true };
  const { dataset_id } = (await call('POST', '/datasets', { json })).json<DatasetRecord>();
  const file = await copied(call, source, { dataset_id });
  assert.equal(file.dataset_id, dataset_id);
  const dataset = await eventually(
    async () => (await call('GET', `/datasets/${dataset_id}`)).json<DatasetRecord>(),
    ({ state }) => state === 'complete',
  );
  assert.deepEqual([dataset.files, dataset.bytes], [1, 2000]);
  assertFailure(await copy(call, source, { dataset_id, filename: 'late.mrc' }), 'dataset_closed');
  // Without another name it is the one that is there.
  assert.equal((await copy(call, source, { dataset_id })).status, 200);
  const made = await copied(call, source, { metadata: { dataset: 'made by a copy' } });
  assert.ok(made.dataset_id !== undefined && made.dataset_id !== dataset_id);
  const foreign = (
    await callAs(server, newOwner())('POST', '/datasets', { json: { name: 'x' } })
  ).json<DatasetRecord>();
  assertFailure(await copy(call, source, { dataset_id: foreign.dataset_id }), 'dataset_not_found');
});

test('copy: quotas count it, and a name of another type is checked', async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, makeMrc(400_000));
  await copied(call, source, { filename: 'b.mrc' });
  assertFailure(await copy(call, source, { filename: 'c.mrc' }), 'quota_exceeded');
  const { file_id } = await publish(call, Buffer.alloc(3000, 'x'), { filename: 'a.bin' });
  assertFailure(await copy(call, { file_id }, { filename: 'a.mrc' }), 'invalid_mrc');
  assertFailure(await copy(call, { file_id }, { filename: 'a.tif' }), 'invalid_tiff');
  assertFailure(await copy(call, { file_id }, { filename: 'a.exe' }), 'unsupported_file_type');
  const forced = await copied(call, { file_id }, { filename: 'a.mrc', force: true });
  assert.ok(forced.warnings.length > 0);
  // What was accepted once is accepted again.
  await copied(call, forced, { filename: 'b.mrc' });
});

test('copy: an empty file has no bytes to copy', async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, Buffer.alloc(0), { filename: 'empty.bin' });
  const file = await copied(call, source, { filename: 'empty too.bin' });
  assert.deepEqual([file.size, file.sha256], [0, sha256Hex(Buffer.alloc(0))]);
});

test('copy: an administrator copies for the owner', async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, makeMrc(2000));
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  const file = await copied(admin, source, { filename: 'by root.mrc' });
  assert.equal(file.owner, source.owner);
  assert.equal((await call('GET', `/files/${file.file_id}`)).status, 200);
});

/** Of a server with a local disk. */
const pathOf = ({ dataDir }: OwnServer, { file_id, filename }: FileRecord) => join(dataDir, 'files', file_id, filename);
const onDisk = { skip: process.env.CRYOLIFT_TEST_STORAGE ? 'the bytes are not on a disk' : false };

test('copy: on a disk it is the same bytes, once', onDisk, async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, makeMrc(2000));
  const file = await copied(call, source, { filename: 'link.mrc' });
  const [of, to] = [statSync(pathOf(server, source)), statSync(pathOf(server, file))];
  assert.deepEqual([to.ino, to.nlink, to.mode & 0o777], [of.ino, 2, 0o400]);
  await call('DELETE', `/files/${source.file_id}`);
  assert.deepEqual([statSync(pathOf(server, file)).nlink, statSync(pathOf(server, file)).mode & 0o777], [1, 0o400]);
});

async function scrub(): Promise<ScrubReport> {
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  assert.equal((await admin('POST', '/admin/scrub', { json: {} })).status, 202);
  return await eventually(
    async () => (await admin('GET', '/admin/scrub')).json<ScrubReport>(),
    ({ status }) => status !== 'running',
  );
}

test('copy: what a scrub has found damaged is not known and not copied, until it is right again', onDisk, async () => {
  const call = callAs(server, newOwner());
  const bytes = makeMrc(2000);
  const source = await publish(call, bytes);
  const path = pathOf(server, source);
  const right = readFileSync(path);
  writeFileSync(path, Buffer.alloc(2000), { mode: 0o600 });
  assert.ok((await scrub()).faults.some(({ file_id }) => file_id === source.file_id));
  assert.deepEqual(await have(call, asked(bytes)), []);
  assertFailure(await copy(call, source, { filename: 'rot.mrc' }), 'file_damaged');
  assert.equal((await listFiles(call)).length, 1);
  writeFileSync(path, right);
  await scrub();
  await copied(call, source, { filename: 'right.mrc' });
});

test('copy: a source whose bytes are gone fails at once, and nothing of the copy is left', onDisk, async () => {
  const call = callAs(server, newOwner());
  const source = await publish(call, Buffer.alloc(500_000, 'x'), { filename: 'short.bin' });
  truncateSync(pathOf(server, source), 10);
  assertFailure(await copy(call, source, { filename: 'copy.bin' }), 'storage_unavailable');
  assert.deepEqual(
    (await listFiles(call)).map(({ file_id }) => file_id),
    [source.file_id],
  );
  const { items } = (await call('GET', '/uploads?status=failed')).json<{ items: UploadRecord[] }>();
  assert.equal(items[0]?.copied_from, source.file_id);
  // It counts for no quota.
  assert.equal((await call('POST', '/uploads/init', { json: initRequest({ size: 500_000 }) })).status, 201);
});
