/** `cryolift migrate` between the engines: what a server had is there, and goes on, at the other side. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { openSample, publish, put } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { runServe, type Settings, startServer } from '../server-under-test.ts';
import { assertMoved, type Content, fill, migrate, openPartly, summaryOf } from './migration.ts';
import { environmentOf, makeFolder, onDisk, onEngines, options, toTarget } from './migration-sides.ts';

const CLAIMS = { sub: 'ada', scope: 'uploads:write files:read files:delete admin' };

/** A server that was filled and stopped. */
async function makeSource(settings: Settings): Promise<Content> {
  const server = await startServer(settings);
  const content = await fill(server);
  assert.equal(await server.stop(), 0);
  return content;
}

test('migrate: from SQLite and a folder to PostgreSQL and a bucket, and back', options, async (t) => {
  const [first, back] = [onDisk(makeFolder(t)), onDisk(makeFolder(t))];
  const engines = await onEngines(t, makeFolder(t));
  const content = await makeSource(first);
  const before = readdirSync(first.CRYOLIFT_DATA_DIR as string, { recursive: true }).sort();

  const counted = await migrate(environmentOf(first, engines), [...toTarget(engines), '--dry-run']);
  assert.equal(counted.code, 0, counted.stderr);
  const { files, uploads, tables } = JSON.parse(counted.stdout);
  assert.deepEqual([files, uploads, tables.files, tables.links], [3, 1, 3, 1]);

  const there = await migrate(environmentOf(first, engines), toTarget(engines));
  assert.equal(there.code, 0, there.stdout + there.stderr);
  const { complete, uploads: moved } = summaryOf(there);
  assert.deepEqual([complete, moved], [true, [{ ...moved[0], parts: 2, lost: 0 }]]);
  assert.deepEqual(
    readdirSync(first.CRYOLIFT_DATA_DIR as string, { recursive: true }).sort(),
    before,
    'nothing is removed at the source',
  );

  const second = await startServer(engines);
  t.after(() => second.discard());
  const finished = await assertMoved(second, content, [[1, 1]]);
  // It has the id of its upload in a bucket, and is read there while its digest may still be missing.
  const call = callAs(second, CLAIMS);
  const later = await openPartly(call);
  const bytes = makeMrc(4000);
  const late = await publish(call, bytes, { filename: 'late.mrc' });
  assert.equal(await second.stop(), 0);

  const home = await migrate(environmentOf(engines, back), toTarget(back));
  assert.equal(home.code, 0, home.stdout + home.stderr);
  assert.deepEqual(
    summaryOf(home).uploads.map(({ parts, lost }) => [parts, lost]),
    [
      [0, 0],
      [2, 2],
    ],
    'the parts of a multipart upload cannot be read',
  );
  const third = await startServer(back);
  t.after(() => third.discard());
  const all = {
    ...content,
    ...later,
    files: [...content.files, { record: finished, bytes: content.uploadBytes }, { record: late, bytes }],
  };
  await assertMoved(third, all, [[0, 2]]);
  const swept = await callAs(third, CLAIMS)('POST', '/admin/sweep');
  assert.equal(swept.status, 200);
  // The other one of the link has no bytes yet.
  assert.equal(readdirSync(join(third.dataDir, 'staging')).length, 1, 'an upload of the link was moved');
});

