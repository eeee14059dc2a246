/** An upload link starts uploads in one owner's space, within its bounds, and permits nothing else. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Caller, FileRecord, LinkPage, UploadLink, UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { complete, initRequest, listFiles, open, openSample, publish, put } from '../contract/upload.ts';
import { callAs, callWith } from '../contract/wire.ts';
import { init, makeLink, server } from './upload-links.ts';

after(() => server.discard());

test('links: a file is uploaded by a link, and belongs to the owner', async () => {
  const owner = callAs(server);
  const askedMs = Date.now();
  const { call, link_id, expires_at, url, token } = await makeLink(owner);
  assert.equal(url, `http://cryolift.test/#token=${token}`);
  const madeMs = Date.parse(expires_at) - 12 * 3_600_000;
  assert.ok(askedMs <= madeMs && madeMs <= Date.now(), expires_at);
  const bytes = makeMrc(200_000);
  const file = await publish(call, bytes);
  assert.deepEqual(
    (await listFiles(owner)).map(({ file_id }) => file_id),
    [file.file_id],
  );
  assert.ok((await owner('GET', `/files/${file.file_id}/content`)).body.equals(bytes));
  const caller = (await call('GET', '/whoami')).json<Caller>();
  assert.deepEqual(caller, { owner: file.owner, link_id, note: null, expires_at, scopes: [] });
  assert.equal((await owner('GET', '/whoami')).json<Caller>().owner, file.owner);
  // Safe to repeat.
  assert.equal((await complete(call, file)).json<FileRecord>().file_id, file.file_id);
  assert.equal(file.location, undefined);
});

test('links: a link permits uploads that were started with it, and nothing else', async () => {
  const owner = callAs(server);
  const { call, link_id } = await makeLink(owner);
  const other = await makeLink(owner);
  const file = await publish(call, makeMrc(2000));
  const owners = await openSample(owner, 2);
  const others = await openSample(other.call, 2);
  const own = await openSample(call, 2);
  const ids = [
    'GET /files',
    `GET /files/${file.file_id}`,
    `GET /files/${file.file_id}/content`,
    `HEAD /files/${file.file_id}/content`,
    `GET /files/${file.file_id}/preview`,
    `GET /files/${file.file_id}/statistics`,
    `GET /files/${file.file_id}/jobs`,
    `PATCH /files/${file.file_id}`,
    `DELETE /files/${file.file_id}`,
    `POST /files/${file.file_id}/sign`,
    `POST /uploads/${own.upload.upload_id}/sign`,
    `GET /uploads/${own.upload.upload_id}/preview`,
    `GET /uploads/${own.upload.upload_id}/events`,
    'GET /events',
    'POST /links',
    `DELETE /links/${link_id}`,
    'GET /links',
    'DELETE /links',
    'GET /admin/links',
    'DELETE /admin/links?owner=ada',
  ];
  for (const name of ids) {
    const [method = '', path = ''] = name.split(' ');
    const answer = await call(method, path, method === 'PATCH' ? { json: { metadata: {} } } : {});
    if (method === 'HEAD') assert.equal(answer.status, 403, name);
    else assertFailure(answer, 'forbidden');
  }
  for (const { upload, bytes } of [owners, others]) {
    const path = `/uploads/${upload.upload_id}`;
    const answers = [
      await call('GET', path),
      await call('GET', `${path}/parts`),
      await put(call, upload, 0, bytes),
      await call('POST', `${path}/complete`),
      await call('DELETE', path),
    ];
    for (const answer of answers) assertFailure(answer, 'upload_not_found');
  }
  const listed = (await call('GET', '/uploads')).json<UploadPage>().items;
  assert.deepEqual(
    listed.map(({ upload_id }) => upload_id),
    [own.upload.upload_id, file.upload_id],
  );
  assert.equal((await put(call, own.upload, 0, own.bytes)).status, 201);
  const path = `/uploads/${own.upload.upload_id}`;
  assert.equal((await call('GET', path)).json<UploadRecord>().received_parts, 1);
  assert.equal((await call('GET', `${path}/parts`)).status, 200);
  assert.equal((await call('DELETE', path)).status, 204);
  assert.equal((await owner('GET', path)).json<UploadRecord>().status, 'cancelled');
});

test('links: an upload is resumed within its link only', async () => {
  const owner = callAs(server);
  const [first, second] = [await makeLink(owner), await makeLink(owner)];
  const fields = { fingerprint: 'the same file' };
  const started = await open(first.call, fields);
  assert.equal((await init(first.call, fields)).json<UploadRecord>().upload_id, started.upload_id);
  for (const call of [second.call, owner]) {
    const answer = await init(call, fields);
    assert.equal(answer.status, 201);
    assert.notEqual(answer.json<UploadRecord>().upload_id, started.upload_id);
  }
  const keyed = await init(owner, {}, 'key');
  const linked = await init(first.call, { filename: 'other.mrc' }, 'key');
  assert.deepEqual([keyed.status, linked.status], [201, 201]);
  assert.equal(
    (await init(first.call, { filename: 'other.mrc' }, 'key')).json<UploadRecord>().upload_id,
    linked.json<UploadRecord>().upload_id,
  );
});

test('links: a link stays within its bounds, also when many uploads start at once', async () => {
  const owner = callAs(server);
  const MAX = 10;
  const size = initRequest().size;
  for (const [request, code] of [
    [{ max_bytes: MAX * size + size - 1 }, 'bytes'],
    [{ max_files: MAX }, 'files'],
  ] as const) {
    const { call } = await makeLink(owner, request);
    const answers = await Promise.all(Array.from({ length: 3 * MAX }, () => init(call)));
    const opened = answers.filter(({ status }) => status === 201);
    assert.equal(opened.length, MAX, code);
    for (const answer of answers) if (answer.status !== 201) assertFailure(answer, 'quota_exceeded');
    // Cancelled uploads do not count.
    const path = `/uploads/${opened[0]?.json<UploadRecord>().upload_id}`;
    assert.equal((await call('DELETE', path)).status, 204);
    const again = await Promise.all([init(call), init(call)]);
    assert.deepEqual(again.map(({ status }) => status).sort(), [201, 413]);
  }
});

test('Idempotency-Key: keys of a link and of its owner do not find uploads of each other', async () => {
  const owner = callAs(server);
  const { call, link_id } = await makeLink(owner, {});
  const started = (await init(call, {}, 'k')).json<UploadRecord>();
  for (const key of ['k', `${link_id} k`, `${link_id}:k`, `${link_id}k`, `${link_id}\tk`]) {
    const answer = await init(owner, {}, key);
    assert.equal(answer.status, 201, key);
    assert.notEqual(answer.json<UploadRecord>().upload_id, started.upload_id);
  }
  const own = (await init(owner, {}, 'j')).json<UploadRecord>();
  const answer = await init(call, {}, 'j');
  assert.equal(answer.status, 201);
  assert.notEqual(answer.json<UploadRecord>().upload_id, own.upload_id);
});

test('links: a published file counts for its link, also after its deletion', async () => {
  const owner = callAs(server);
  const { call } = await makeLink(owner, { max_bytes: 5000 });
  const { file_id } = await publish(call, makeMrc(3000));
  assertFailure(await init(call, { size: 2001 }), 'quota_exceeded');
  assert.equal((await owner('DELETE', `/files/${file_id}`)).status, 204);
  const { details } = assertFailure(await init(call, { size: 2001 }), 'quota_exceeded');
  assert.deepEqual(details, { used: 3000, limit: 5000, needed: 2001, used_files: 1, limit_files: null });
  assert.equal((await init(call, { size: 2000 })).status, 201);
});

test('links: an invalid token is refused, and no invalid link is made', async () => {
  const owner = callAs(server);
  const { token } = await makeLink(owner);
  const near = [
    token.slice(0, -1),
    `${token}A`,
    `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
    token.toLowerCase(),
    `cl_link_${'A'.repeat(43)}`,
  ];
  for (const wrong of near) {
    assertFailure(await callWith(server, { authorization: `Bearer ${wrong}` })('GET', '/uploads'), 'unauthenticated');
  }
  for (const json of [
    { expires_in: 0 },
    { expires_in: 30 * 86_400 + 1 },
    { max_bytes: 0 },
    { max_files: 1.5 },
    { max_bytes: '1' },
  ]) {
    assertFailure(await owner('POST', '/links', { json }), 'invalid_request');
  }
  assertFailure(await callAs(server, { scope: 'files:read' })('POST', '/links'), 'forbidden');
});

test('links: the note of a link is told to who has the link, and to nobody else without its token', async () => {
  const owner = callAs(server, { sub: 'noting' });
  const note = 'Glacios 2, session 12 – “ribosomes”';
  const made = (await owner('POST', '/links', { json: { note, expires_in: 600 } })).json<UploadLink>();
  assert.equal(made.note, note);
  const visitor = callWith(server, { authorization: `Bearer ${made.token}` });
  const caller = (await visitor('GET', '/whoami')).json<Caller>();
  assert.deepEqual([caller.note, caller.expires_at], [note, made.expires_at]);
  assert.equal((await owner('GET', '/links')).json<LinkPage>().items[0]?.note, note);
  for (const wrong of ['', 'x'.repeat(201), 7]) {
    assertFailure(await owner('POST', '/links', { json: { note: wrong } }), 'invalid_request');
  }
  // An upload link lists no links, its own neither.
  assertFailure(await visitor('GET', '/links'), 'forbidden');
});
