/** What was answered as done is done after a power loss, too. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { eventually, listFiles, publish } from '../contract/upload.ts';
import { callAs, callWith } from '../contract/wire.ts';
import { Volume, whyNot } from '../reliability/volume.ts';
import { startServer } from '../server-under-test.ts';

const skip = whyNot('ext4') ?? false;

// Invariant 2
test('power loss: a file that was deleted stays deleted, and one that was published stays', {
  skip,
}, async (context) => {
  const disk = Volume.create('ext4', 'normal');
  context.after(() => disk.remove());
  // The database elsewhere: its own flushes must not do the work for the files.
  const server = await startServer({ CRYOLIFT_STORAGE_URL: `file:${disk.path}` });
  context.after(() => server.discard());
  const call = callAs(server);
  const bytes = makeMrc(200_000);
  const [kept, deleted] = [await publish(call, bytes), await publish(call, makeMrc(200_000))];
  await eventually(
    () => readdir(join(disk.path, 'previews')).catch(() => []),
    (previews) => previews.length === 2,
  );
  assert.equal((await call('DELETE', `/files/${deleted.file_id}`)).status, 204);
  disk.losePower();
  await server.kill9();
  await disk.unmount();
  disk.mount();
  assert.deepEqual(await readdir(join(disk.path, 'files')), [kept.file_id]);
  assert.ok(!(await readdir(join(disk.path, 'previews'))).includes(deleted.file_id));
  await server.restart();
  assert.deepEqual(
    (await listFiles(call)).map(({ file_id }) => file_id),
    [kept.file_id],
  );
  assert.ok((await call('GET', `/files/${kept.file_id}/content`)).body.equals(bytes));
});

test('power loss: a URL that was signed stays good', { skip }, async (context) => {
  const disk = Volume.create('ext4', 'normal');
  const elsewhere = mkdtempSync(join(tmpdir(), 'cryolift-elsewhere-'));
  context.after(() => disk.remove());
  context.after(() => rmSync(elsewhere, { recursive: true, force: true }));
  // The keys alone are on the disk that loses power.
  const server = await startServer({
    CRYOLIFT_DATA_DIR: disk.path,
    CRYOLIFT_DATABASE_URL: `sqlite:${elsewhere}/cryolift.sqlite`,
    CRYOLIFT_STORAGE_URL: `file:${elsewhere}`,
  });
  context.after(() => server.discard());
  const call = callAs(server);
  const bytes = makeMrc(2000);
  const file = await publish(call, bytes);
  const signed = await call('POST', `/files/${file.file_id}/sign`, { json: {} });
  assert.equal(signed.status, 200, signed.body.toString());
  const { pathname, search } = new URL(signed.json<{ url: string }>().url, server.url);
  disk.losePower();
  await server.kill9();
  await disk.unmount();
  disk.mount();
  await server.restart();
  const answer = await callWith(server, {})('GET', pathname + search);
  assert.equal(answer.status, 200, answer.body.toString());
  assert.ok(answer.body.equals(bytes));
});
