import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { parseLines, runAlone, TestBench } from '../../../cli/src/testing/test-process.ts';

let bench: TestBench;
let file: { file_id: string; filename: string };

before(async () => {
  bench = await TestBench.start();
  const bytes = Buffer.concat([buildHeader({ nx: 100, ny: 1, nz: 1, mode: 0 }), Buffer.alloc(100)]);
  await writeFile(bench.path('a.mrc'), bytes);
  const { code, stdout } = await bench.run(['upload', '--json', bench.path('a.mrc')]);
  assert.equal(code, 0, stdout);
  [file] = parseLines<typeof file>((await bench.run(['ls', '--json'])).stdout) as [typeof file];
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

test('audit: prints entries from the data folder, with --since', async () => {
  const all = await bench.run(['audit', '--json']);
  assert.equal(all.code, 0, all.stderr);
  const lines = parseLines<{ action: string; subject: string }>(all.stdout);
  assert.deepEqual(
    lines.map(({ action, subject }) => [action, subject]),
    [
      ['upload.init', 'local'],
      ['upload.complete', 'local'],
    ],
  );
  const folder = bench.path('old/audit');
  await mkdir(folder, { recursive: true });
  const old = { ...lines[0], time: '2020-01-31T00:00:00.000Z' };
  await writeFile(join(folder, '2020-01.jsonl'), `${JSON.stringify(old)}\n{"cut o`);
  const now = { ...lines[0], time: new Date().toISOString() };
  await writeFile(join(folder, `${now.time.slice(0, 7)}.jsonl`), `${JSON.stringify(old)}\n${JSON.stringify(now)}\n`);
  const run = (...args: string[]) => runAlone(['audit', '--data-dir', bench.path('old'), ...args]);
  assert.equal((await run()).stdout.split('\n').length, 4);
  const recent = await run('--since', '1h');
  assert.match(recent.stdout, /^\S+ \S+ {2}ok +upload\.init +local {2}127\.0\.0\.1 {2}upload \w+\n$/);
  assert.equal((await runAlone(['audit', '--data-dir', '/nowhere'])).code, 2);
});

test('admin: lists uploads and runs a sweep', async () => {
  const running = await bench.run(['admin', 'sessions']);
  assert.equal(running.stdout, 'no unfinished uploads\n', running.stderr);
  const [upload] = parseLines((await bench.run(['admin', 'sessions', '--all', '--json'])).stdout);
  assert.equal(upload?.status, 'completed');
  assert.equal(upload?.owner, 'local');
  const swept = await bench.run(['admin', 'sweep']);
  assert.equal(
    swept.stdout,
    '0 expired, 0 leftovers removed, 0 deletions finished, 0 old rows deleted\n',
    swept.stderr,
  );
});

test('backup: database and files of a running server start a server with the same files', async () => {
  const to = bench.path('backup');
  const made = await bench.run(['admin', 'backup', '--json', to]);
  assert.equal(made.code, 0, made.stdout + made.stderr);
  const [received] = parseLines<{ storage_dir: string; list: string; next: string; files: number }>(made.stdout);
  assert.ok(received);
  assert.equal(received.files, 1);
  for (const name of ['cryolift.sqlite', 'jwt-secret', 'files.txt']) {
    assert.equal((await stat(join(to, name))).mode & 0o777, 0o600, name);
  }
  for (const path of (await readFile(received.list, 'utf8')).trimEnd().split('\n')) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await cp(join(received.storage_dir, path), join(to, path));
  }
  const again = await bench.run(['admin', 'backup', to]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /already has a backup/);

  const restored = bench.begin(['serve', '--port', '0', '--data-dir', to]);
  try {
    const [printed] = await Promise.race([
      once(restored.child.stdout ?? process.stdin, 'data'),
      restored.ended.then(({ stderr }) => assert.fail(stderr)),
    ]);
    const url = /listening on (\S+)/.exec(String(printed))?.[1] ?? '';
    const env = { CRYOLIFT_SERVER: url, CRYOLIFT_DATA_DIR: to };
    const got = await bench.run(['download', file.file_id, '-o', bench.path('back.mrc')], env);
    assert.equal(got.code, 0, got.stderr);
    assert.deepEqual(await readFile(bench.path('back.mrc')), await readFile(bench.path('a.mrc')));
  } finally {
    restored.child.kill('SIGTERM');
    await restored.ended;
  }
});

test('backup: a wrong data folder creates no files', async () => {
  const [wrong, target] = [bench.path('wrong'), bench.path('backup of nothing')];
  const run = () => runAlone(['admin', 'backup', '--data-dir', wrong, target]);
  const expectNothing = async (message: RegExp) => {
    const { code, stdout, stderr } = await run();
    assert.equal(code, 2, stdout + stderr);
    assert.match(stderr, message);
    await assert.rejects(stat(target), { code: 'ENOENT' });
  };
  await expectNothing(/wrong does not exist: give the --data-dir/);
  await assert.rejects(stat(wrong), { code: 'ENOENT' });
  await mkdir(wrong);
  await expectNothing(/cryolift\.sqlite does not exist/);
  assert.deepEqual(await readdir(wrong), []);
  // As left by an earlier version.
  await writeFile(join(wrong, 'cryolift.sqlite'), '');
  await expectNothing(/is not a database of a Cryolift server/);
  await writeFile(join(wrong, 'cryolift.sqlite'), 'not a database, and longer than the header of one. '.repeat(4));
  await expectNothing(/is not a database of a Cryolift server/);
  assert.deepEqual(await readdir(wrong), ['cryolift.sqlite']);
});

test('backup: a failed backup leaves no database, and the next one can use the folder', async () => {
  const target = bench.path('broken backup');
  await mkdir(target);
  await writeFile(join(target, 'audit'), 'in the place of a folder');
  const broken = await bench.run(['admin', 'backup', target]);
  assert.equal(broken.code, 1, broken.stdout);
  assert.deepEqual(
    (await readdir(target)).filter((name) => name.startsWith('cryolift.sqlite')),
    [],
  );
  await rm(join(target, 'audit'));
  const whole = await bench.run(['admin', 'backup', target]);
  assert.equal(whole.code, 0, whole.stderr);
  assert.deepEqual(
    (await readdir(target)).filter((name) => name.startsWith('cryolift')),
    ['cryolift.sqlite'],
  );
});

test('admin scrub: follows the scrub, and exits with 1 when a file has changed', async () => {
  assert.equal((await bench.run(['admin', 'scrub', '--status'])).stdout, 'no scrub yet\n');
  const sound = await bench.run(['admin', 'scrub', '--rate', '100MiB']);
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(sound.stdout, /^scrub done: 1 of 1 files, 1\.10 KiB: 1 ok, 0 damaged/);
  const path = join(bench.path('data'), 'files', file.file_id, file.filename);
  await rename(path, `${path}.away`);
  await symlink(path, path);
  const unreadable = await bench.run(['admin', 'scrub']);
  assert.equal(unreadable.code, 4, 'nothing is known of the file');
  assert.match(unreadable.stdout, /0 ok, 0 damaged, 0 missing, 1 unreadable\n {2}unreadable .*ELOOP/);
  await rm(path);
  await rename(`${path}.away`, path);
  await chmod(path, 0o600);
  await truncate(path, 1000);
  const { code, stdout } = await bench.run(['admin', 'scrub', '--json']);
  assert.equal(code, 1);
  const report = parseLines<{ damaged: number; faults: { file_id: string }[] }>(stdout).at(-1);
  assert.equal(report?.damaged, 1);
  assert.equal(report.faults[0]?.file_id, file.file_id);
  assert.equal((await bench.run(['admin', 'scrub', '--rate', '1KiB'])).code, 2);
});

test('admin scrub: an incomplete scrub does not exit with 0', async (context) => {
  const none = { files: 5, bytes: 9, checked_files: 1, checked_bytes: 1, ok: 1, damaged: 0, missing: 0, unreadable: 0 };
  const report = { ...none, status: 'done', started_at: null, ended_at: null, bytes_per_second: 1, faults: [] };
  let next: object = report;
  const server = createServer((request, response) => {
    const isBegin = request.method === 'POST';
    response.writeHead(isBegin ? 202 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isBegin ? { ...report, status: 'running' } : next));
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cases: [object, string[], number][] = [
    [{}, [], 0],
    [{ status: 'stopped' }, [], 1],
    [{ status: 'failed' }, [], 1],
    [{ unreadable: 1 }, [], 4],
    [{ unreadable: 1, missing: 1 }, [], 1],
    [{ status: 'stopped' }, ['--status'], 1],
    [{ status: 'failed' }, ['--status'], 1],
    [{ status: 'running' }, ['--status'], 0],
    [{ status: 'stopped' }, ['--stop'], 0],
  ];
  for (const [changes, flags, code] of cases) {
    next = { ...report, ...changes };
    const ended = await runAlone(['admin', 'scrub', ...flags], { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 't' });
    assert.equal(ended.code, code, JSON.stringify([changes, flags]) + ended.stderr);
  }
});

test('admin deliveries: lists dead deliveries first, and sends them again', async () => {
  assert.equal((await bench.run(['admin', 'deliveries'])).stdout, 'no events that are no longer tried\n');
  const none = await bench.run(['admin', 'deliveries', 'retry', '7', '--json']);
  assert.match(none.stdout, /"code":"not_found"/);
  const delivery = {
    seq: 7,
    upload_id: 'u1',
    type: 'cryolift.upload.completed',
    status: 'dead',
    attempts: 12,
    created_at: new Date().toISOString(),
    next_at: null,
    trouble: '500',
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const isRetry = request.method === 'POST';
    response.writeHead(isRetry ? 202 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isRetry ? delivery : { items: [delivery], next_cursor: null }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (...args: string[]) =>
    runAlone(['admin', 'deliveries', ...args], { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 't' });
  assert.match((await run()).stdout, /^7 +upload\.completed +u1 +dead +12 +now +500$/m);
  await run('--all');
  const retried = await run('retry', '7');
  assert.equal(retried.stdout, 'event 7 is sent again\n', retried.stderr);
  assert.deepEqual(asked, [
    'GET /webhooks/deliveries?status=dead&limit=1000',
    'GET /webhooks/deliveries?limit=1000',
    'POST /webhooks/deliveries/7/retry',
  ]);
  server.close();
});

test('admin sweep: waits for a long sweep; an interrupted one is a failure', async (context) => {
  const swept = { expired: 3, deleted: 0, leftovers: 1, forgotten: 2 };
  const ends = [
    { status: 'running', started_at: null, ended_at: null, swept: null },
    { status: 'done', started_at: null, ended_at: null, swept },
    { status: 'never', started_at: null, ended_at: null, swept: null },
  ];
  const server = createServer((request, response) => {
    const isBegin = request.method === 'POST';
    response.writeHead(isBegin ? 202 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isBegin ? { ...ends[0] } : ends.shift()));
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = () => runAlone(['admin', 'sweep'], { CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: 't' });
  const done = await run();
  assert.equal(done.stdout, '3 expired, 1 leftovers removed, 0 deletions finished, 2 old rows deleted\n', done.stderr);
  const cutOff = await run();
  assert.equal(cutOff.code, 1);
  assert.match(cutOff.stderr, /did not finish/);
});

test('usage: invalid arguments exit with 2', async () => {
  for (const args of [['admin'], ['admin', 'nosuch'], ['admin', 'backup'], ['admin', 'deliveries', 'retry', 'x']]) {
    assert.equal((await runAlone(args)).code, 2, args.join(' '));
  }
});
