/** Bytes and database of different moments: the storage's disk from an image of earlier, or the database from a backup. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FileRecord, ScrubReport } from '@cryolift/protocol/messages';
import { backUp } from '../../packages/server/src/backup.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { complete, eventually, openSample, publish, put, putAll, readUploadRecord } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { removeFolder } from '../crash-points/deployments.ts';
import { startServer } from '../server-under-test.ts';
import { makeFolder } from './trouble-site.ts';

const WITHOUT_BYTES = 'a file record without bytes';
const WITHOUT_RECORD = 'folder in files/ without a record, not changed';
const WITHOUT_UPLOAD = 'staging file without a live upload removed';
const DELETED = 'leftover folder of a deleted file removed';

/** A server whose database and bytes are in different folders, as on two disks. */
async function startOnTwoDisks(context: TestContext) {
  const folder = makeFolder();
  const [data, storage] = [join(folder, 'data'), join(folder, 'storage')];
  for (const each of [data, storage]) mkdirSync(each, { mode: 0o700 });
  const server = await startServer({ CRYOLIFT_DATA_DIR: data, CRYOLIFT_STORAGE_URL: `file:${storage}` });
  context.after(async () => {
    await server.discard();
    removeFolder(folder);
  });
  const call = callAs(server, { sub: 'ada', scope: 'admin' });
  const scrub = async () => {
    assert.equal((await call('POST', '/admin/scrub', { json: {} })).status, 202);
    const read = async () => (await call('GET', '/admin/scrub')).json<ScrubReport>();
    const { faults } = await eventually(read, ({ status }) => status !== 'running');
    return faults.map(({ file_id, fault }) => [file_id, fault]);
  };
  /** The ids in the lines of the log of this message, once it is there. */
  const report = async (message: string, count: number) => {
    const find = () => {
      const lines = server.stderr.split('\n').filter((line) => line.includes(`"${message}"`));
      const ids = lines.map((line) => JSON.parse(line) as { file_id?: string; upload_id?: string });
      return [...new Set(ids.map(({ file_id, upload_id }) => file_id ?? upload_id))].sort();
    };
    return await eventually(
      async () => find(),
      (ids) => ids.length >= count,
    );
  };
  return { folder, data, storage, server, call, scrub, report };
}

const NAMES = {
  first: 'first.mrc',
  deleted: 'deleted.mrc',
  later: 'later.mrc',
  begun: 'begun.mrc',
  going: 'going.mrc',
};

// Invariants 2, 3, 4
test('images: bytes of an earlier moment under a newer database', { timeout: 240_000 }, async (context) => {
  const { folder, storage, server, call, scrub, report } = await startOnTwoDisks(context);
  const content = makeMrc(100_000);
  const first = await publish(call, content, { filename: NAMES.first });
  const deleted = await publish(call, makeMrc(3001), { filename: NAMES.deleted });
  const { upload: going, bytes } = await openSample(call, 4, { filename: NAMES.going });
  await put(call, going, 0, bytes);
  const ended = await openSample(call, 2, { filename: NAMES.begun });
  await put(call, ended.upload, 0, ended.bytes);
  await server.stop();
  const image = join(folder, 'image');
  cpSync(storage, image, { recursive: true, preserveTimestamps: true });
  await server.restart();

  assert.equal((await call('DELETE', `/files/${deleted.file_id}`)).status, 204);
  const later = await publish(call, makeMrc(3002), { filename: NAMES.later });
  await put(call, going, 1, bytes);
  await putAll(call, ended.upload, ended.bytes);
  const published = (await complete(call, ended.upload)).json<FileRecord>();
  const { upload: begun, bytes: begunBytes } = await openSample(call, 2, { filename: 'new.mrc' });
  await put(call, begun, 0, begunBytes);
  await server.kill9();
  rmSync(storage, { recursive: true });
  cpSync(image, storage, { recursive: true, preserveTimestamps: true });
  await server.restart();
  assert.equal((await call('POST', '/admin/sweep')).status, 200);

  // Records whose bytes are gone are reported, and never served.
  assert.deepEqual(await report(WITHOUT_BYTES, 2), [later.file_id, published.file_id].sort());
  for (const { file_id } of [later, published]) {
    assert.equal((await call('GET', `/files/${file_id}`)).status, 200);
    assertFailure(await call('GET', `/files/${file_id}/content`), 'storage_unavailable');
  }
  assert.deepEqual(
    (await scrub()).sort(),
    [
      [later.file_id, 'missing'],
      [published.file_id, 'missing'],
    ].sort(),
  );
  // Bytes that no row has any more are removed.
  assert.deepEqual(await report(DELETED, 1), [deleted.file_id]);
  assertFailure(await call('GET', `/files/${deleted.file_id}/content`), 'file_not_found');
  assert.deepEqual(await report(WITHOUT_UPLOAD, 1), [ended.upload.upload_id]);
  assert.deepEqual((await call('GET', `/files/${first.file_id}/content`)).body, content);
  assert.equal((await call('DELETE', `/files/${later.file_id}`)).status, 204);

  // An acknowledged part that is not there is asked for again.
  for (const idx of [2, 3]) assert.equal((await put(call, going, idx, bytes)).status, 201);
  const refused = assertFailure(await complete(call, going), 'upload_incomplete');
  assert.deepEqual(refused.details, { missing_parts: [[1, 1]] });
  await put(call, going, 1, bytes);
  const right = (await complete(call, going)).json<FileRecord>();
  assert.equal(right.sha256, sha256Hex(bytes));
  assert.deepEqual((await call('GET', `/files/${right.file_id}/content`)).body, bytes);
  // An upload whose staging file is not in the image is asked for from its beginning.
  assertFailure(await put(call, begun, 1, begunBytes), 'storage_unavailable');
  await eventually(
    () => readUploadRecord(call, begun),
    ({ received_parts }) => received_parts === 0,
  );
  await putAll(call, begun, begunBytes);
  assert.equal((await complete(call, begun)).json<FileRecord>().sha256, sha256Hex(begunBytes));
});

