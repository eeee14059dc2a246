/** What is sent in names, headers and metadata comes back as it is, or is refused; it is never read as anything else. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { initRequest, publish } from '../contract/upload.ts';
import { Connection, callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

const server = await startServer();
after(() => server.discard());
const call = callAs(server);

/** All names below the data folder, except in the audit, which has the refusal. */
function listFolder(): string[] {
  const names = readdirSync(server.dataDir, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => !/^audit(\/\d{4}-\d\d\.jsonl)?$/.test(name));
}

test('injection: paths in a name, however they are written, are refused, and nothing is made anywhere', async () => {
  const before = listFolder();
  const names = [
    '../a.mrc',
    '..\\a.mrc',
    '/etc/a.mrc',
    'C:\\a.mrc',
    'a/../../b.mrc',
    '..',
    '.',
    '\u0000.mrc',
    'a\u0000.mrc',
    'a\r\nb.mrc',
  ];
  for (const filename of names) {
    assertFailure(await call('POST', '/uploads/init', { json: initRequest({ filename }) }), 'invalid_filename');
  }
  assert.deepEqual(listFolder(), before);
});

test('injection: a name that is harmless as a name stays one: in headers, in JSON, on the disk', async () => {
  const names = [
    'a"; filename="evil.exe.mrc',
    "x'*=UTF-8''y.mrc",
    '%2e%2e%2fa.mrc',
    '$(id).mrc',
    '-rf.mrc',
    'a;b,c=d.mrc',
    '<img src=x>.mrc',
  ];
  for (const filename of names) {
    const file = await publish(call, makeMrc(2000), { filename });
    assert.equal(file.filename, filename);
    const answer = await call('GET', `/files/${file.file_id}/content`);
    const disposition = answer.headers['content-disposition'] ?? '';
    assert.match(disposition, /^attachment; filename="[^"\\%]*"; filename\*=UTF-8''[\w.~!#$&+^`|%-]*$/);
    assert.equal(decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(disposition)?.[1] ?? ''), filename);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  }
});

test('injection: line ends in a header are no new header, and no new log line', async () => {
  const connection = await Connection.open(server.url);
  connection.send('GET /limits HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\nSet-Cookie: evil=1\r\n\r\n');
  const answer = await connection.answer();
  assert.equal(answer.headers['set-cookie'], undefined);
  connection.close();
  for (const id of ['a b', 'a\u0085b', '{"level":60}', 'x'.repeat(200), '<b>', 'ä']) {
    const raw = await Connection.open(server.url);
    raw.send(Buffer.from(`GET /limits HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`, 'latin1'));
    assert.notEqual((await raw.answer()).headers['x-request-id'], id);
    raw.close();
  }
  await call('GET', `/files/${encodeURIComponent('x"}\n{"level":60,"msg":"forged"}')}`);
  for (const line of server.stderr.trim().split('\n')) {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    assert.ok(level < 60 && msg !== 'forged', line);
  }
});

test('injection: metadata is bounded before it is worked on, however it is packed', async () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, 'v']));
  assertFailure(await call('POST', '/uploads/init', { json: initRequest({ metadata: many }) }), 'invalid_request');
  assertFailure(
    await call('POST', '/uploads/init', { json: initRequest({ metadata: { k: 'x'.repeat(900_000) } }) }),
    'invalid_request',
  );
  const deep = `{"filename":"a.mrc","size":5000,"metadata":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`;
  const headers = { 'content-type': 'application/json' };
  assertFailure(await call('POST', '/uploads/init', { body: deep, headers }), 'invalid_request');
  const packed = { ...headers, 'content-encoding': 'gzip' };
  assertFailure(await call('POST', '/uploads/init', { body: Buffer.alloc(1000), headers: packed }), 'invalid_request');
});

test('injection: markup, code and templates in values are returned as text', async () => {
  const metadata = {
    '<script>': '</script><script>alert(1)</script>',
    __proto__x: '{{constructor}}',
    sql: "'; drop table files; --",
  };
  const file = await publish(call, makeMrc(2000), { metadata });
  const answer = await call('GET', `/files/${file.file_id}`);
  assert.deepEqual(answer.json<FileRecord>().metadata, metadata);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
});

test('injection: ranges without end or sense cost nothing, and give no wrong bytes', async () => {
  const bytes = makeMrc(200_000);
  const { file_id } = await publish(call, bytes);
  const many = `bytes=${Array.from({ length: 1000 }, () => '0-').join(',')}`;
  for (const range of [
    many,
    'bytes=0-18446744073709551616',
    'bytes=-0',
    'bytes=0-0,-1',
    `bytes=${'9'.repeat(400)}-`,
    'bytes=1-0',
  ]) {
    const { status, body } = await call('GET', `/files/${file_id}/content`, { headers: { range } });
    assert.ok([200, 206, 416].includes(status), `${range.slice(0, 40)}: ${status}`);
    if (status === 200) assert.ok(body.equals(bytes));
    if (status === 206) assert.ok(body.length <= bytes.length && bytes.includes(body));
  }
});

test('injection: the page and its files cannot be framed, and content cannot be run in our name', async () => {
  const page = await call('GET', '/');
  assert.match(page.headers['content-security-policy'] ?? '', /default-src 'none'.*frame-ancestors 'none'/);
  const { file_id } = await publish(call, makeMrc(2000));
  const content = await call('GET', `/files/${file_id}/content`);
  assert.match(content.headers['content-security-policy'] ?? '', /sandbox/);
  assert.match(content.headers['content-disposition'] ?? '', /^attachment/);
});
