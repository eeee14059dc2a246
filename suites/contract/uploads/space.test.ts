/** A disk that is too small, or full: said before a byte is sent, and nothing is lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, open as openFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type OwnServer, startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, initRequest, keepsUpload, open, put, putAll } from '../upload.ts';
import { type Call, callAs, callWith } from '../wire.ts';

const MIB = 1024 * 1024;

const folder = await mkdtemp(join(tmpdir(), 'cryolift-disk-'));
/** With space for the reserve of a server. A small disk if this process can create one, otherwise the disk of the temporary folder, which is not filled. */
const isSmall = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200m,mode=700', 'tmpfs', folder]).status === 0;
const smallDisk = { skip: isSmall ? false : 'needs leave to mount a small disk (tmpfs)' };
let server: OwnServer;
let call: Call;
before(async () => {
  server = await startServer({ CRYOLIFT_DATA_DIR: folder });
  call = callAs(server);
});
after(async () => {
  await server?.discard();
  if (isSmall) spawnSync('umount', [folder]);
  await rm(folder, { recursive: true });
});

async function readFreeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

test('space: a file that does not fit beside what open uploads still may write is refused at init', async () => {
  const free = await readFreeBytes();
  const tryInit = (size: number) => call('POST', '/uploads/init', { json: initRequest({ size, part_size: 8 * MIB }) });
  assertFailure(await tryInit(free + 100 * MIB), 'insufficient_storage');
  const upload = await open(call, { size: Math.floor(free * 0.6), part_size: 8 * MIB });
  assertFailure(await tryInit(Math.floor(free * 0.6)), 'insufficient_storage');
  assertFailure(
    await callAs(server)('POST', '/uploads/init', { json: initRequest({ size: Math.floor(free * 0.6) }) }),
    'insufficient_storage',
  );
  assert.equal((await call('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
  const again = await open(call, { size: Math.floor(free * 0.6), part_size: 8 * MIB });
  assert.equal((await call('DELETE', `/uploads/${again.upload_id}`)).status, 204);
});

test('space: one init, by a token or by a link, does not reserve the disk for itself', async () => {
  const free = await readFreeBytes();
  const greedy = callAs(server, { sub: 'eve' });
  const { token } = (await greedy('POST', '/links')).json<{ token: string }>();
  const byLink = callWith(server, { authorization: `Bearer ${token}` });
  const whole = Math.floor((free - 64 * MIB) * 0.95);
  const started = [[byLink, await open(byLink, { size: whole, part_size: 8 * MIB })] as const];
  // The owner of a link gets their share, and another owner, too.
  for (const other of [greedy, callAs(server, { sub: 'ada' })]) {
    started.push([other, await open(other, { size: Math.floor(free * 0.1), part_size: 8 * MIB })]);
  }
  for (const [owner, { upload_id }] of started)
    assert.equal((await owner('DELETE', `/uploads/${upload_id}`)).status, 204);
});

test('space: bytes that are stored already are not counted twice', smallDisk, async () => {
  const free = await readFreeBytes();
  const bytes = makeMrc(Math.floor(free * 0.4));
  const upload = await open(call, { size: bytes.length, part_size: 8 * MIB });
  await putAll(call, upload, bytes);
  const other = await open(call, { size: Math.floor(free * 0.25), part_size: 8 * MIB });
  assert.equal((await call('DELETE', `/uploads/${other.upload_id}`)).status, 204);
  assert.equal((await call('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
});

test(
  'space: on a disk that becomes full, parts are refused, nothing is lost, and uploads continue after space was freed',
  smallDisk,
  async () => {
    const bytes = makeMrc(8 * MIB);
    const upload = await open(call, { size: bytes.length, part_size: 4 * MIB });
    const filler = join(folder, 'filler');
    await fill(filler);
    await keepsUpload(call, upload, async () => {
      for (const idx of [1, 0]) assertFailure(await put(call, upload, idx, bytes), 'insufficient_storage');
    });
    await rm(filler);
    await putAll(call, upload, bytes);
    assert.equal((await complete(call, upload)).status, 200);
  },
);

async function fill(path: string): Promise<void> {
  const file = await openFile(path, 'w');
  for (let length = MIB; length >= 1; ) {
    await file.write(Buffer.alloc(length)).catch(() => {
      length /= 2;
    });
  }
  await file.close();
}