test(
  'migrate: uploads whose parts are too small for the target are cancelled only with --cancel-uploads',
  options,
  async (t) => {
    const source = onDisk(makeFolder(t));
    const target = await onEngines(t, makeFolder(t));
    const server = await startServer(source);
    const call = callAs(server, CLAIMS);
    const { upload, bytes } = await openSample(call);
    await put(call, upload, 1, bytes);
    // One part fits everywhere, however small.
    const single = await openSample(call, 1);
    await put(call, single.upload, 0, single.bytes);
    assert.equal(await server.stop(), 0);

    const env = environmentOf(source, target);
    const refused = await migrate(env, toTarget(target));
    assert.equal(refused.code, 4, refused.stdout + refused.stderr);
    assert.deepEqual(
      summaryOf(refused).refused_uploads.map(({ upload_id }) => upload_id),
      [upload.upload_id],
    );
    const unready = await runServe({ CRYOLIFT_PORT: '0', CRYOLIFT_JWT_SECRET: 'x'.repeat(32), ...target });
    assert.equal(unready.code, 1);
    assert.match(
      unready.stderr,
      /CRYOLIFT_DATABASE_URL: the migration from sqlite:\S+ into this database has not ended/,
    );
    const leaving = await runServe({ CRYOLIFT_PORT: '0', ...source });
    assert.match(leaving.stderr, /this database is being migrated to postgres:\/\/\S+; finish that/);

    const done = await migrate(env, [...toTarget(target), '--cancel-uploads']);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const moved = await startServer(target);
    t.after(() => moved.discard());
    const there = callAs(moved, CLAIMS);
    assert.equal((await there('GET', `/uploads/${upload.upload_id}`)).json<{ status: string }>().status, 'cancelled');
    assert.equal((await there('POST', `/uploads/${single.upload.upload_id}/complete`)).status, 200);
  },
);

test('migrate: the database alone, after which the source does not start', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const content = await makeSource(source);
  const url = await makePostgresUrl(t);
  const done = await migrate(source, ['--to', url]);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const old = await runServe({ CRYOLIFT_PORT: '0', ...source });
  assert.equal(old.code, 1);
  assert.match(old.stderr, /this database was migrated to postgres:\/\/\S+, which has its files now/);
  const server = await startServer({ ...source, CRYOLIFT_DATABASE_URL: url });
  t.after(() => server.discard());
  await assertMoved(server, content, [[1, 1]]);
});

test('migrate: a running server, a target in use and wrong arguments are refused', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const server = await startServer(source);
  t.after(() => server.discard());
  await publish(callAs(server, CLAIMS), makeMrc(2000));
  const url = await makePostgresUrl(t);
  const running = await migrate(source, ['--to', url]);
  assert.equal(running.code, 1);
  assert.match(running.stdout, /another server is using/);
  const shared = await onEngines(t, makeFolder(t));
  const other = await startServer(shared);
  t.after(() => other.discard());
  await publish(callAs(other, CLAIMS), makeMrc(2000));
  assert.equal(await server.stop(), 0);
  const taken = await migrate(environmentOf(source, shared), ['--to', shared.CRYOLIFT_DATABASE_URL]);
  assert.equal(taken.code, 1);
  assert.match(taken.stdout, /has \d+ connections of servers/);
  // Its folder is another one, so that nothing but the database shows the server.
  const away = await migrate({ ...shared, CRYOLIFT_DATA_DIR: makeFolder(t) }, toTarget(onDisk(makeFolder(t))));
  assert.equal(away.code, 1);
  assert.match(away.stdout, /has \d+ connections of servers/);
  assert.equal(await other.stop(), 0);
  const full = await migrate(environmentOf(source, shared), ['--to', shared.CRYOLIFT_DATABASE_URL]);
  assert.equal(full.code, 1);
  assert.match(full.stdout, /is not empty; a migration needs an empty database/);
  for (const args of [[], ['--to', 'mysql:x'], ['--to', source.CRYOLIFT_DATABASE_URL as string]]) {
    assert.equal((await migrate(source, args)).code, 2, args.join(' '));
  }
  // Nothing of this has changed a source.
  await other.restart();
  await server.restart();
});

