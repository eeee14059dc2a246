/** What administrators see and do, and nobody else. */
import assert from 'node:assert/strict';
import { chmod, open, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FileRecord, OwnedUploadPage, ScrubReport, SweepReport, Swept } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { eventually, openSample, publish, put } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await startServer();
after(() => server.discard());
const admin = callAs(server, { sub: 'root', scope: 'admin' });
const ada = callAs(server, { sub: 'ada' });

const readScrub = async () => (await admin('GET', '/admin/scrub')).json<ScrubReport>();

async function scrub(): Promise<ScrubReport> {
  const started = await admin('POST', '/admin/scrub', { json: {} });
  assert.equal(started.status, 202, started.body.toString());
  return await eventually(readScrub, ({ status }) => status !== 'running');
}

function storedPath({ file_id, filename }: { file_id: string; filename: string }): string {
  return join(server.dataDir, 'files', file_id, filename);
}

/** Turns one bit, without changing size or time of anything else. */
async function flipBit(path: string, at: number): Promise<void> {
  await chmod(path, 0o600);
  const handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

for (const call of [
  'GET /admin/overview',
  'GET /admin/sessions',
  'POST /admin/sweep',
  'GET /admin/sweep',
  'POST /admin/scrub',
  'GET /admin/scrub',
  'DELETE /admin/scrub',
]) {
  test(`admin: ${call} needs the scope admin`, async () => {
    const [method = '', path = ''] = call.split(' ');
    const all = callAs(server, { scope: 'uploads:write files:read files:delete files:locate' });
    assertFailure(await all(method, path), 'forbidden');
  });
}

test("admin: everybody's uploads are listed, newest first, page by page", async () => {
  const { upload, bytes } = await openSample(ada, 2);
  await put(ada, upload, 0, bytes);
  const { upload: other } = await openSample(callAs(server, { sub: 'bob' }), 1);
  const first = (await admin('GET', '/admin/sessions?limit=1')).json<OwnedUploadPage>();
  assert.deepEqual(
    first.items.map(({ upload_id, owner, status }) => [upload_id, owner, status]),
    [[other.upload_id, 'bob', 'pending']],
  );
  const next = (await admin('GET', `/admin/sessions?limit=1&cursor=${first.next_cursor}`)).json<OwnedUploadPage>();
  assert.deepEqual(
    next.items.map(({ upload_id, owner, received_bytes, link_id }) => [upload_id, owner, received_bytes, link_id]),
    [[upload.upload_id, 'ada', upload.part_size, null]],
  );
  const pending = (await admin('GET', '/admin/sessions?status=pending')).json<OwnedUploadPage>();
  assert.ok(pending.items.every(({ status }) => status === 'pending'));
});

test('admin: a sweep removes what lies in the staging area without an upload, and says so', async () => {
  const stray = join(server.dataDir, 'staging', 'nobodys');
  await (await open(stray, 'w')).close();
  const swept = (await admin('POST', '/admin/sweep')).json<Swept>();
  assert.deepEqual(swept, { expired: 0, deleted: 0, leftovers: 1, forgotten: 0 });
  const report = (await admin('GET', '/admin/sweep')).json<SweepReport>();
  assert.deepEqual([report.status, report.swept], ['done', swept]);
  assert.ok(!(await readdir(join(server.dataDir, 'staging'))).includes('nobodys'));
});

test('admin: a scrub finds the file with a turned bit, the one that is gone and the one that was cut, and no other', async () => {
  const [sound, turned, gone, cut] = [
    await publish(ada, makeMrc(300_000)),
    await publish(ada, makeMrc(2_500_000)),
    await publish(ada, makeMrc(4000)),
    await publish(ada, makeMrc(5000)),
  ];
  const clean = await scrub();
  assert.deepEqual([clean.status, clean.files, clean.ok, clean.faults], ['done', 4, 4, []]);
  assert.equal(clean.checked_bytes, clean.bytes);

  await flipBit(storedPath(turned), 2_400_001);
  await rm(storedPath(gone));
  await chmod(storedPath(cut), 0o600);
  const handle = await open(storedPath(cut), 'r+');
  await handle.truncate(4999);
  await handle.close();
  const report = await scrub();
  assert.deepEqual(
    report.faults.map(({ file_id, fault }) => [file_id, fault]),
    [
      [turned.file_id, 'damaged'],
      [gone.file_id, 'missing'],
      [cut.file_id, 'damaged'],
    ],
  );
  assert.deepEqual([report.ok, report.damaged, report.missing, report.unreadable], [1, 2, 1, 0]);
  assert.match(server.stderr, /a stored file has changed/);
  // The record stays, and what is left of the bytes can be had.
  assert.equal((await ada('GET', `/files/${turned.file_id}`)).status, 200);
  assert.equal((await ada('GET', `/files/${turned.file_id}/content`)).body.length, turned.size);
  assert.equal((await ada('GET', `/files/${sound.file_id}/content`)).status, 200);
  const events = await EventStream.open<FileRecord>(server, '/events', { sub: 'ada' }, '0');
  const damaged: string[] = [];
  while (damaged.length < 3) {
    const received = await events.next();
    if (received?.type === 'cryolift.file.damaged') damaged.push(received.data.file_id);
  }
  events.close();
  assert.deepEqual(
    damaged,
    report.faults.map(({ file_id }) => file_id),
  );
});

test('scrub: a file that cannot be read is neither damaged nor missing, in the report, the events and the log', async () => {
  const file = await publish(ada, makeMrc(6000));
  const path = storedPath(file);
  await rename(path, `${path}.away`);
  // A link to itself: the system answers ELOOP, also to root.
  await symlink(path, path);
  const report = await scrub();
  assert.deepEqual(
    report.faults.filter(({ file_id }) => file_id === file.file_id).map(({ fault }) => fault),
    ['unreadable'],
  );
  assert.equal(report.unreadable, 1);
  assert.match(server.stderr, /"fault":"unreadable".*ELOOP.*a stored file cannot be read/);
  await rm(path);
  await rename(`${path}.away`, path);
  await ada('DELETE', `/files/${file.file_id}`);
  const events = await EventStream.open<FileRecord>(server, '/events', { sub: 'ada' }, '0');
  const types: string[] = [];
  while (!types.includes('cryolift.file.deleted')) {
    const received = await events.next();
    if (received?.data.file_id === file.file_id) types.push(received.type);
  }
  events.close();
  assert.ok(types.includes('cryolift.file.unreadable'), types.join());
  assert.ok(!types.includes('cryolift.file.damaged'), types.join());
});

test('scrub: one at a time; it continues after a kill, and can be stopped', async () => {
  const big = await publish(ada, makeMrc(4 * 1024 * 1024));
  await publish(ada, makeMrc(4 * 1024 * 1024));
  // So slow that it cannot be through before it is killed.
  const slow = { json: { bytes_per_second: 1024 * 1024 } };
  const started = (await admin('POST', '/admin/scrub', slow)).json<ScrubReport>();
  assert.equal(started.status, 'running');
  const joined = (await admin('POST', '/admin/scrub', { json: {} })).json<ScrubReport>();
  assert.deepEqual([joined.started_at, joined.bytes_per_second], [started.started_at, 1024 * 1024]);
  await server.kill9();
  await server.restart();
  const after = await readScrub();
  assert.deepEqual([after.status, after.started_at], ['running', started.started_at]);
  const ended = (await admin('DELETE', '/admin/scrub')).json<ScrubReport>();
  assert.equal(ended.status, 'stopped');
  await server.stop();
  await server.restart();
  assert.equal((await readScrub()).status, 'stopped');
  assert.ok(big.size > 0);
});

test('admin: a file that is deleted during a scrub is no fault', async () => {
  const doomed = await publish(ada, makeMrc(6 * 1024 * 1024));
  await admin('POST', '/admin/scrub', { json: { bytes_per_second: 2 * 1024 * 1024 } });
  await ada('DELETE', `/files/${doomed.file_id}`);
  await admin('DELETE', '/admin/scrub');
  const report = await scrub();
  assert.ok(!report.faults.some(({ file_id }) => file_id === doomed.file_id));
});
