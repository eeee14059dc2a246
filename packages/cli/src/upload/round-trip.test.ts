import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Uploader } from '@cryolift/client';
import { FileResumeStore, FileSource, HttpTransport } from '@cryolift/client/node';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { SCOPES } from '@cryolift/protocol/scopes';
import { signToken } from '../connection/own-token.ts';
import { parseLines, TestBench, Wire } from '../testing/test-process.ts';

const PART_BYTES = 64 * 1024;
const SMALL_PARTS = ['--part-size', '64KiB'];
/** Bytes besides the part: heads and connections. */
const TALK_BYTES = 200 * 1024;

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** A correct MRC file of random bytes. */
async function makeFile(name: string, partCount: number): Promise<{ path: string; bytes: Buffer; sha256: string }> {
  const voxels = randomBytes(partCount * PART_BYTES - 2000);
  const bytes = Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
  const path = bench.path(name);
  await writeFile(path, bytes);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function list<Item extends FileRecord | UploadRecord>(kind: 'file' | 'upload', name: string): Promise<Item[]> {
  const { stdout } = await bench.run(['ls', '-r', '--json']);
  return parseLines<Item & { kind: string }>(stdout).filter((item) => item.kind === kind && item.filename === name);
}

/** Runs a command over `wire` until `bytes` have gone through, and then presses Ctrl-C. */
async function interrupt(wire: Wire, bytes: number, args: readonly string[]): Promise<void> {
  const held = wire.holdAfter(bytes);
  const running = bench.begin(args, { CRYOLIFT_SERVER: wire.url });
  await held;
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.match(stderr, /same command again/);
  wire.reset();
}

test('round trip: a file is uploaded, listed, verified, downloaded and deleted', async () => {
  const { path, bytes, sha256 } = await makeFile('whole.mrc', 5);
  const uploaded = await bench.run([
    'upload',
    '--json',
    ...SMALL_PARTS,
    '--meta',
    'grid=G7',
    '--kind',
    'stack',
    '--sha256',
    path,
  ]);
  assert.equal(uploaded.code, 0, uploaded.stdout);
  const lines = parseLines(uploaded.stdout);
  assert.deepEqual(
    lines.map(({ event }) => event).filter((event) => event !== 'progress'),
    ['done'],
  );
  const done = lines.at(-1) as unknown as FileRecord & { event: string };
  assert.deepEqual([done.event, done.sha256, done.part_count], ['done', sha256, 5]);
  assert.deepEqual(done.metadata, { grid: 'G7', kind: 'stack' });
  assert.deepEqual([done.mrc?.kind, done.mrc?.kind_evidence?.code], ['stack', 'given']);

  const [listed] = await list<FileRecord>('file', 'whole.mrc');
  assert.equal(listed?.file_id, done.file_id);
  assert.match((await bench.run(['ls', '--long'])).stdout, new RegExp(`whole\\.mrc .*${sha256} +${done.file_id}`));

  assert.equal((await bench.run(['verify', path, done.file_id])).code, 0);
  const changed = bench.path('changed.mrc');
  await writeFile(changed, Buffer.from(bytes).fill(bytes[2000] === 1 ? 2 : 1, 2000, 2001));
  assert.equal((await bench.run(['verify', changed, done.file_id])).code, 1);

  const back = bench.path('back.mrc');
  assert.equal((await bench.run(['download', done.file_id, '-o', back])).code, 0);
  assert.ok((await readFile(back)).equals(bytes));
  const again = await bench.run(['download', done.file_id, '-o', back]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /--force/);

  assert.equal((await bench.run(['rm', done.file_id])).code, 0);
  const gone = await bench.run(['rm', '--json', done.file_id]);
  assert.equal(gone.code, 1);
  assert.equal(parseLines(gone.stdout)[0]?.code, 'file_not_found');
});

test('round trip: after Ctrl-C the next run sends only the missing parts', async () => {
  const { path, bytes, sha256 } = await makeFile('cut.mrc', 64);
  const wire = await Wire.to(bench.url);
  await interrupt(wire, bytes.length / 2, ['upload', ...SMALL_PARTS, path]);
  const [upload] = await list<UploadRecord>('upload', 'cut.mrc');
  assert.ok(upload && upload.received_parts > 0 && upload.received_parts < 64);
  assert.match((await bench.run(['status', upload.upload_id])).stdout, /missing +\d/);

  const resumed = await bench.run(['upload', '--json', path], { CRYOLIFT_SERVER: wire.url });
  assert.equal(resumed.code, 0, resumed.stdout);
  const done = parseLines(resumed.stdout).at(-1);
  assert.deepEqual([done?.sha256, done?.resumed_bytes], [sha256, upload.received_bytes]);
  assert.ok(
    wire.carriedBytes < bytes.length - upload.received_bytes + TALK_BYTES,
    `${wire.carriedBytes} bytes were carried`,
  );
  wire.close();
});

test('round trip: a changed file is refused; --restart starts a new upload', async () => {
  const { path, bytes } = await makeFile('edited.mrc', 32);
  const wire = await Wire.to(bench.url);
  await interrupt(wire, bytes.length / 2, ['upload', ...SMALL_PARTS, path]);
  await makeFile('edited.mrc', 32);
  wire.reset();
  const refused = await bench.run(['upload', '--json', path], { CRYOLIFT_SERVER: wire.url });
  assert.equal(refused.code, 1);
  const failure = parseLines(refused.stdout).at(-1);
  assert.deepEqual([failure?.event, failure?.code, failure?.retryable], ['error', 'source_changed', false]);
  assert.match(String(failure?.hint), /--restart/);
  assert.ok(wire.carriedBytes < PART_BYTES);

  assert.equal((await bench.run(['upload', '--restart', path], { CRYOLIFT_SERVER: wire.url })).code, 0);
  assert.equal((await list('upload', 'edited.mrc')).length, 0);
  assert.equal((await list('file', 'edited.mrc')).length, 1);
  wire.close();
});

test('round trip: a token that expires during an upload is renewed', async () => {
  const { path, sha256 } = await makeFile('token.mrc', 8);
  const secret = (await readFile(bench.path('data/jwt-secret'), 'utf8')).trim();
  const [fresh, expired] = [3600, -60].map((ttl) => signToken(secret, 'local', SCOPES.join(' '), ttl));
  let current = fresh as Promise<string>;
  let renewals = 0;
  const transport = new HttpTransport(bench.url);
  const uploader = new Uploader({
    server: bench.url,
    transport,
    resumeStore: new FileResumeStore(bench.path('memory')),
    async getToken(renew) {
      if (renew) {
        renewals++;
        current = fresh as Promise<string>;
      }
      return await current;
    },
  });
  const source = await FileSource.open(path);
  let began = false;
  const file = await uploader.upload(source, {
    partSizeBytes: PART_BYTES,
    onProgress({ state }) {
      if (state !== 'sending' || began) return;
      began = true;
      current = expired as Promise<string>;
    },
  });
  assert.equal(file.sha256, sha256);
  assert.ok(renewals > 0);
  await source.close();
  transport.close();
});

test('round trip: after Ctrl-C the next download fetches only the missing ranges', async () => {
  const { path, bytes } = await makeFile('large.mrc', 256);
  const uploaded = await bench.run(['upload', '--json', path]);
  const { file_id } = parseLines<FileRecord>(uploaded.stdout).at(-1) as FileRecord;
  const wire = await Wire.to(bench.url);
  const back = bench.path('large-back.mrc');
  await interrupt(wire, (bytes.length * 3) / 4, ['download', '--parallel', '1', file_id, '-o', back]);
  await assert.rejects(stat(back));

  const resumed = await bench.run(['download', file_id, '-o', back], { CRYOLIFT_SERVER: wire.url });
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok((await readFile(back)).equals(bytes));
  assert.ok(wire.carriedBytes < bytes.length / 2 + TALK_BYTES, `${wire.carriedBytes} bytes were carried`);
  wire.close();
});

test('round trip: a wrong token ends the run at the first file with exit code 3', async () => {
  const { path } = await makeFile('token.mrc', 1);
  const { code, stdout } = await bench.run(['upload', '--json', '--token', 'wrong', path, path]);
  assert.equal(code, 3);
  const failures = parseLines(stdout).filter(({ event }) => event === 'error');
  assert.deepEqual(
    failures.map((failure) => failure.code),
    ['unauthenticated'],
  );
  assert.match(String(failures[0]?.request_id), /./);
});

test('round trip: an invalid MRC file is refused before a request, except with --force', async () => {
  const { path, bytes } = await makeFile('short.mrc', 4);
  await writeFile(path, bytes.subarray(0, -100));
  const wire = await Wire.to(bench.url);
  const refused = await bench.run(['upload', '--json', path], { CRYOLIFT_SERVER: wire.url });
  assert.equal(refused.code, 1);
  assert.equal(parseLines(refused.stdout).at(-1)?.code, 'invalid_mrc');
  assert.equal(wire.carriedBytes, 0);
  const forced = await bench.run(['upload', '--json', '--force', path], { CRYOLIFT_SERVER: wire.url });
  assert.equal(forced.code, 0, forced.stdout);
  const { warnings } = parseLines<FileRecord>(forced.stdout).at(-1) as FileRecord;
  assert.ok(warnings.length > 0);
  wire.close();
});

test('round trip: a folder selects its accepted files; a failure does not stop the others', async () => {
  const { path } = await makeFile('one.mrc', 2);
  await mkdir(bench.path('grid/deep'), { recursive: true });
  await copyFile(path, bench.path('grid/a.mrc'));
  await copyFile(path, bench.path('grid/.hidden.mrc'));
  await copyFile(path, bench.path('grid/deep/b.mrc'));
  await writeFile(bench.path('grid/notes.txt'), 'notes');
  await writeFile(bench.path('grid/c.MRC'), 'no MRC');
  const { code, stdout, stderr } = await bench.run(['upload', bench.path('grid'), path]);
  assert.equal(code, 4);
  assert.match(stdout, /^a\.mrc {2}/m);
  assert.match(stdout, /^one\.mrc {2}/m);
  assert.doesNotMatch(stdout, /hidden|b\.mrc|notes/);
  assert.match(stderr, /c\.MRC: /);
  assert.match(stderr, /notes\.txt: skipped/);
});

test('round trip: an upload can be cancelled', async () => {
  const { path, bytes } = await makeFile('unwanted.mrc', 32);
  const wire = await Wire.to(bench.url);
  await interrupt(wire, bytes.length / 2, ['upload', ...SMALL_PARTS, path]);
  const [upload] = await list<UploadRecord>('upload', 'unwanted.mrc');
  const { code } = await bench.run(['cancel', upload?.upload_id ?? '']);
  assert.equal(code, 0);
  assert.deepEqual(await list('upload', 'unwanted.mrc'), []);
  wire.close();
});
