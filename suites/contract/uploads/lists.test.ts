/** Lists: newest first, page by page, one owner's only. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FilePage, UploadPage } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { listFiles, open, openSample, publish, put, readUploadRecord } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

/** Every item's id of all pages, and how many pages there were. Each page of files says how many there are in all. */
async function readPages(call: Call, path: string, limit: number): Promise<{ ids: string[]; pages: number }> {
  const totals: unknown[] = [];
  const ids: string[] = [];
  let cursor = '';
  for (let pages = 1; ; pages++) {
    const answer = await call('GET', `${path}?limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    assert.equal(answer.status, 200, answer.body.toString());
    const page = answer.json<UploadPage | FilePage>();
    const { items: _, next_cursor: __, ...sums } = page;
    totals.push(sums);
    assert.ok(page.items.length <= limit);
    ids.push(...page.items.map((item) => (path === '/files' ? (item.file_id as string) : item.upload_id)));
    if (page.next_cursor !== null) {
      cursor = page.next_cursor;
      continue;
    }
    const expected = path === '/files' ? { total: ids.length, total_is_more: false } : {};
    assert.deepEqual(totals, Array(pages).fill(expected));
    return { ids, pages };
  }
}

test('uploads: newest first, all on one page or on many', async () => {
  const call = callAs(server);
  assert.deepEqual((await call('GET', '/uploads')).json(), { items: [], next_cursor: null });
  const opened: string[] = [];
  for (let n = 0; n < 7; n++) opened.unshift((await open(call)).upload_id);
  assert.deepEqual(await readPages(call, '/uploads', 1000), { ids: opened, pages: 1 });
  assert.deepEqual(await readPages(call, '/uploads', 7), { ids: opened, pages: 1 });
  assert.deepEqual(await readPages(call, '/uploads', 3), { ids: opened, pages: 3 });
  assert.deepEqual(await readPages(call, '/uploads', 1), { ids: opened, pages: 7 });
});

test('lists: an item of the list is the upload itself', async () => {
  const call = callAs(server);
  const { upload, bytes } = await openSample(call);
  await put(call, upload, 2, bytes);
  const [item] = (await call('GET', '/uploads')).json<UploadPage>().items;
  assert.deepEqual(item, await readUploadRecord(call, upload));
});

test('lists: an upload that is opened between two pages moves none of the others', async () => {
  const call = callAs(server);
  const opened: string[] = [];
  for (let n = 0; n < 4; n++) opened.unshift((await open(call)).upload_id);
  const first = (await call('GET', '/uploads?limit=2')).json<UploadPage>();
  await open(call);
  const second = (await call('GET', `/uploads?limit=2&cursor=${first.next_cursor}`)).json<UploadPage>();
  assert.deepEqual(
    [...first.items, ...second.items].map(({ upload_id }) => upload_id),
    opened,
  );
});

test('lists: uploads by status', async () => {
  const call = callAs(server);
  const pending = await open(call);
  const { upload: uploading, bytes } = await openSample(call);
  await put(call, uploading, 0, bytes);
  const cancelled = await open(call);
  await call('DELETE', `/uploads/${cancelled.upload_id}`);
  const { upload_id: completed } = await publish(call, makeMrc(2000));
  for (const [status, ids] of [
    ['pending', [pending.upload_id]],
    ['uploading', [uploading.upload_id]],
    ['cancelled', [cancelled.upload_id]],
    ['completed', [completed]],
    ['verifying', []],
    ['failed', []],
    ['expired', []],
  ] as const) {
    const page = (await call('GET', `/uploads?status=${status}`)).json<UploadPage>();
    assert.deepEqual(
      page.items.map(({ upload_id }) => upload_id),
      ids,
      status,
    );
  }
});

test('files: newest first, page by page; a deleted one is gone', async () => {
  const call = callAs(server);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift((await publish(call, makeMrc(2000 + n))).file_id);
  assert.deepEqual(await readPages(call, '/files', 2), { ids, pages: 3 });
  const [newest, ...others] = ids;
  assert.equal((await call('DELETE', `/files/${newest}`)).status, 204);
  assert.deepEqual(await readPages(call, '/files', 2), { ids: others, pages: 2 });
  assertFailure(await call('GET', `/files/${newest}`), 'file_not_found');
  assertFailure(await call('GET', `/files/${newest}/content`), 'file_not_found');
  const again = await call('DELETE', `/files/${newest}`);
  if (again.status !== 204) assertFailure(again, 'file_not_found');
});

test("lists: nobody else's uploads and files are listed", async () => {
  const owner = callAs(server);
  await publish(owner, makeMrc(2000));
  const other = callAs(server);
  assert.deepEqual((await other('GET', '/uploads')).json<UploadPage>().items, []);
  assert.deepEqual(await listFiles(other), []);
});

test('lists: a limit, cursor or status that is none is refused', async () => {
  const call = callAs(server);
  const { upload_id } = await open(call);
  for (const list of ['/uploads', '/files', `/uploads/${upload_id}/parts`]) {
    for (const limit of ['0', '1001', '-1', '1.5', 'x', '', '1e9', '1e309', 'Infinity', '99999999999999999999']) {
      assertFailure(await call('GET', `${list}?limit=${limit}`), 'invalid_request');
    }
    for (const cursor of ['%00', 'x'.repeat(5000), "'%3B%20DROP%20TABLE%20uploads", '-1', '../..']) {
      const answer = await call('GET', `${list}?cursor=${cursor}`);
      if (answer.status !== 200) assertFailure(answer, 'invalid_request');
    }
  }
  assertFailure(await call('GET', '/uploads?status=sleeping'), 'invalid_request');
  assertFailure(await call('GET', '/uploads?status='), 'invalid_request');
});
