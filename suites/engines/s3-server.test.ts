/** The server with SQLite and a bucket: one process, whose storage is a real S3-compatible service. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, JobList, ScrubReport, StoredPartPage, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { listMultiparts } from '../../packages/server/src/storage/s3/multiparts.ts';
import { assertFailure } from '../contract/failure.ts';
import { flipBit, makeMrc, sha256Hex, shuffle } from '../contract/sample.ts';
import { completeOnce, eventually, open, publish, put, putAll, putBody, readUploadRecord } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { downloadBy } from '../disk-trouble/download.ts';
import { findPort } from '../program.ts';
import { runServe, startServer } from '../server-under-test.ts';
import { missingService } from './s3-service.ts';
import { findService } from './shared-service.ts';

const MIB = 1024 * 1024;
const PART_BYTES = 5 * MIB;
const options = { skip: missingService(), timeout: 200_000 };

async function startOnBucket(t: TestContext, prefix: string, more: Record<string, string> = {}) {
  const server = await startServer({ ...(await findService()).settings(prefix), ...more });
  t.after(() => server.discard());
  return { server, call: callAs(server, { sub: 'survivor', scope: 'admin' }) };
}

type Call = Awaited<ReturnType<typeof startOnBucket>>['call'];

async function openLarge(call: Call, partCount: number) {
  const bytes = makeMrc((partCount - 1) * PART_BYTES + 1500);
  const session = await open(call, { size: bytes.length, part_size: 64 * 1024 });
  assert.deepEqual([session.part_size, session.part_count], [PART_BYTES, partCount]);
  return { session, bytes };
}

/** Completes it, and waits until the server has read the file for its SHA-256. */
async function completeWhole(call: Call, session: UploadRecord): Promise<FileRecord> {
  const answer = await completeOnce(call, session);
  assert.equal(answer.status, 200, answer.body.toString());
  const { file_id } = answer.json<FileRecord>();
  for (; ; await sleep(50)) {
    const file = (await call('GET', `/files/${file_id}`)).json<FileRecord>();
    if (file.sha256 !== null) return file;
  }
}

// Invariants 1, 2
test(
  's3 server: after kill -9 while parts fly, every acknowledged part is kept and the file is right',
  options,
  async (t) => {
    const { server, call } = await startOnBucket(t, 'killed');
    const { session, bytes } = await openLarge(call, 12);
    const acknowledged = new Set<number>();
    for (const killAfter of [3, 7]) {
      const { missing_parts } = await readUploadRecord(call, session);
      const queue = shuffle([...eachPart(missing_parts as [number, number][])]);
      const enough = Promise.withResolvers<void>();
      const work = async () => {
        for (let idx = queue.pop(); idx !== undefined; idx = queue.pop()) {
          const answer = await put(call, session, idx, bytes).catch(() => null);
          if (!answer) return;
          assert.equal(answer.status, 201, answer.body.toString());
          acknowledged.add(idx);
          if (acknowledged.size >= killAfter) enough.resolve();
        }
      };
      const senders = Promise.all([work(), work(), work()]);
      await enough.promise;
      await server.kill9();
      await senders;
      await server.restart();
      const back = await readUploadRecord(call, session);
      const askedFor = [...eachPart(back.missing_parts as [number, number][])];
      assert.deepEqual(
        askedFor.filter((idx) => acknowledged.has(idx)),
        [],
      );
    }
    await putAll(call, session, bytes);
    const lost = completeOnce(call, session).catch(() => null);
    await sleep(30);
    await server.kill9();
    await lost;
    await server.restart();
    const file = await completeWhole(call, session);
    assert.equal(file.sha256, sha256Hex(bytes));
    assert.deepEqual((await call('GET', `/files/${file.file_id}/content`)).body, bytes);
    const range = await call('GET', `/files/${file.file_id}/content`, { headers: { range: 'bytes=5242879-5242881' } });
    assert.deepEqual([range.status, range.body], [206, bytes.subarray(5_242_879, 5_242_882)]);
    // Nothing of the file was on this disk.
    assert.deepEqual(
      readdirSync(server.dataDir).filter((name) => ['staging', 'files', 'previews'].includes(name)),
      [],
    );
  },
);

