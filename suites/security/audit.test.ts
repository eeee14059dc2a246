/** The audit: who did what to what, in lines that hold ids and no values. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AuditEntry } from '../../packages/server/src/ops/audit.ts';
import { makeDataset } from '../contract/datasets/calls.ts';
import { makeMrc } from '../contract/sample.ts';
import { asTus, create, idOf, patch } from '../contract/tus/tus-client.ts';
import { eventually, initRequest, openSample, publish, put } from '../contract/upload.ts';
import { callAs, callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

const server = await startServer();
after(() => server.discard());
const folder = join(server.dataDir, 'audit');
const ada = callAs(server, { sub: 'ada', scope: 'uploads:write files:read files:delete' });

async function readText(): Promise<string> {
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

/** The lines that `act` adds. */
async function linesOf(act: () => Promise<unknown>): Promise<AuditEntry[]> {
  const before = await readText().catch(() => '');
  await act();
  const added = (await readText()).slice(before.length);
  return added
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEntry);
}

test('audit: has a file from init to deletion, without single parts', async () => {
  const ids: { file_id?: string; upload_id?: string } = {};
  const lines = await linesOf(async () => {
    const { file_id, upload_id } = await publish(ada, makeMrc(200_000));
    Object.assign(ids, { file_id, upload_id });
    await ada('PATCH', `/files/${file_id}`, { json: { metadata: { grid: 'SECRET-VALUE' } } });
    await ada('POST', `/files/${file_id}/sign`);
    for (const range of ['bytes=0-99', 'bytes=100-199']) {
      await ada('GET', `/files/${file_id}/content`, { headers: { range } });
    }
    await ada('GET', `/files/${file_id}`);
    await ada('DELETE', `/files/${file_id}`);
  });
  assert.deepEqual(
    lines.map(({ action, outcome }) => [action, outcome]),
    ['upload.init', 'upload.complete', 'file.update', 'file.sign', 'file.read', 'file.delete'].map((each) => [
      each,
      'ok',
    ]),
  );
  for (const line of lines) {
    assert.equal(line.subject, 'ada');
    assert.match(line.address, /^127\.0\.0\.1$/);
    assert.match(line.time, /^\d{4}-.*Z$/);
    if (line.action.startsWith('upload')) assert.equal(line.upload_id, ids.upload_id);
    else assert.equal(line.file_id, ids.file_id);
  }
});

test('audit: has what a client of tus does, without single appends, and names what was deleted', async () => {
  const tus = asTus(ada);
  let path = '';
  const lines = await linesOf(async () => {
    path = await create(tus, { 'upload-length': '5000' }, { filename: 'a.mrc' });
    const bytes = makeMrc(5000);
    await patch(tus, path, 0, bytes.subarray(0, 2000));
    await patch(tus, path, 2000, bytes.subarray(2000));
    await tus('DELETE', path);
    const other = await create(tus, { 'upload-length': '5000' }, { filename: 'a.mrc' });
    await tus('POST', other, { headers: { 'x-http-method-override': 'DELETE' } });
  });
  assert.deepEqual(
    lines.map(({ action, outcome, upload_id }) => [action, outcome, upload_id === idOf(path)]),
    [
      ['upload.init', 'ok', true],
      ['upload.complete', 'ok', true],
      ['file.delete', 'ok', true],
      ['upload.init', 'ok', false],
      ['upload.cancel', 'ok', false],
    ],
  );
  assert.match(lines[2]?.file_id ?? '', /^[\w-]+$/);
});

test('audit: a line has the request id of its answer', async () => {
  const lines = await linesOf(() =>
    ada('POST', '/uploads/init', { json: initRequest(), headers: { 'x-request-id': 'mine-1' } }),
  );
  assert.deepEqual(
    lines.map(({ request_id }) => request_id),
    ['mine-1'],
  );
});

test('audit: what was refused is there, with its code and with who it was, parts and reads too', async () => {
  const { upload, bytes } = await openSample(ada, 2);
  const reader = callAs(server, { sub: 'rita', scope: 'files:read' });
  const lines = await linesOf(async () => {
    await put(reader, upload, 0, bytes);
    await reader('GET', '/admin/sessions');
    await reader('DELETE', '/files/none');
    await callWith(server, {})('GET', '/files');
    await ada('DELETE', '/files/nosuchfile');
  });
  assert.deepEqual(
    lines.map(({ action, subject, outcome, code }) => [action, subject, outcome, code]),
    [
      ['part.put', 'rita', 'refused', 'forbidden'],
      ['admin.sessions', 'rita', 'refused', 'forbidden'],
      ['file.delete', 'rita', 'refused', 'forbidden'],
      ['GET /files', null, 'refused', 'unauthenticated'],
      ['file.delete', 'ada', 'refused', 'file_not_found'],
    ],
  );
});

test('audit: has who revoked all links of an owner, and the owner', async () => {
  const root = callAs(server, { sub: 'root', scope: 'admin' });
  const lines = await linesOf(async () => {
    await root('DELETE', '/admin/links?owner=eve');
    await ada('DELETE', '/links');
  });
  assert.deepEqual(
    lines.map(({ action, subject, owner }) => [action, subject, owner]),
    [
      ['admin.links.revoke', 'root', 'eve'],
      ['link.revoke_all', 'ada', undefined],
    ],
  );
});

