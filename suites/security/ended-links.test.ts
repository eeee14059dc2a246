/** Upload links expire, are listed, and are revoked. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { LinkPage, RevokedLinks } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc } from '../contract/sample.ts';
import { complete, eventually, open, openSample, publish, put, putAll } from '../contract/upload.ts';
import { callAs, callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { init, type Link, makeLink, server } from './upload-links.ts';

after(() => server.discard());

test('links: a link expires, and later calls are refused', async () => {
  const owner = callAs(server);
  const { call } = await makeLink(owner, { expires_in: 2 });
  const { upload, bytes } = await openSample(call, 2);
  const path = `/uploads/${upload.upload_id}`;
  const ended = await eventually(
    () => call('GET', path),
    ({ status }) => status !== 200,
  );
  assertFailure(ended, 'token_expired');
  assertFailure(await put(call, upload, 0, bytes), 'token_expired');
  assertFailure(await init(call), 'token_expired');
  // Its owner may go on.
  await putAll(owner, upload, bytes);
  assert.equal((await complete(owner, upload)).status, 200);
});

test('links: a link is revoked by its owner only', async () => {
  const owner = callAs(server);
  const { call, link_id } = await makeLink(owner);
  const { upload } = await openSample(call, 2);
  assertFailure(await callAs(server)('DELETE', `/links/${link_id}`), 'not_found');
  assert.equal((await call('GET', '/uploads')).status, 200);
  assert.equal((await owner('DELETE', `/links/${link_id}`)).status, 204);
  assertFailure(await call('GET', '/uploads'), 'unauthenticated');
  assertFailure(await owner('DELETE', `/links/${link_id}`), 'not_found');
  assert.equal((await owner('GET', `/uploads/${upload.upload_id}`)).status, 200);
});

test('links: an owner lists their links, with their use and without their tokens', async () => {
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
      { ...common(second), note: null, max_bytes: null, max_files: null, used_bytes: 0, used_files: 0 },
      { ...common(first), note: null, max_bytes: 9000, max_files: 3, used_bytes: 3000, used_files: 1 },
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

test('links: all links of an owner are revoked at once, and no others', async () => {
  const owner = callAs(server, { sub: 'revoking' });
  const other = await makeLink(callAs(server, { sub: 'not-revoking' }));
  const mine = [await makeLink(owner), await makeLink(owner)];
  assert.deepEqual((await owner('DELETE', '/links')).json<RevokedLinks>(), { revoked: 2 });
  for (const { call } of mine) assertFailure(await call('GET', '/uploads'), 'unauthenticated');
  assert.equal((await other.call('GET', '/uploads')).status, 200);
  assert.deepEqual((await owner('DELETE', '/links')).json<RevokedLinks>(), { revoked: 0 });
});

test('links: an administrator lists all links and revokes those of one owner', async () => {
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

test('links: CRYOLIFT_MAX_LINK_TTL bounds new links, and those that were made before', async () => {
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