test('s3 server: a file is shown, analyzed and deleted as on disk', options, async (t) => {
  const { call } = await startOnBucket(t, 'shown');
  const bytes = makeMrc(3000);
  const session = await open(call, { size: bytes.length });
  // Without a digest: it is sent behind the body.
  assert.equal((await putBody(call, session, 0, bytes, {})).status, 201);
  const { file_id, sha256 } = (await completeOnce(call, session)).json<FileRecord>();
  assert.equal(sha256, null, 'nobody waits for a digest that was not declared');
  for (;;) {
    const { items } = (await call('GET', `/files/${file_id}/jobs`)).json<JobList>();
    assert.ok(items.every(({ status }) => status !== 'failed'));
    if (items.every(({ status }) => status === 'done')) break;
    await sleep(50);
  }
  assert.equal((await call('GET', `/files/${file_id}`)).json<FileRecord>().sha256, sha256Hex(bytes));
  assert.equal((await call('GET', `/files/${file_id}/preview`)).status, 200);
  assert.equal((await call('GET', `/files/${file_id}/statistics`)).json<{ count: number }>().count, 3000 - 1024);
  assert.equal((await call('DELETE', `/files/${file_id}`)).status, 204);
  assert.equal((await call('GET', `/files/${file_id}/content`)).status, 404);
});

test(
  's3 server: a wrong digest of a part, and of the file, is refused and leaves nothing behind',
  options,
  async (t) => {
    const { call } = await startOnBucket(t, 'wrong');
    const bytes = makeMrc(3000);
    const session = await open(call, { size: bytes.length, sha256: sha256Hex(makeMrc(2000)) });
    const other = makeMrc(3000);
    const refused = await putBody(call, session, 0, bytes, {
      'content-digest': `sha-256=:${Buffer.from(sha256Hex(other), 'hex').toString('base64')}:`,
    });
    assertFailure(refused, 'part_checksum_mismatch');
    assert.equal((await put(call, session, 0, bytes)).status, 201);
    const answer = await completeOnce(call, session);
    assertFailure(answer, 'file_checksum_mismatch');
    assert.equal((await readUploadRecord(call, session)).status, 'failed');
    assert.equal((await call('POST', '/admin/sweep')).status, 200);
    // An object without a record would be found by the comparison, and served by nobody.
    assert.equal((await call('GET', `/files/${session.upload_id}`)).status, 404);
  },
);

test('s3 server: cancelled uploads leave no multipart upload, and a lost one is sent again', options, async (t) => {
  const { call } = await startOnBucket(t, 'lost');
  const bucket = new Bucket({ ...(await findService()), prefix: '', pathStyle: true });
  t.after(() => bucket.close());
  const staged = async () => await Array.fromAsync(listMultiparts(bucket, 'lost/'));
  const { session, bytes } = await openLarge(call, 3);
  await put(call, session, 0, bytes);
  const [multipart] = await staged();
  assert.ok(multipart);
  await bucket.abort(multipart.key, multipart.id);
  const answer = await put(call, session, 1, bytes);
  assertFailure(answer, 'storage_unavailable');
  assert.deepEqual((await readUploadRecord(call, session)).missing_parts, [[0, 2]]);
  await putAll(call, session, bytes);
  const parts = (await call('GET', `/uploads/${session.upload_id}/parts`)).json<StoredPartPage>();
  assert.equal(parts.items.length, 3);
  const second = await openLarge(call, 2);
  assert.equal((await staged()).length, 2);
  await call('DELETE', `/uploads/${second.session.upload_id}`);
  assert.equal((await completeWhole(call, session)).sha256, sha256Hex(bytes));
  assert.deepEqual(await staged(), []);
});