test('audit: has the ids of links and signed URLs', async () => {
  const file = await publish(ada, makeMrc(3000));
  const dataset = await makeDataset(ada, { name: 'shared' });
  const made = (await ada('POST', '/links')).json<{ link_id: string; token: string }>();
  const lines = await linesOf(async () => {
    await callWith(server, { authorization: `Bearer ${made.token}` })('POST', '/uploads/init', { json: initRequest() });
    const { url } = (await ada('POST', `/files/${file.file_id}/sign`)).json<{ url: string }>();
    const { pathname, search } = new URL(url);
    await callWith(server, {})('GET', pathname + search);
    const shared = new URL((await ada('POST', `/datasets/${dataset.dataset_id}/sign`)).json<{ url: string }>().url);
    await callWith(server, {})('GET', shared.pathname + shared.search);
  });
  const [init, sign, read, share, list] = lines;
  assert.deepEqual([init?.action, init?.subject, init?.link_id], ['upload.init', 'ada', made.link_id]);
  assert.equal(sign?.action, 'file.sign');
  assert.deepEqual([read?.action, read?.subject, read?.file_id], ['file.read', null, file.file_id]);
  assert.match(read?.key_id ?? '', /^[\w-]{8}$/);
  assert.deepEqual([share?.action, share?.subject], ['dataset.sign', 'ada']);
  assert.deepEqual([list?.action, list?.subject, list?.key_id], ['dataset.list_downloads', null, read?.key_id]);
});

test('no value is in it: no names, metadata, tokens, signatures, nor what stands in the place of an id', async () => {
  const secrets = ['SECRET-NAME', 'SECRET-VALUE', 'SECRET-ID', 'cl_sig', 'eyJ', 'clu_'];
  await ada('POST', '/uploads/init', {
    json: initRequest({ filename: 'SECRET-NAME.mrc', metadata: { a: 'SECRET-VALUE' }, fingerprint: 'SECRET-VALUE' }),
  });
  await callWith(server, {})('DELETE', '/files/SECRET-ID%0A%7B%22a%22');
  const text = await readText();
  for (const secret of secrets) assert.ok(!text.includes(secret), secret);
});

test('audit: the folder and its file are for the server alone, by month', async () => {
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  const [name = ''] = await readdir(folder);
  assert.match(name, /^\d{4}-\d{2}\.jsonl$/);
  assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
});

test('audit: refusals of an anonymous caller share lines, and omitted ones are counted', async () => {
  const withoutToken = callWith(server, {});
  const lines = await linesOf(async () => {
    await Promise.all(Array.from({ length: 200 }, () => withoutToken('DELETE', '/files/x')));
  });
  assert.ok(lines.length < 150, `${lines.length} lines`);
  const [later] = await eventually(
    () => linesOf(() => withoutToken('DELETE', '/files/x')),
    ([line]) => line !== undefined,
  );
  const counted = [...lines, later].reduce((sum, line) => sum + (line?.omitted ?? 0), lines.length);
  assert.ok(counted >= 200, `${counted} of 200 refusals, and those after them, have lines or are counted`);
});

test('audit: refused calls of one subject with any codes get few lines, and all are counted', async () => {
  const before = (await readText().catch(() => '')).length;
  const mallory = callAs(server, { sub: 'mallory' });
  const CALLS = 300;
  await Promise.all(
    Array.from({ length: CALLS }, (_, at) =>
      at % 2 === 0 ? mallory('DELETE', '/files/none') : mallory('GET', '/admin/sessions'),
    ),
  );
  const readLines = async () =>
    (await readText())
      .slice(before)
      .split('\n')
      .flatMap((line) => (line.includes('"mallory"') ? [JSON.parse(line) as AuditEntry] : []));
  const countCalls = (lines: AuditEntry[]) => lines.reduce((sum, { omitted = 0 }) => sum + 1 + omitted, 0);
  // No further call is needed for the last number.
  const lines = await eventually(readLines, (each) => countCalls(each) >= CALLS);
  assert.equal(countCalls(lines), CALLS);
  assert.ok(lines.length < 200, `${lines.length} lines`);
});

test('audit: a line that a crash has cut off does not spoil the next', async () => {
  await server.stop();
  const [name = ''] = await readdir(folder);
  const path = join(folder, name);
  await writeFile(path, '{"time":"cut o', { flag: 'a' });
  await server.restart();
  await callAs(server, { sub: 'eve' })('POST', '/uploads/init', { json: initRequest() });
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.equal((JSON.parse(lines.at(-1) ?? '') as AuditEntry).subject, 'eve');
  assert.equal(lines.at(-2), '{"time":"cut o');
});

test('audit: a failed write is reported, and requests are still answered', async () => {
  await server.stop();
  await rename(folder, `${folder}.kept`);
  await writeFile(folder, 'no folder');
  await server.restart();
  const answer = await callAs(server)('POST', '/uploads/init', { json: initRequest() });
  assert.equal(answer.status, 201);
  const metrics = (await callWith(server, {})('GET', '/metrics')).body.toString();
  assert.match(metrics, /^cryolift_audit_failures_total 1$/m);
  assert.match(server.stderr, /the audit could not be written/);
  await rm(folder);
  await mkdir(folder);
  await chmod(folder, 0o700);
});
