/** Datasets: page 7. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DatasetPage, FilePage, FileTree, UploadLink, UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, eventually, initRequest, listFiles, open, PART_BYTES, publish, putAll } from '../upload.ts';
import { type Call, callAs, callWith } from '../wire.ts';
import { makeDataset, move, readDataset } from './calls.ts';

const server = await findServer();
after(() => server.discard());

async function listNames(call: Call, query = ''): Promise<string[]> {
  const page = (await call('GET', `/datasets${query}`)).json<DatasetPage>();
  assert.equal(page.total, page.items.length);
  return page.items.map(({ name }) => name);
}

test('datasets: what is said of one is kept, changed field by field, and searched', async () => {
  const call = callAs(server);
  const made = await makeDataset(call, { name: 'Grid 7', project: 'bi-31', fields: { sample: 'Apoferritin' } });
  assert.deepEqual([made.state, made.files, made.bytes, made.forced], ['open', 0, 0, null]);
  await makeDataset(call, { name: 'other', instrument: 'Krios 2' });
  const json = { fields: { sample: null, dose: '40' }, project: null, retention_seconds: 60 };
  const changed = (await call('PATCH', `/datasets/${made.dataset_id}`, { json })).json<typeof made>();
  const { fields, project, name, retention_seconds, expires_at } = changed;
  assert.deepEqual(
    { fields, project, name, retention_seconds, expires_at },
    {
      ...{ fields: { dose: '40' }, project: null, name: 'Grid 7', retention_seconds: 60, expires_at: null },
    },
  );
  const { stream: _, ...record } = await readDataset(call, made.dataset_id);
  assert.deepEqual(record, changed);
  assert.deepEqual(await listNames(call), ['other', 'Grid 7']);
  assert.deepEqual(await listNames(call, '?sort=name'), ['Grid 7', 'other']);
  assert.deepEqual(await listNames(call, '?q=grid%20DOSE'), ['Grid 7']);
  assert.deepEqual(await listNames(call, '?q=krios'), ['other']);
  assert.deepEqual(await listNames(call, '?state=complete'), []);
  const first = (await call('GET', '/datasets?sort=name&limit=1')).json<DatasetPage>();
  const rest = (await call('GET', `/datasets?sort=name&cursor=${first.next_cursor}`)).json<DatasetPage>();
  assert.deepEqual(
    [...first.items, ...rest.items].map((each) => each.name),
    ['Grid 7', 'other'],
  );
  assertFailure(await call('GET', `/datasets?cursor=${first.next_cursor}`), 'invalid_request');
});

test('datasets: names and fields have limits, and a name is there once', async () => {
  const call = callAs(server);
  for (const name of ['', ' a', 'a ', 'a\nb', 'x'.repeat(201)]) {
    assertFailure(await call('POST', '/datasets', { json: { name } }), 'invalid_request');
    const metadata = { dataset: name };
    if (name !== '') {
      const init = await call('POST', '/uploads/init', { json: initRequest({ metadata }) });
      assertFailure(init, 'invalid_request');
    }
  }
  const large = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`k${at}`, 'x'.repeat(4000)]));
  assertFailure(await call('POST', '/datasets', { json: { name: 'a', fields: large } }), 'invalid_request');
  const answers = await Promise.all([1, 2, 3].map(() => call('POST', '/datasets', { json: { name: 'one' } })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  assert.deepEqual(await listNames(call), ['one']);
});

test('datasets: the first upload that names one makes it, also when several do at once', async () => {
  const call = callAs(server);
  const metadata = { dataset: 'Session 1', instrument: 'Krios 1' };
  const json = { size: 2000, metadata };
  const uploads = await Promise.all([1, 2, 3, 4].map(() => open(call, json)));
  const [id] = new Set(uploads.map(({ dataset_id }) => dataset_id));
  assert.equal(new Set(uploads.map(({ dataset_id }) => dataset_id)).size, 1);
  assert.deepEqual(await listNames(call), ['Session 1']);
  assert.equal((await readDataset(call, id ?? '')).instrument, 'Krios 1');
  const byId = await open(call, { size: 2000, dataset_id: id ?? '' });
  assert.equal(byId.dataset_id, id);
  assertFailure(
    await callAs(server)('POST', '/uploads/init', { json: initRequest({ dataset_id: id ?? '' }) }),
    'dataset_not_found',
  );
  assert.equal((await open(call, { trial: true, metadata })).dataset_id, undefined);
});

test('datasets: an upload with a link, too', async () => {
  const call = callAs(server);
  const { token } = (await call('POST', '/links', { json: {} })).json<UploadLink>();
  const withLink = callWith(server, { authorization: `Bearer ${token}` });
  const { dataset_id } = await open(withLink, { metadata: { dataset: 'by link' } });
  assert.deepEqual(await listNames(call), ['by link']);
  assertFailure(await withLink('GET', `/datasets/${dataset_id}`), 'forbidden');
});

test('datasets: files are counted, listed, searched and summed by folder', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'Grid 1' });
  const dataset = 'Grid 1';
  await publish(call, makeMrc(2000), { filename: 'a.mrc', metadata: { dataset, path: 'g1/a.mrc' } });
  await publish(call, makeMrc(3000), { filename: 'b.mrc', metadata: { dataset, path: 'g1/s/b.mrc' } });
  const last = await publish(call, makeMrc(4000), { filename: 'c.mrc', metadata: { dataset } });
  await publish(call, makeMrc(5000), { filename: 'd.mrc', metadata: { path: 'g1/d.mrc' } });
  assert.equal(last.dataset_id, id);
  const { files, bytes, first_arrival_at, last_arrival_at } = await readDataset(call, id);
  assert.deepEqual([files, bytes, last_arrival_at], [3, 9000, last.created_at]);
  assert.ok(first_arrival_at !== null && first_arrival_at <= last.created_at);
  const names = async (query: string) => {
    const page = (await call('GET', `/datasets/${id}/files${query}`)).json<FilePage>();
    assert.deepEqual([page.total, page.total_is_more], [page.items.length, false]);
    return page.items.map(({ filename }) => filename);
  };
  assert.deepEqual(await names(''), ['c.mrc', 'b.mrc', 'a.mrc']);
  assert.deepEqual(await names('?sort=filename'), ['a.mrc', 'b.mrc', 'c.mrc']);
  assert.deepEqual(await names('?sort=created_at&order=asc'), ['a.mrc', 'b.mrc', 'c.mrc']);
  assert.deepEqual(await names('?prefix=g1/'), ['b.mrc', 'a.mrc']);
  assert.deepEqual(await names('?q=b.mrc&min_size=10'), ['b.mrc']);
  assert.deepEqual(await names('?folder='), ['c.mrc']);
  const paged = (await call('GET', `/datasets/${id}/files?limit=2`)).json<FilePage>();
  const rest = (await call('GET', `/datasets/${id}/files?cursor=${paged.next_cursor}`)).json<FilePage>();
  assert.deepEqual([paged.items.length, rest.items.map(({ filename }) => filename)], [2, ['a.mrc']]);
  const tree = async (query: string) => (await call('GET', `/datasets/${id}/tree${query}`)).json<FileTree>();
  const whole = await tree('');
  assert.deepEqual(
    [whole.files, whole.bytes, whole.items.map(({ name, files: each }) => [name, each])],
    [3, 9000, [['g1', 2]]],
  );
  const inner = await tree('?prefix=g1');
  assert.deepEqual([inner.prefix, inner.files, inner.items.map(({ name }) => name)], ['g1/', 2, ['s']]);
  await call('DELETE', `/files/${last.file_id}`);
  assert.deepEqual([(await readDataset(call, id)).files, (await readDataset(call, id)).bytes], [2, 5000]);
});

test('datasets: one is completed when it is whole, released, and takes no files then', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'Grid 1', expected_files: 2, retention_seconds: 1000 });
  await publish(call, makeMrc(2000), { dataset_id: id });
  const { upload_id, ...second } = await open(call, { size: 2000, dataset_id: id });
  const refused = assertFailure(await call('POST', `/datasets/${id}/complete`), 'dataset_incomplete');
  const { updated_at } = (await call('GET', `/uploads/${upload_id}`)).json<UploadRecord>();
  const named = { upload_id, path: 'movie.mrc', status: 'pending', received_bytes: 0, size: 2000, updated_at };
  assert.deepEqual(refused.details, { missing: 1, names: [], uploads: 1, open_uploads: [named], unread: 0 });
  assertFailure(await call('POST', `/datasets/${id}/release`), 'dataset_closed');
  await putAll(call, { upload_id, ...second }, makeMrc(2000));
  assert.equal((await complete(call, { upload_id })).status, 200);
  const done = await move(call, id, 'complete');
  assert.deepEqual([done.state, done.forced, done.files], ['complete', null, 2]);
  assert.equal(Date.parse(done.expires_at ?? '') - Date.parse(done.completed_at ?? ''), 1_000_000);
  assert.deepEqual(await move(call, id, 'complete'), done);
  const init = await call('POST', '/uploads/init', { json: initRequest({ dataset_id: id }) });
  assert.deepEqual(assertFailure(init, 'dataset_closed').details, { state: 'complete' });
  const reopened = await move(call, id, 'reopen');
  assert.deepEqual([reopened.state, reopened.completed_at, reopened.expires_at], ['open', null, null]);
  const orphan = await open(call, { metadata: { dataset: 'Grid 1', path: 'frames/late.mrc' } });
  const again = assertFailure(await call('POST', `/datasets/${id}/complete`), 'dataset_incomplete');
  assert.match(again.message, new RegExp(`frames/late.mrc, upload ${orphan.upload_id}, last active 20.*Z`));
  assert.match(again.hint, /cancel what nobody goes on with/);
  const forced = await move(call, id, 'complete', { force: true });
  assert.deepEqual(
    [forced.forced?.missing, forced.forced?.uploads, forced.forced?.open_uploads],
    [0, 1, (again.details as { open_uploads: object[] }).open_uploads],
  );
  const released = await move(call, id, 'release');
  assert.deepEqual([released.state, released.forced], ['released', forced.forced]);
  assertFailure(await call('POST', `/datasets/${id}/reopen`), 'dataset_closed');
});

test('datasets: what is forced is said for ever', async () => {
  const call = callAs(server, { sub: `forcing-${process.pid}` });
  const { dataset_id: id } = await makeDataset(call, { name: 'a', expected_files: 5 });
  const { forced, completed_at } = await move(call, id, 'complete', { force: true });
  assert.deepEqual(forced, {
    at: completed_at,
    by: `forcing-${process.pid}`,
    missing: 5,
    uploads: 0,
    open_uploads: [],
  });
  assert.deepEqual((await move(call, id, 'reopen')).forced, forced);
});

test('datasets: one that is to be completed when it is whole is, without a call', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'a', expected_files: 2, complete_when_whole: true });
  await publish(call, makeMrc(2000), { dataset_id: id });
  const other = await open(call, { dataset_id: id });
  await publish(call, makeMrc(2000), { dataset_id: id });
  assert.equal((await readDataset(call, id)).state, 'open');
  await call('DELETE', `/uploads/${other.upload_id}`);
  const done = await eventually(
    () => readDataset(call, id),
    ({ state }) => state === 'complete',
  );
  assert.deepEqual([done.files, done.forced], [2, null]);
});

test('datasets: a quota counts files and uploads of the dataset', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'small', quota_bytes: 5000 });
  await publish(call, makeMrc(2000), { dataset_id: id });
  await open(call, { size: 3000, dataset_id: id });
  const answer = await call('POST', '/uploads/init', { json: initRequest({ size: 1024, dataset_id: id }) });
  assert.deepEqual(assertFailure(answer, 'quota_exceeded').details, { used: 5000, limit: 5000, needed: 1024 });
});

test('datasets: a deletion takes the files and the uploads with it, and frees the name at once', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'Grid 1' });
  for (let n = 0; n < 3; n++) await publish(call, makeMrc(2000 + n), { dataset_id: id });
  const kept = await publish(call, makeMrc(1500));
  const upload = await open(call, { dataset_id: id });
  const deleted = await call('DELETE', `/datasets/${id}`);
  assert.deepEqual([deleted.status, deleted.json<{ files: number }>().files], [202, 3]);
  assertFailure(await call('GET', `/datasets/${id}`), 'dataset_not_found');
  assertFailure(await call('DELETE', `/datasets/${id}`), 'dataset_not_found');
  const other = await makeDataset(call, { name: 'Grid 1' });
  await eventually(
    () => listFiles(call),
    (files) => files.length === 1 && files[0]?.file_id === kept.file_id,
  );
  await eventually(
    async () => (await call('GET', `/uploads/${upload.upload_id}`)).json<UploadRecord>(),
    ({ status }) => status === 'cancelled',
  );
  assert.equal((await readDataset(call, other.dataset_id)).files, 0);
});

test('datasets: an upload that goes on keeps its dataset, and one to another dataset is another', async () => {
  const call = callAs(server);
  const json = { fingerprint: 'same', size: PART_BYTES, metadata: { dataset: 'a' } };
  const first = await open(call, json);
  const again = (await call('POST', '/uploads/init', { json: initRequest(json) })).json<UploadRecord>();
  assert.deepEqual([again.upload_id, again.resumed, again.dataset_id], [first.upload_id, true, first.dataset_id]);
  const other = await open(call, { ...json, metadata: { dataset: 'b' } });
  assert.notEqual(other.upload_id, first.upload_id);
});
