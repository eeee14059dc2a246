/** An upload link brings files in, up to its bounds, until it ends; it gets nothing out and reaches nothing else. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Caller, FileRecord, LinkPage, RevokedLinks, Session, SessionPage } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import {
  complete,
  eventually,
  initRequest,
  listFiles,
  open,
  openSample,
  publish,
  put,
  putAll,
} from '../contract/upload.ts';
import { type Call, callAs, callWith } from '../contract/wire.ts';
import { findServer, startServer } from '../server-under-test.ts';

interface Link {
  readonly link_id: string;
  readonly expires_at: string;
  readonly url: string;
  readonly token: string;
}

const server = await findServer();
after(() => server.discard());

async function makeLink(owner: Call, request?: object): Promise<Link & { readonly call: Call }> {
  const answer = await owner('POST', '/links', request === undefined ? {} : { json: request });
  assert.equal(answer.status, 201, answer.body.toString());
  const link = answer.json<Link>();
  return { ...link, call: callWith(server, { authorization: `Bearer ${link.token}` }) };
}

const init = (call: Call, fields: object = {}, key?: string) =>
  call('POST', '/uploads/init', {
    json: { ...initRequest(), ...fields },
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  });

test('a file goes up by a link, and is its owner’s', async () => {
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
  assert.deepEqual(caller, { owner: file.owner, link_id });
  assert.equal((await owner('GET', '/whoami')).json<Caller>().owner, file.owner);
  // Safe to repeat.
  assert.equal((await complete(call, file)).json<FileRecord>().file_id, file.file_id);
  assert.equal(file.location, undefined);
});

test('a link does what an upload needs, with what was begun with it, and nothing else', async () => {
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
    `POST /uploads/${own.session.upload_id}/sign`,
    `GET /uploads/${own.session.upload_id}/preview`,
    `GET /uploads/${own.session.upload_id}/events`,
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
  for (const { session, bytes } of [owners, others]) {
    const path = `/uploads/${session.upload_id}`;
    const answers = [
      await call('GET', path),
      await call('GET', `${path}/parts`),
      await put(call, session, 0, bytes),
      await call('POST', `${path}/complete`),
      await call('DELETE', path),
    ];
    for (const answer of answers) assertFailure(answer, 'upload_not_found');
  }
  const listed = (await call('GET', '/uploads')).json<SessionPage>().items;
  assert.deepEqual(
    listed.map(({ upload_id }) => upload_id),
    [own.session.upload_id, file.upload_id],
  );
  assert.equal((await put(call, own.session, 0, own.bytes)).status, 201);
  const path = `/uploads/${own.session.upload_id}`;
  assert.equal((await call('GET', path)).json<Session>().received_parts, 1);
  assert.equal((await call('GET', `${path}/parts`)).status, 200);
  assert.equal((await call('DELETE', path)).status, 204);
  assert.equal((await owner('GET', path)).json<Session>().status, 'cancelled');
});

test('an upload is resumed within its link alone', async () => {
  const owner = callAs(server);
  const [first, second] = [await makeLink(owner), await makeLink(owner)];
  const fields = { fingerprint: 'the same file' };
  const begun = await open(first.call, fields);
  assert.equal((await init(first.call, fields)).json<Session>().upload_id, begun.upload_id);
  for (const call of [second.call, owner]) {
    const answer = await init(call, fields);
    assert.equal(answer.status, 201);
    assert.notEqual(answer.json<Session>().upload_id, begun.upload_id);
  }
  const keyed = await init(owner, {}, 'key');
  const linked = await init(first.call, { filename: 'other.mrc' }, 'key');
  assert.deepEqual([keyed.status, linked.status], [201, 201]);
  assert.equal(
    (await init(first.call, { filename: 'other.mrc' }, 'key')).json<Session>().upload_id,
    linked.json<Session>().upload_id,
  );
});

test('however many begin at once, a link stays within its bounds', async () => {
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
    // What is given up makes room.
    const path = `/uploads/${opened[0]?.json<Session>().upload_id}`;
    assert.equal((await call('DELETE', path)).status, 204);
    const again = await Promise.all([init(call), init(call)]);
    assert.deepEqual(again.map(({ status }) => status).sort(), [201, 413]);
  }
});

test('Idempotency-Key: no key of an owner finds what was begun with a link, and no key of a link what its owner began', async () => {
  const owner = callAs(server);
  const { call, link_id } = await makeLink(owner, {});
  const begun = (await init(call, {}, 'k')).json<Session>();
  for (const key of ['k', `${link_id} k`, `${link_id}:k`, `${link_id}k`, `${link_id}\tk`]) {
    const answer = await init(owner, {}, key);
    assert.equal(answer.status, 201, key);
    assert.notEqual(answer.json<Session>().upload_id, begun.upload_id);
  }
  const own = (await init(owner, {}, 'j')).json<Session>();
  const answer = await init(call, {}, 'j');
  assert.equal(answer.status, 201);
  assert.notEqual(answer.json<Session>().upload_id, own.upload_id);
});

test('a published file counts for its link, also when it was deleted', async () => {
  const owner = callAs(server);
  const { call } = await makeLink(owner, { max_bytes: 5000 });
  const { file_id } = await publish(call, makeMrc(3000));
  assertFailure(await init(call, { size: 2001 }), 'quota_exceeded');
  assert.equal((await owner('DELETE', `/files/${file_id}`)).status, 204);
  const { details } = assertFailure(await init(call, { size: 2001 }), 'quota_exceeded');
  assert.deepEqual(details, { used: 3000, limit: 5000, needed: 2001, used_files: 1, limit_files: null });
  assert.equal((await init(call, { size: 2000 })).status, 201);
});

test('a link ends, and what goes on then is refused', async () => {
  const owner = callAs(server);
  const { call } = await makeLink(owner, { expires_in: 2 });
  const { session, bytes } = await openSample(call, 2);
  const path = `/uploads/${session.upload_id}`;
  const ended = await eventually(
    () => call('GET', path),
    ({ status }) => status !== 200,
  );
  assertFailure(ended, 'token_expired');
  assertFailure(await put(call, session, 0, bytes), 'token_expired');
  assertFailure(await init(call), 'token_expired');
  // Its owner may go on.
  await putAll(owner, session, bytes);
  assert.equal((await complete(owner, session)).status, 200);
});

test('a link can be taken back by its owner, and by nobody else', async () => {
  const owner = callAs(server);
  const { call, link_id } = await makeLink(owner);
  const { session } = await openSample(call, 2);
  assertFailure(await callAs(server)('DELETE', `/links/${link_id}`), 'not_found');
  assert.equal((await call('GET', '/uploads')).status, 200);
  assert.equal((await owner('DELETE', `/links/${link_id}`)).status, 204);
  assertFailure(await call('GET', '/uploads'), 'unauthenticated');
  assertFailure(await owner('DELETE', `/links/${link_id}`), 'not_found');
  assert.equal((await owner('GET', `/uploads/${session.upload_id}`)).status, 200);
});

test('an owner lists the links that were made for them, with their use and without their tokens', async () => {
  const owner = callAs(server, { sub: 'list-owner' });
  const first = await makeLink(owner, { max_bytes: 9000, max_files: 3 });
  const second = await makeLink(owner);
  await publish(first.call, makeMrc(3000));
  const given = await open(first.call, { size: 2000 });
  assert.equal((await first.call('DELETE', `/uploads/${given.upload_id}`)).status, 204);
  const answer = await owner('GET', '/links');
  const { items } = answer.json<LinkPage>();
  assert.deepEqual(
    items.map(({ created_at, ...rest }) => rest),
    [
      { ...common(second), max_bytes: null, max_files: null, used_bytes: 0, used_files: 0 },
      { ...common(first), max_bytes: 9000, max_files: 3, used_bytes: 3000, used_files: 1 },
    ],
  );
  for (const { token } of [first, second]) assert.ok(!answer.body.includes(token));
  const page = (await owner('GET', '/links?limit=1')).json<LinkPage>();
  const rest = (await owner('GET', `/links?limit=1&cursor=${page.next_cursor}`)).json<LinkPage>();
  assert.deepEqual([...page.items, ...rest.items], items);
  assert.equal(rest.next_cursor, null);
  assert.deepEqual((await callAs(server, { sub: 'another' })('GET', '/links')).json<LinkPage>().items, []);

  function common({ link_id, expires_at }: Link) {
    return { link_id, owner: 'list-owner', expires_at };
  }
});

test('all links of an owner are revoked at once, and no others', async () => {
  const owner = callAs(server, { sub: 'revoking' });
  const other = await makeLink(callAs(server, { sub: 'not-revoking' }));
  const mine = [await makeLink(owner), await makeLink(owner)];
  assert.deepEqual((await owner('DELETE', '/links')).json<RevokedLinks>(), { revoked: 2 });
  for (const { call } of mine) assertFailure(await call('GET', '/uploads'), 'unauthenticated');
  assert.equal((await other.call('GET', '/uploads')).status, 200);
  assert.deepEqual((await owner('DELETE', '/links')).json<RevokedLinks>(), { revoked: 0 });
});

test('an administrator lists everybody’s links and revokes all of one owner', async () => {
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  const left = await makeLink(callAs(server, { sub: 'left-the-lab' }));
  const stays = await makeLink(callAs(server, { sub: 'stays' }));
  const ids = (await admin('GET', '/admin/links?limit=1000')).json<LinkPage>().items.map(({ link_id }) => link_id);
  for (const { link_id } of [left, stays]) assert.ok(ids.includes(link_id));
  const ofOne = (await admin('GET', '/admin/links?owner=left-the-lab')).json<LinkPage>().items;
  assert.deepEqual(
    ofOne.map(({ link_id, owner }) => [link_id, owner]),
    [[left.link_id, 'left-the-lab']],
  );
  assertFailure(await admin('DELETE', '/admin/links'), 'invalid_request');
  const revoked = await admin('DELETE', '/admin/links?owner=left-the-lab');
  assert.deepEqual(revoked.json<RevokedLinks>(), { revoked: 1 });
  assertFailure(await left.call('GET', '/uploads'), 'unauthenticated');
  assert.equal((await stays.call('GET', '/uploads')).status, 200);
  const nobody = callAs(server, { sub: 'stays' });
  for (const method of ['GET', 'DELETE']) {
    assertFailure(await nobody(method, '/admin/links?owner=left-the-lab'), 'forbidden');
  }
});

test('CRYOLIFT_MAX_LINK_TTL bounds links that are made, and those that were made before', async () => {
  const before = await startServer();
  try {
    const made = await makeLink(callAs(before, { sub: 'ada' }), { expires_in: 30 * 86_400 });
    assert.equal(await before.stop(), 0);
    const settings = { CRYOLIFT_DATA_DIR: before.dataDir, CRYOLIFT_MAX_LINK_TTL: '2s' };
    const after = await startServer(settings);
    const owner = callAs(after, { sub: 'ada' });
    const old = callWith(after, { authorization: `Bearer ${made.token}` });
    assertFailure(
      await eventually(
        () => old('GET', '/uploads'),
        ({ status }) => status !== 200,
      ),
      'token_expired',
    );
    const [item] = (await owner('GET', '/links')).json<LinkPage>().items;
    assert.equal(Date.parse(item?.expires_at ?? '') - Date.parse(item?.created_at ?? ''), 2000);
    assertFailure(await owner('POST', '/links', { json: { expires_in: 3 } }), 'invalid_request');
    assert.equal((await owner('POST', '/links', { json: { expires_in: 2 } })).status, 201);
    const byDefault = (await owner('POST', '/links')).json<Link>();
    assert.ok(Date.parse(byDefault.expires_at) - Date.now() <= 2000);
    await after.discard();
  } finally {
    await before.discard();
  }
});

test('what is no link opens nothing, and no odd link is made', async () => {
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
