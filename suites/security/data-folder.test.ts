/** The data folder is for the server's user alone. */
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { eventually, openSample, publish, put } from '../contract/upload.ts';
import { callWith } from '../contract/wire.ts';
import { runServe, startServer } from '../server-under-test.ts';

const folder = await mkdtemp(join(tmpdir(), 'cryolift-folder-'));
after(() => rm(folder, { recursive: true, force: true }));
const IMAGE = Buffer.concat([
  buildHeader({ nx: 100, ny: 100, nz: 1, mode: 0 }),
  Buffer.from(Array.from({ length: 10_000 }, (_, at) => at % 100)),
]);
const BASE = { CRYOLIFT_PORT: '0' };

test('data folder: modes are 0700 or 0600 with any umask; published files are 0400', async () => {
  const dataDir = join(folder, 'made');
  const before = process.umask(0);
  const server = await startServer({
    CRYOLIFT_DATA_DIR: dataDir,
    CRYOLIFT_JWT_SECRET: '',
    CRYOLIFT_DATABASE_URL: `sqlite:${join(folder, 'db/x.sqlite')}`,
  });
  process.umask(before);
  try {
    const readToken = async () => /#token=(\S+)/.exec(server.stdout)?.[1];
    const token = await eventually(readToken, (printed) => printed !== undefined);
    const call = callWith(server, { authorization: `Bearer ${token}` });
    const file = await publish(call, IMAGE);
    const { upload, bytes } = await openSample(call, 2);
    await put(call, upload, 0, bytes);
    await call('POST', `/files/${file.file_id}/sign`);
    await eventually(
      () => call('GET', `/files/${file.file_id}/statistics`),
      ({ status }) => status !== 503,
    );
    const modes = new Map<string, number>();
    for (const root of [dataDir, join(folder, 'db')]) {
      modes.set(root, (await stat(root)).mode & 0o777);
      for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        modes.set(path, (await stat(path)).mode & 0o777);
      }
    }
    for (const [path, mode] of modes) assert.equal(mode & 0o077, 0, `${path}: ${mode.toString(8)}`);
    assert.equal(modes.get(join(dataDir, 'files', file.file_id, file.filename)), 0o400);
    assert.equal(modes.get(join(dataDir, 'staging', upload.upload_id)), 0o600);
    const kinds = [
      /jwt-secret$/,
      /signing-keys$/,
      /x\.sqlite$/,
      /x\.sqlite-wal$/,
      /\/audit\/.*jsonl$/,
      /\/previews\/.*png$/,
    ];
    for (const kind of kinds)
      assert.ok(
        [...modes.keys()].some((path) => kind.test(path)),
        `${kind} was checked`,
      );
  } finally {
    await server.discard();
  }
});

for (const mode of [0o777, 0o770, 0o722]) {
  test(`data folder: a folder that others can write into is refused: ${mode.toString(8)}`, async () => {
    const dataDir = join(folder, `open-${mode}`);
    await mkdir(dataDir);
    await chmod(dataDir, mode);
    const { code, stderr } = await runServe({ ...BASE, CRYOLIFT_DATA_DIR: dataDir });
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `cryolift: CRYOLIFT_DATA_DIR: ${dataDir} can be written by other users; run: chmod go-w ${dataDir}\n`,
    );
    assert.deepEqual(await readdir(dataDir), [], 'nothing was made in it');
  });
}

test('data folder: so are folders of the database and of the storage', async () => {
  const open = join(folder, 'open');
  await mkdir(open);
  await chmod(open, 0o777);
  const dataDir = join(folder, 'own');
  const settings = { CRYOLIFT_DATABASE_URL: `sqlite:${open}/x.sqlite`, CRYOLIFT_STORAGE_URL: `file:${open}` };
  for (const [name, value] of Object.entries(settings)) {
    const { code, stderr } = await runServe({ ...BASE, CRYOLIFT_DATA_DIR: dataDir, [name]: value });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^cryolift: ${name}: .* can be written by other users`));
  }
});

test("data folder: another user's folder is refused", {
  skip: process.geteuid?.() === 0 ? false : 'only root has one at hand',
}, async () => {
  const dataDir = join(folder, 'theirs');
  await mkdir(dataDir, { mode: 0o700 });
  await chown(dataDir, 4321, 4321);
  const { code, stderr } = await runServe({ ...BASE, CRYOLIFT_DATA_DIR: dataDir });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `cryolift: CRYOLIFT_DATA_DIR: ${dataDir} belongs to another user (uid 4321); this server runs as uid 0\n`,
  );
});
