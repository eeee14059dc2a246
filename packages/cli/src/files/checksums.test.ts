import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { needsCoreutils } from '../testing/test-process.ts';
import { ChecksumFile } from './checksums.ts';

const NAMES = [
  'plain.mrc',
  'deep/er/two words.mrc',
  '-dash.mrc',
  'back\\slash.mrc',
  'new\nline.mrc',
  'é*[1].mrc',
  '\\n',
];

test('checksums: sha256sum -c reads the list, also with unusual names', needsCoreutils, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-sums-'));
  const list = join(folder, 'SHA256SUMS');
  const sums = await ChecksumFile.open(list);
  for (const name of NAMES) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), name);
    sums.add(name, createHash('sha256').update(name).digest('hex'));
  }
  await sums.save();
  const check = () =>
    execFileSync('sha256sum', ['-c', '--strict', list], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  assert.equal(check().match(/: OK$/gm)?.length, NAMES.length);
  const own = execFileSync('sha256sum', ['--', ...NAMES].sort(), { cwd: folder, encoding: 'utf8' });
  assert.deepEqual((await readFile(list, 'utf8')).split('\n').sort(), own.split('\n').sort());
  await writeFile(join(folder, 'new\nline.mrc'), 'damaged');
  assert.throws(check);
  await rm(folder, { recursive: true });
});

test('checksums: without new digests an older list is unchanged and no temporary file remains', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-sums-'));
  const list = join(folder, 'SHA256SUMS');
  await writeFile(list, 'old');
  await (await ChecksumFile.open(list)).save();
  assert.equal(await readFile(list, 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['SHA256SUMS']);
  await assert.rejects(ChecksumFile.open(join(folder, 'none', 'SHA256SUMS')), { code: 'ENOENT' });
  await rm(folder, { recursive: true });
});

test('checksums: the list may have a name of 255 bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-sums-'));
  const name = 's'.repeat(255);
  const sums = await ChecksumFile.open(join(folder, name));
  sums.add('a.mrc', '0'.repeat(64));
  await sums.save();
  assert.deepEqual(await readdir(folder), [name]);
  await rm(folder, { recursive: true });
});
