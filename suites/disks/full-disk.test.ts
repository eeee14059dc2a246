/** A server whose disk is full, read-only or broken: it starts and serves what it can, or says what to do. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import {
  complete,
  eventually,
  initRequest,
  openSample,
  publish,
  put,
  putAll,
  readUploadRecord,
} from '../contract/upload.ts';
import { type Answer, callAs } from '../contract/wire.ts';
import { Volume, whyNot } from '../reliability/volume.ts';
import { runServe, startServer } from '../server-under-test.ts';

const options = { skip: whyNot('ext4') ?? false, timeout: 300_000 };

async function startOnDisk(context: TestContext) {
  const disk = Volume.create('ext4', 'normal');
  context.after(() => disk.remove());
  const dataDir = join(disk.path, 'data');
  const server = await startServer({ CRYOLIFT_DATA_DIR: dataDir });
  context.after(() => server.discard());
  return { disk, dataDir, server, call: callAs(server) };
}

async function runOnDisk(disk: Volume) {
  return await runServe({ CRYOLIFT_PORT: '0', CRYOLIFT_DATA_DIR: join(disk.path, 'data') });
}

async function waitForReserve(dataDir: string): Promise<void> {
  await eventually(
    async () => readdirSync(dataDir),
    (names) => names.includes('cryolift.reserve'),
  );
}

test(
  'full disk: after a stop the server starts again, serves files, and continues after space was freed',
  options,
  async (context) => {
    const { disk, dataDir, server, call } = await startOnDisk(context);
    const bytes = makeMrc(100_000);
    const [kept, deleted] = [await publish(call, bytes), await publish(call, makeMrc(100_000))];
    const { upload, bytes: halfSent } = await openSample(call, 3);
    assert.equal((await put(call, upload, 0, halfSent)).status, 201);
    await waitForReserve(dataDir);
    disk.fill();
    for (let round = 0; round < 3; round++) {
      assert.equal(await server.stop(), 0);
      await server.restart();
      assert.ok((await call('GET', `/files/${kept.file_id}/content`)).body.equals(bytes));
      assert.equal((await readUploadRecord(call, upload)).received_parts, 1);
      assertFailure(await call('POST', '/uploads/init', { json: initRequest() }), 'insufficient_storage');
      assertFailure(await put(call, upload, 1, halfSent), 'insufficient_storage');
    }
    // Deletions, which free space, are recorded.
    assert.equal((await call('DELETE', `/files/${deleted.file_id}`)).status, 204);
    assertFailure(await call('GET', `/files/${deleted.file_id}`), 'file_not_found');
    await server.kill9();
    await server.restart();
    assert.ok((await call('GET', `/files/${kept.file_id}/content`)).body.equals(bytes));
    disk.free();
    await putAll(call, upload, halfSent);
    assert.equal((await complete(call, upload)).status, 200);
    const [month] = readdirSync(join(dataDir, 'audit'));
    for (const line of readFileSync(join(dataDir, 'audit', month as string), 'utf8')
      .trimEnd()
      .split('\n')) {
      assert.ok(JSON.parse(line), 'a line of the audit is whole');
    }
  },
);

test('full disk: without the space that is kept for it, the start says what to do', options, async (context) => {
  const { disk, dataDir, server } = await startOnDisk(context);
  await waitForReserve(dataDir);
  assert.equal(await server.stop(), 0);
  rmSync(join(dataDir, 'cryolift.reserve'));
  disk.fill();
  const { code, stdout, stderr } = await runOnDisk(disk);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /^cryolift: CRYOLIFT_DATA_DIR: there is no space left for \S+ \(ENOSPC\); free 16 MiB [^\n]+\n$/,
  );
  disk.free();
  await server.restart();
});

test('read-only disk: the start names the setting and says what to do', options, async (context) => {
  const { disk, server } = await startOnDisk(context);
  assert.equal(await server.stop(), 0);
  await disk.unmount();
  disk.mount('ro');
  const { code, stdout, stderr } = await runOnDisk(disk);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^cryolift: CRYOLIFT_DATA_DIR: \S+ is on a file system that is mounted read-only[^\n]+\n$/);
  await disk.unmount();
  disk.mount();
  const other = await runServe({
    CRYOLIFT_PORT: '0',
    CRYOLIFT_DATA_DIR: server.dataDir,
    CRYOLIFT_STORAGE_URL: 'file:/proc',
  });
  assert.equal(other.code, 1);
  assert.match(other.stderr, /^cryolift: CRYOLIFT_STORAGE_URL: [^\n]+\n$/);
  await server.restart();
});

for (const what of ['storage and database', 'storage'] as const) {
  test(`broken disk of ${what}: every answer is one of the contract, none is 500`, options, async (context) => {
    const disk = Volume.create('ext4', 'normal');
    context.after(() => disk.remove());
    const onDisk =
      what === 'storage'
        ? { CRYOLIFT_STORAGE_URL: `file:${disk.path}/data` }
        : { CRYOLIFT_DATA_DIR: `${disk.path}/data` };
    const server = await startServer(onDisk);
    context.after(() => server.discard());
    const call = callAs(server);
    const file = await publish(call, makeMrc(100_000));
    const { upload, bytes } = await openSample(call, 3);
    await put(call, upload, 0, bytes);
    disk.losePower();
    const answers: Answer[] = [];
    for (let round = 0; round < 3; round++) {
      answers.push(
        await call('POST', '/uploads/init', { json: initRequest() }),
        await put(call, upload, 1, bytes),
        await put(call, upload, 2, bytes),
        await call('POST', `/uploads/${upload.upload_id}/complete`),
        await call('GET', `/files/${file.file_id}/preview`),
        await call('POST', `/files/${file.file_id}/sign`, { json: {} }),
        await call('DELETE', `/files/${file.file_id}`),
        await call('DELETE', `/uploads/${upload.upload_id}`),
        await call('GET', '/readyz'),
      );
    }
    for (const { status, body } of answers) {
      assert.ok([200, 201, 204, 404, 409, 503, 507].includes(status), `${status} ${body}`);
    }
    assert.ok(answers.some(({ status }) => status === 503));
    await server.kill9();
    await disk.unmount();
    disk.mount();
    await server.restart();
    assert.equal((await call('GET', '/readyz')).status, 200);
  });
}
