/** Publishing on local disk: the file is the staging file itself, renamed; no byte of it is copied. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FileRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { complete, open, openSample, publish, putAll } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await startServer();
after(() => server.discard());
const LOCATE = 'uploads:write files:read files:delete files:locate';
const staging = join(server.dataDir, 'staging');

// Invariant 3
test('publish: the published file has the bytes, the name and the inode of what was staged', async () => {
  const call = callAs(server, { scope: LOCATE });
  const { upload, bytes } = await openSample(call, 6, { filename: 'Grid 7 – ü#%?.mrc' });
  await putAll(call, upload, bytes);
  const staged = await readdir(staging, { recursive: true, withFileTypes: true });
  const inodes = await Promise.all(
    staged.filter((each) => each.isFile()).map((each) => stat(join(each.parentPath, each.name))),
  );
  const { location = '', sha256 } = (await complete(call, upload)).json<FileRecord>();
  assert.match(location, /^file:\/\//);
  const path = fileURLToPath(location);
  assert.ok(path.startsWith(server.dataDir));
  assert.equal(basename(path), 'Grid 7 – ü#%?.mrc');
  const content = await readFile(path);
  assert.deepEqual(content, bytes);
  assert.equal(sha256, sha256Hex(content));
  const { ino, size } = await stat(path);
  assert.ok(
    inodes.some((each) => each.ino === ino),
    'the inode is the one of the staging file',
  );
  assert.equal(size, bytes.length);
  assert.deepEqual(await readdir(staging), []);
});

test('publish: the location of a file is returned only with files:locate', async () => {
  const sub = 'curious';
  const { file_id, upload_id, location } = await publish(callAs(server, { sub }), makeMrc(2000));
  assert.equal(location, undefined);
  const received = callAs(server, { sub, scope: LOCATE });
  for (const call of [received, callAs(server, { sub })]) {
    const answers = [
      (await call('GET', `/files/${file_id}`)).json<FileRecord>(),
      (await call('GET', '/files')).json<{ items: FileRecord[] }>().items[0],
      (await complete(call, { upload_id })).json<FileRecord>(),
    ];
    for (const file of answers) assert.equal(typeof file?.location, call === received ? 'string' : 'undefined');
  }
});

test('publish: two files of one name lie beside each other', async () => {
  const call = callAs(server, { scope: LOCATE });
  const contents = [makeMrc(2000), makeMrc(3000)];
  const [first, second] = await Promise.all(contents.map((bytes) => publish(call, bytes)));
  assert.notEqual(first?.location, second?.location);
  assert.deepEqual(await readFile(fileURLToPath(first?.location ?? '')), contents[0]);
});

// Invariant 6
test('publish: cancelling and deleting free the space on the disk', async () => {
  const call = callAs(server, { scope: LOCATE });
  const { upload, bytes } = await openSample(call, 3);
  await putAll(call, upload, bytes);
  await call('DELETE', `/uploads/${upload.upload_id}`);
  assert.deepEqual(await readdir(staging), []);
  const file = await publish(call, makeMrc(2000));
  assert.equal((await call('DELETE', `/files/${file.file_id}`)).status, 204);
  await assert.rejects(stat(fileURLToPath(file.location ?? '')), { code: 'ENOENT' });
});

test('publish: refused inits leave nothing on the disk', async () => {
  const call = callAs(server);
  const before = await readdir(staging);
  await open(call, { size: 2000 }).then(({ upload_id }) => call('DELETE', `/uploads/${upload_id}`));
  await call('POST', '/uploads/init', {
    json: { filename: 'x.mrc', size: 2000, header: Buffer.alloc(1024).toString('base64') },
  });
  assert.deepEqual(await readdir(staging), before);
});

// Invariant 4
test('publish: a file whose bytes somebody took away is reported, not served', async () => {
  const call = callAs(server, { scope: LOCATE });
  const { file_id, location = '' } = await publish(call, makeMrc(2000));
  await rm(fileURLToPath(location));
  const answer = await call('GET', `/files/${file_id}/content`);
  assertFailure(answer, 'storage_unavailable', 'internal', 'file_not_found');
  assert.equal((await call('GET', '/readyz')).status, 200);
});