// Invariant 12
test('s3 server: an object that was overwritten is found by the scrub and by a download', options, async (t) => {
  const { server, call } = await startOnBucket(t, 'overwritten');
  const bucket = new Bucket({ ...(await findService()), prefix: '', pathStyle: true });
  t.after(() => bucket.close());
  const bytes = makeMrc(300_000);
  const [sound, turned, gone] = [
    await publish(call, makeMrc(3000), { filename: 'sound.mrc' }),
    await publish(call, bytes, { filename: 'turned.mrc' }),
    await publish(call, makeMrc(3001), { filename: 'gone.mrc' }),
  ];
  await bucket.put(`overwritten/files/${turned.file_id}/turned.mrc`, flipBit(bytes, 200_001));
  await bucket.remove(`overwritten/files/${gone.file_id}/gone.mrc`);
  assert.equal((await call('POST', '/admin/scrub', { json: {} })).status, 202);
  const { faults, ok } = await eventually(
    async () => (await call('GET', '/admin/scrub')).json<ScrubReport>(),
    ({ status }) => status !== 'running',
  );
  assert.deepEqual(
    [faults.map(({ file_id, fault }) => [file_id, fault]), ok],
    [
      [
        [turned.file_id, 'damaged'],
        [gone.file_id, 'missing'],
      ],
      1,
    ],
  );
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-overwritten-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const fetch = (fileId: string) => downloadBy(server, 'survivor', fileId, join(folder, fileId));
  assert.deepEqual([(await fetch(sound.file_id)).code, (await fetch(turned.file_id)).code], [0, 1]);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.startsWith('.')),
    [sound.file_id],
  );
});

test('s3 server: the command line uploads through a kill -9 of the server', options, async (t) => {
  const port = await findPort();
  const { server } = await startOnBucket(t, 'command', { CRYOLIFT_PORT: String(port) });
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-command-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bytes = makeMrc(80 * MIB);
  writeFileSync(join(folder, 'movie.mrc'), bytes);
  const child = spawn(process.execPath, [BIN, 'upload', 'movie.mrc', '--json'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      CRYOLIFT_SERVER: server.url,
      CRYOLIFT_TOKEN: server.token({ sub: 'commander' }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  const call = callAs(server, { sub: 'commander' });
  for (let received = 0; received < 3; await sleep(20)) {
    const { items } = (await call('GET', '/uploads')).json<{ items: UploadRecord[] }>();
    received = items[0]?.received_parts ?? 0;
  }
  await server.kill9();
  await server.restart();
  assert.deepEqual(await ended, [0, null]);
  const done = JSON.parse(said.trim().split('\n').at(-1) as string) as FileRecord;
  assert.equal(done.sha256, sha256Hex(bytes));
  assert.deepEqual((await call('GET', `/files/${done.file_id}/content`)).body, bytes);
});

test('s3 server: a prefix of another database, and a bucket that is not there, stop the start', options, async (t) => {
  const { server } = await startOnBucket(t, 'claimed');
  const settings = (await findService()).settings('claimed');
  const own = mkdtempSync(join(tmpdir(), 'cryolift-other-'));
  t.after(() => rmSync(own, { recursive: true, force: true }));
  const other = await runServe({ ...settings, CRYOLIFT_DATA_DIR: own, CRYOLIFT_PORT: '0' });
  assert.equal(other.code, 1, other.stderr);
  assert.match(other.stderr, /CRYOLIFT_STORAGE_URL: s3:\/\/cryolift\/claimed belongs to another database/);
  await server.kill9();
  await server.restart();
  const keys = await runServe({
    ...settings,
    CRYOLIFT_S3_SECRET_ACCESS_KEY: 'wrong',
    CRYOLIFT_DATA_DIR: own,
    CRYOLIFT_PORT: '0',
  });
  assert.equal(keys.code, 1, keys.stderr);
  assert.match(keys.stderr, /CRYOLIFT_STORAGE_URL: s3:\/\/cryolift\/claimed cannot be used/);
});
