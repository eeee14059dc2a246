/** Two servers on one PostgreSQL and one folder; a folder of this system stands for one that both mount. */
import assert from 'node:assert/strict';
import { chmodSync, closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { FileRecord, JobList, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex, shuffle } from '../contract/sample.ts';
import { completeOnce, eventually, initRequest, put, putAll, readUploadRecord } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import { runServe, startServer } from '../server-under-test.ts';

const PART_BYTES = 64 * 1024;
const options = { skip: whyNoCluster() ?? false, timeout: 230_000 };

async function startTwo(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-mount-'));
  const settings = {
    CRYOLIFT_DATABASE_URL: await makePostgresUrl(t),
    CRYOLIFT_STORAGE_URL: pathToFileURL(folder).href,
  };
  const servers = await Promise.all([startServer(settings), startServer(settings)]);
  t.after(async () => {
    await Promise.all(servers.map((server) => server.discard()));
    rmSync(folder, { recursive: true, force: true });
  });
  const [one, two] = servers;
  return { folder, settings, one, two, callOne: callAs(one, { sub: 'ada' }), callTwo: callAs(two, { sub: 'ada' }) };
}

async function openParts(call: Call, partCount: number) {
  const bytes = makeMrc((partCount - 1) * PART_BYTES + 1500);
  const opened = await call('POST', '/uploads/init', {
    json: initRequest({ size: bytes.length, part_size: PART_BYTES }),
  });
  return { bytes, upload: opened.json<UploadRecord>() };
}

/** As a server that was paused with an open file writes when it goes on. */
function overwrite(path: string, offset: number): void {
  chmodSync(path, 0o600);
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from('late'), 0, 4, offset);
  closeSync(fd);
}

async function download(call: Call, file: FileRecord): Promise<Buffer> {
  return (await call('GET', `/files/${file.file_id}/content`)).body;
}

// Invariants 1, 2, 3
test(
  'shared folder: parts go to two servers, one is killed, and the other one completes the file',
  options,
  async (t) => {
    const { folder, one, callOne, callTwo } = await startTwo(t);
    const { bytes, upload } = await openParts(callOne, 40);
    const acknowledged = new Set<number>();
    const enough = Promise.withResolvers<void>();
    const queue = shuffle([...Array(upload.part_count).keys()]);
    const send = async (call: Call) => {
      for (let idx = queue.pop(); idx !== undefined; idx = queue.pop()) {
        const answer = await put(call, upload, idx, bytes).catch(() => null);
        if (!answer) return;
        assert.equal(answer.status, 201, answer.body.toString());
        acknowledged.add(idx);
        if (acknowledged.size >= 20) enough.resolve();
      }
    };
    const sending = Promise.all([send(callOne), send(callTwo), send(callOne), send(callTwo)]);
    await enough.promise;
    await one.kill9();
    await sending;
    const { missing_parts } = await readUploadRecord(callTwo, upload);
    const missing = [...eachPart(missing_parts as [number, number][])];
    assert.deepEqual(
      missing.filter((idx) => acknowledged.has(idx)),
      [],
    );
    for (const idx of missing) assert.equal((await put(callTwo, upload, idx, bytes)).status, 201);
    const answer = await completeOnce(callTwo, upload, { sha256: sha256Hex(bytes) });
    assert.equal(answer.status, 200, answer.body.toString());
    const file = answer.json<FileRecord>();
    assert.equal(file.sha256, sha256Hex(bytes));
    assert.ok((await download(callTwo, file)).equals(bytes));
    await one.restart();
    const again = callAs(one, { sub: 'ada' });
    assert.ok((await download(again, file)).equals(bytes));
    assert.equal((await again('POST', `/uploads/${upload.upload_id}/complete`)).status, 200);
    assert.deepEqual(readdirSync(join(folder, 'staging')), []);
    assert.deepEqual(readdirSync(join(folder, 'files')), [file.file_id]);
  },
);

test('shared folder: both servers complete at once, and the file is published once', options, async (t) => {
  const { folder, callOne, callTwo } = await startTwo(t);
  for (const declared of [false, true]) {
    const { bytes, upload } = await openParts(callTwo, 5);
    await putAll(callOne, upload, bytes);
    const body = declared ? { sha256: sha256Hex(bytes) } : undefined;
    const answers = await Promise.all([completeOnce(callOne, upload, body), completeOnce(callTwo, upload, body)]);
    const files = answers.map((answer) => {
      assert.equal(answer.status, 200, answer.body.toString());
      return answer.json<FileRecord>();
    });
    assert.equal(files[0]?.file_id, files[1]?.file_id);
    assert.ok((await download(callOne, files[0] as FileRecord)).equals(bytes));
  }
  assert.deepEqual(readdirSync(join(folder, 'staging')), []);
});

// Invariant 12
test('shared folder: a late write is found before the file is published, or reported after it', options, async (t) => {
  const { folder, callOne, callTwo } = await startTwo(t);
  const { bytes, upload } = await openParts(callOne, 4);
  await putAll(callOne, upload, bytes);
  overwrite(join(folder, 'staging', upload.upload_id), 2 * PART_BYTES + 7);
  const refused = await completeOnce(callTwo, upload, { sha256: sha256Hex(bytes) });
  assertFailure(refused, 'upload_incomplete');
  assert.deepEqual((await readUploadRecord(callOne, upload)).missing_parts, [[2, 2]]);
  await put(callOne, upload, 2, bytes);
  const answer = await completeOnce(callTwo, upload, { sha256: sha256Hex(bytes) });
  assert.equal(answer.status, 200, answer.body.toString());

  // Without a digest the file is published first; the write comes before the digest job has read the bytes.
  const second = await openParts(callTwo, 4);
  await putAll(callTwo, second.upload, second.bytes);
  overwrite(join(folder, 'staging', second.upload.upload_id), 5000);
  const file = (await completeOnce(callOne, second.upload)).json<FileRecord>();
  assert.equal(file.sha256, null);
  const jobs = await eventually(
    async () => (await callOne('GET', `/files/${file.file_id}/jobs`)).json<JobList>().items,
    (items) => items.some(({ kind, status }) => kind === 'digest' && status === 'failed'),
  );
  assert.ok(jobs.length > 0);
  assert.equal((await callTwo('GET', `/files/${file.file_id}`)).json<FileRecord>().sha256, null);
});

test('shared folder: what the database knows is required of the folder', options, async (t) => {
  const { folder, settings, one } = await startTwo(t);
  const { database_id } = JSON.parse(readFileSync(join(folder, 'cryolift.json'), 'utf8'));
  assert.match(database_id, /^[0-9a-f-]{36}$/);
  const elsewhere = mkdtempSync(join(tmpdir(), 'cryolift-unmounted-'));
  t.after(() => rmSync(elsewhere, { recursive: true, force: true }));
  const start = { CRYOLIFT_PORT: '0', CRYOLIFT_DATA_DIR: join(elsewhere, 'data') };
  const unmounted = await runServe({ ...settings, ...start, CRYOLIFT_STORAGE_URL: pathToFileURL(elsewhere).href });
  assert.equal(unmounted.code, 1);
  assert.match(unmounted.stderr, /CRYOLIFT_STORAGE_URL: .*is the file system mounted\?/);
  const embedded = await runServe({ ...start, CRYOLIFT_STORAGE_URL: settings.CRYOLIFT_STORAGE_URL });
  assert.equal(embedded.code, 1);
  assert.match(embedded.stderr, /CRYOLIFT_STORAGE_URL: .*is the shared folder of a PostgreSQL database/);
  await one.kill9();
  await one.restart();
});