// Invariants 2, 3, 4
test('images: a database of an earlier moment over newer bytes', { timeout: 240_000 }, async (context) => {
  const { folder, data, storage, server, call, scrub, report } = await startOnTwoDisks(context);
  const content = makeMrc(100_000);
  const first = await publish(call, content, { filename: NAMES.first });
  const deleted = await publish(call, makeMrc(3001), { filename: NAMES.deleted });
  const { upload: going, bytes } = await openSample(call, 4, { filename: NAMES.going });
  await put(call, going, 0, bytes);
  const finished = await openSample(call, 2, { filename: 'finished.mrc' });
  await put(call, finished.upload, 0, finished.bytes);
  const backup = join(folder, 'backup');
  await backUp({}, { 'data-dir': data }, backup);

  assert.equal((await call('DELETE', `/files/${deleted.file_id}`)).status, 204);
  const later = await publish(call, makeMrc(3002), { filename: NAMES.later });
  await put(call, going, 1, bytes);
  await putAll(call, finished.upload, finished.bytes);
  const published = (await complete(call, finished.upload)).json<FileRecord>();
  const { upload: begun, bytes: begunBytes } = await openSample(call, 2, { filename: NAMES.begun });
  await put(call, begun, 0, begunBytes);
  await server.stop();
  for (const name of readdirSync(data).filter((each) => each.startsWith('cryolift.sqlite'))) rmSync(join(data, name));
  cpSync(join(backup, 'cryolift.sqlite'), join(data, 'cryolift.sqlite'));
  await server.restart();
  assert.equal((await call('POST', '/admin/sweep')).status, 200);

  assert.deepEqual(await report(WITHOUT_BYTES, 1), [deleted.file_id]);
  assertFailure(await call('GET', `/files/${deleted.file_id}/content`), 'storage_unavailable');
  assert.deepEqual(await scrub(), [[deleted.file_id, 'missing']]);
  assert.equal((await call('DELETE', `/files/${deleted.file_id}`)).status, 204);
  // Files without a record are left for a person, and served to nobody.
  assert.deepEqual(await report(WITHOUT_RECORD, 2), [later.file_id, published.file_id].sort());
  for (const { file_id, filename } of [later, published]) {
    assertFailure(await call('GET', `/files/${file_id}/content`), 'file_not_found');
    assert.ok(existsSync(join(storage, 'files', file_id, filename)));
  }
  assert.deepEqual(await report(WITHOUT_UPLOAD, 1), [begun.upload_id]);
  assertFailure(await put(call, begun, 1, begunBytes), 'upload_not_found');
  assert.deepEqual((await call('GET', `/files/${first.file_id}/content`)).body, content);

  // Parts that the database does not know are sent again; those that it knows are there.
  assert.deepEqual((await readUploadRecord(call, going)).missing_parts, [[1, 3]]);
  await putAll(call, going, bytes);
  assert.equal((await complete(call, going)).json<FileRecord>().sha256, sha256Hex(bytes));
  // The bytes of an upload that was published since are asked for again, and the file of then stays.
  const reported = await readUploadRecord(call, finished.upload);
  assert.deepEqual([reported.status, reported.missing_parts], ['uploading', [[0, 1]]]);
  await putAll(call, finished.upload, finished.bytes);
  const again = (await complete(call, finished.upload)).json<FileRecord>();
  assert.equal(again.sha256, sha256Hex(finished.bytes));
  assert.notEqual(again.file_id, published.file_id);
  assert.equal(statSync(join(storage, 'files', published.file_id, published.filename)).size, published.size);
});
