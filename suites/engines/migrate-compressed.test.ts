/** `cryolift migrate` copies the originals of compressed files, which the target compresses again when it is told to. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { AFTER_ONE_SECOND, publishCompressed, untilCompressed } from '../contract/compression.ts';
import { makeMovie } from '../contract/sample.ts';
import { callAs } from '../contract/wire.ts';
import { type Settings, startServer } from '../server-under-test.ts';
import { migrate } from './migration.ts';
import { environmentOf, makeFolder, onDisk, onEngines, options, toTarget } from './migration-sides.ts';

const CLAIMS = { sub: 'ada', scope: 'uploads:write files:read files:delete admin' };

async function makeSource(settings: Settings): Promise<{ file: FileRecord; bytes: Buffer }> {
  const server = await startServer({ ...settings, ...AFTER_ONE_SECOND });
  const bytes = makeMovie();
  const call = callAs(server, CLAIMS);
  const file = await publishCompressed(call, call, bytes);
  assert.ok(file.compressed);
  assert.equal(await server.stop(), 0);
  return { file, bytes };
}

async function openTarget(t: TestContext, settings: Settings) {
  const server = await startServer(settings);
  t.after(() => server.discard());
  return { server, call: callAs(server, CLAIMS) };
}

test('migrate: a compressed movie arrives as it was uploaded, and is compressed there', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const engines = await onEngines(t, makeFolder(t));
  const { file, bytes } = await makeSource(source);
  const moved = await migrate(environmentOf(source, engines), toTarget(engines));
  assert.equal(moved.code, 0, moved.stdout + moved.stderr);
  const { call } = await openTarget(t, { ...engines, ...AFTER_ONE_SECOND });
  const content = async () => (await call('GET', `/files/${file.file_id}/content`)).body.equals(bytes);
  assert.ok(await content());
  const there = await untilCompressed(call, call, file.file_id);
  assert.deepEqual([there.sha256, there.compressed], [file.sha256, file.compressed]);
  assert.ok(await content());
});

test('migrate: the database alone keeps what is said of compressed files', options, async (t) => {
  const source = onDisk(makeFolder(t));
  const { file, bytes } = await makeSource(source);
  const url = await makePostgresUrl(t);
  const moved = await migrate(source, ['--to', url]);
  assert.equal(moved.code, 0, moved.stdout + moved.stderr);
  const { call } = await openTarget(t, { ...source, CRYOLIFT_DATABASE_URL: url });
  const { compressed } = (await call('GET', `/files/${file.file_id}`)).json<FileRecord>();
  assert.deepEqual(compressed, file.compressed);
  assert.ok((await call('GET', `/files/${file.file_id}/content`)).body.equals(bytes));
});