test('migrate: damaged bytes are reported and not copied', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const target = await onEngines(t, makeFolder(t));
  const content = await makeSource(source);
  const [whole, { record, bytes } = assert.fail(), empty] = content.files;
  const path = join(source.CRYOLIFT_DATA_DIR as string, 'files', record.file_id, record.filename);
  const wrong = Buffer.from(bytes);
  wrong.writeUInt8(wrong.readUInt8(2000) ^ 1, 2000);
  rmSync(path);
  writeFileSync(path, wrong);
  // Of an upload under way, the part is asked for again.
  const staged = join(source.CRYOLIFT_DATA_DIR as string, 'staging', content.upload.upload_id);
  writeFileSync(staged, 'other bytes', { flag: 'r+' });
  const env = environmentOf(source, target);
  const found = await migrate(env, toTarget(target));
  assert.equal(summaryOf(found).uploads[0]?.lost, 1);
  assert.equal(found.code, 4, found.stdout + found.stderr);
  assert.deepEqual(
    summaryOf(found).faults.map(({ file_id, fault }) => [file_id, fault]),
    [[record.file_id, 'damaged']],
  );
  assert.equal(summaryOf(found).complete, false);
  const left = await migrate(env, [...toTarget(target), '--leave-damaged']);
  assert.equal(left.code, 4, 'a file is still missing');
  assert.deepEqual([summaryOf(left).complete, summaryOf(left).already_copied], [true, 2]);
  const server = await startServer(target);
  t.after(() => server.discard());
  const call = callAs(server, CLAIMS);
  assertFailure(await call('GET', `/files/${record.file_id}/content`), 'storage_unavailable');
  await assertMoved(server, { ...content, files: [whole, empty].map((file) => file ?? assert.fail()) }, [[0, 1]]);
});

test('migrate: one that is given up lets the source start, and begins its rows again', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const target = await onEngines(t, makeFolder(t));
  const server = await startServer(source);
  const call = callAs(server, CLAIMS);
  const removed = await publish(call, makeMrc(2000));
  const small = await openSample(call);
  assert.equal(await server.stop(), 0);
  const env = environmentOf(source, target);
  assert.equal((await migrate(env, toTarget(target))).code, 4);
  const given = await migrate(source, ['--cancel']);
  assert.equal(given.code, 0, given.stdout + given.stderr);
  await server.restart();
  t.after(() => server.discard());
  const again = callAs(server, CLAIMS);
  assert.equal((await again('DELETE', `/uploads/${small.upload.upload_id}`)).status, 204);
  assert.equal((await again('DELETE', `/files/${removed.file_id}`)).status, 204);
  const content = await fill(server);
  assert.equal(await server.stop(), 0);
  const done = await migrate(env, toTarget(target));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const moved = await startServer(target);
  t.after(() => moved.discard());
  await assertMoved(moved, content, [[1, 1]]);
  assert.equal((await callAs(moved, CLAIMS)('GET', `/files/${removed.file_id}`)).status, 404);
});

test('migrate: to PostgreSQL and a shared folder, and back', options, async (t) => {
  const [first, back] = [onDisk(makeFolder(t)), onDisk(makeFolder(t))];
  const shared = {
    CRYOLIFT_DATA_DIR: makeFolder(t),
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    CRYOLIFT_STORAGE_URL: `file:${makeFolder(t)}`,
  };
  const content = await makeSource(first);
  // The empty database has been used with another folder.
  const tried = await startServer({ ...shared, CRYOLIFT_STORAGE_URL: `file:${makeFolder(t)}` });
  assert.equal(await tried.stop(), 0);
  const there = await migrate(first, toTarget(shared));
  assert.equal(there.code, 0, there.stdout + there.stderr);
  const second = await startServer(shared);
  t.after(() => second.discard());
  const finished = await assertMoved(second, content, [[1, 1]]);
  const later = await openPartly(callAs(second, CLAIMS));
  assert.equal(await second.stop(), 0);
  // The folder knows its next database by the id of the one before.
  const next = { ...shared, CRYOLIFT_DATABASE_URL: await makePostgresUrl(t) };
  const alone = await migrate(shared, ['--to', next.CRYOLIFT_DATABASE_URL]);
  assert.equal(alone.code, 0, alone.stdout + alone.stderr);
  const other = await startServer(next);
  assert.equal(await other.stop(), 0);
  const home = await migrate(next, toTarget(back));
  assert.equal(home.code, 0, home.stdout + home.stderr);
  const third = await startServer(back);
  t.after(() => third.discard());
  const files = [...content.files, { record: finished, bytes: content.uploadBytes }];
  // Unlike in a bucket, the parts can be read.
  await assertMoved(third, { ...content, ...later, files }, [[1, 1]]);
});
