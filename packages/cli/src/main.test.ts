import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { parseLines, runAlone } from './testing/test-process.ts';

const COMMANDS = [
  'serve',
  'upload',
  'ls',
  'status',
  'cancel',
  'rm',
  'download',
  'verify',
  'inspect',
  'token',
  'completion',
];
const SECRET = 'only for tests: 32 bytes or more of it';

test('help: lists the commands and exits with 0', async () => {
  const { code, stdout } = await runAlone(['--help']);
  assert.equal(code, 0);
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
});

test('serve: every setting of the server is a flag', async () => {
  const { code, stdout } = await runAlone(['serve', '--help']);
  assert.equal(code, 0);
  for (const flag of ['--port <N>', '--data-dir <PATH>', '--session-ttl <DURATION>']) assert.ok(stdout.includes(flag));
});

const WRONG_USAGE: readonly string[][] = [
  [],
  ['nosuch'],
  ['upload'],
  ['upload', '--nosuch', 'x.mrc'],
  ['upload', '--parallel', '65', 'x.mrc'],
  ['upload', '--part-size', 'big', 'x.mrc'],
  ['upload', '--meta', 'novalue', 'x.mrc'],
  ['upload', '--files', '0', 'x.mrc'],
  ['upload', '--bwlimit', 'fast', 'x.mrc'],
  ['upload', '-r', '--meta', 'path=mine', 'x.mrc'],
  ['completion', 'tcsh'],
  ['ls', 'a', 'b'],
  ['ls', '--server', 'ftp://x'],
  ['token', '--ttl', '5 minutes'],
  ['serve', '--nosuch', '1'],
];
for (const args of WRONG_USAGE) {
  test(`usage: cryolift ${args.join(' ')} exits with 2`, async () => {
    const { code, stdout, stderr } = await runAlone(args, { CRYOLIFT_TOKEN: 'x', CRYOLIFT_JWT_SECRET: SECRET });
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  });
}

test('serve: a server that cannot start gives its exit code', async () => {
  const { code, stderr } = await runAlone(['serve', '--port', 'x']);
  assert.equal(code, 1);
  assert.match(stderr, /CRYOLIFT_PORT/);
});

test('token: without a token a command exits with 3', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-cli-'));
  const { code, stderr } = await runAlone(['ls'], { CRYOLIFT_DATA_DIR: folder });
  assert.equal(code, 3);
  assert.match(stderr, /--token/);
  await rm(folder, { recursive: true });
});

test('token: signs the requested claims with the secret', async () => {
  const args = ['token', '--sub', 'ann', '--scope', 'files:read', '--ttl', '7d', '--json'];
  const { code, stdout } = await runAlone(args, { CRYOLIFT_JWT_SECRET: SECRET });
  assert.equal(code, 0);
  const [{ token = '' } = {}] = parseLines<{ token: string }>(stdout);
  const [header = '', payload = '', signature] = token.split('.');
  assert.equal(createHmac('sha256', SECRET).update(`${header}.${payload}`).digest('base64url'), signature);
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual([claims.sub, claims.scope], ['ann', 'files:read']);
  assert.equal(Number(claims.exp) - Number(claims.iat), 7 * 86_400);
});

test('inspect: prints the header; a file that the server would refuse exits with 1', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-cli-'));
  const path = join(folder, 'a.mrc');
  const header = buildHeader({ nx: 10, ny: 10, nz: 1, mode: 0 });
  await writeFile(path, Buffer.concat([header, Buffer.alloc(100)]));
  const good = await runAlone(['inspect', path]);
  assert.equal(good.code, 0);
  assert.match(good.stdout, /dimensions +10 × 10 × 1/);
  await writeFile(path, Buffer.concat([header, Buffer.alloc(99)]));
  const bad = await runAlone(['inspect', '--json', path]);
  assert.equal(bad.code, 1);
  const [{ verdict, rejections } = {}] = parseLines<{ verdict: string; rejections: { code: string }[] }>(bad.stdout);
  assert.deepEqual([verdict, rejections?.[0]?.code], ['rejected', 'file_too_short']);
  await rm(folder, { recursive: true });
});

test('inspect: compares voxels and header, and writes the pictures; --header reads no voxels', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-cli-'));
  const path = join(folder, 'volume.rec');
  const voxels = Float32Array.from({ length: 32 * 32 * 8 }, (_, at) => at % 11);
  const header = buildHeader({ nx: 32, ny: 32, nz: 8, mode: 2, ispg: 1, dmin: 0, dmax: 10, dmean: 3, rms: 3.2 });
  await writeFile(path, Buffer.concat([header, new Uint8Array(voxels.buffer)]));
  const { code, stdout } = await runAlone(['inspect', path, '--png', folder, '--json']);
  assert.equal(code, 0);
  const [{ statistics, warnings = [], pictures = [] } = {}] = parseLines<{
    statistics: { count: number; min: number; max: number; mean: number };
    warnings: { code: string }[];
    pictures: string[];
  }>(stdout);
  assert.deepEqual([statistics?.count, statistics?.min, statistics?.max], [8192, 0, 10]);
  assert.deepEqual(
    warnings.map((warning) => warning.code),
    ['statistics_mismatch'],
  );
  assert.deepEqual(
    pictures,
    ['z', 'y', 'x'].map((axis) => join(folder, `volume.rec.section-${axis}.png`)),
  );
  for (const picture of pictures) assert.equal((await readFile(picture)).subarray(1, 4).toString(), 'PNG');
  assert.match((await runAlone(['inspect', path])).stdout, /statistics +min 0, max 10, mean 4\.99/);
  assert.doesNotMatch((await runAlone(['inspect', path, '--header'])).stdout, /^statistics/m);
  await rm(folder, { recursive: true });
});

test('inspect: the pictures of a file with a name of 255 bytes have names that fit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-cli-'));
  const path = join(folder, `${'x'.repeat(251)}.rec`);
  const header = buildHeader({ nx: 32, ny: 32, nz: 8, mode: 2, ispg: 1 });
  await writeFile(path, Buffer.concat([header, new Uint8Array(32 * 32 * 8 * 4)]));
  const { code, stdout } = await runAlone(['inspect', path, '--png', folder, '--json']);
  assert.equal(code, 0, stdout);
  const [{ pictures = [] } = {}] = parseLines<{ pictures: string[] }>(stdout);
  assert.equal(pictures.length, 3);
  for (const picture of pictures) assert.match(picture, /\/x+\.section-[xyz]\.png$/);
  await rm(folder, { recursive: true });
});
