/** A dataset is copied to another Cryolift, with its receipt. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DatasetRecord, DestinationList, FilePage, PushList, ReceiptDocument } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { sha256Hex } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { endOf, fillDataset, LONG, push, writeDestinations } from './site.ts';

const there = await startServer({ CRYOLIFT_PUBLIC_URL: 'https://there.example' });
after(() => there.discard());
const DESTINATIONS = {
  archive: {
    kind: 'cryolift',
    url: there.url,
    token: there.token({ sub: 'robot', scope: 'uploads:write files:read' }),
  },
  closed: { kind: 'cryolift', url: there.url, token: 'x', owners: ['somebody'] },
};
const here = await startServer({ CRYOLIFT_DESTINATIONS: writeDestinations({ after }, DESTINATIONS) });
after(() => here.discard());
const call = callAs(here, { sub: 'ada' });
const callThere = callAs(there, { sub: 'robot' });

async function findThere(name: string): Promise<DatasetRecord> {
  const { items } = (await callThere('GET', `/datasets?name=${encodeURIComponent(name)}`)).json<{
    items: DatasetRecord[];
  }>();
  assert.equal(items.length, 1);
  return items[0] as DatasetRecord;
}

test('pushes: a dataset arrives whole at another Cryolift, with the chain of custody', LONG, async () => {
  const { id, files } = await fillDataset(call, 'session 1', [3000, 200_000, 1500]);
  const ended = await endOf(call, await push(call, id, 'archive'));
  assert.equal(ended.state, 'done', JSON.stringify(ended));
  assert.deepEqual([ended.files, ended.files_done, ended.bytes_done], [3, 3, 204_500]);
  const copy = await findThere('session 1');
  assert.deepEqual([copy.state, copy.files, copy.project], ['complete', 3, 'EMP-1']);
  const page = (await callThere('GET', `/datasets/${copy.dataset_id}/files`)).json<FilePage>();
  const digests = new Map(page.items.map(({ metadata, sha256 }) => [metadata.path, sha256]));
  for (const [path, bytes] of files) assert.equal(digests.get(path), sha256Hex(bytes));
  const receipt = await eventually(
    () => callThere('GET', `/datasets/${copy.dataset_id}/receipt`),
    ({ status }) => status === 200,
  );
  const { previous } = receipt.json<ReceiptDocument>().receipt;
  assert.equal(previous?.receipt.dataset.dataset_id, id);
  // Once more: nothing is sent, and nothing is there twice.
  const again = await endOf(call, await push(call, id, there.url));
  assert.deepEqual([again.push_id, again.state, again.files_done], [ended.push_id, 'done', 3]);
  assert.equal((await findThere('session 1')).files, 3);
});

test('pushes: go to named destinations only, which an owner may use, from a complete dataset', LONG, async () => {
  const { id } = await fillDataset(call, 'session 2', [2000]);
  assert.deepEqual((await call('GET', '/destinations')).json<DestinationList>().items, [
    { name: 'archive', kind: 'cryolift' },
  ]);
  for (const to of ['closed', 'http://169.254.169.254/', 'file:///etc/passwd', 'archiv', '']) {
    const answer = await call('POST', `/datasets/${id}/pushes`, { json: { to } });
    if (to === '') assertFailure(answer, 'invalid_request');
    else assertFailure(answer, 'destination_not_found');
  }
  for (const to of ['archive/../../etc', 'archive/x']) {
    assertFailure(await call('POST', `/datasets/${id}/pushes`, { json: { to } }), 'invalid_request');
  }
  const open = (await call('POST', '/datasets', { json: { name: 'open' } })).json<DatasetRecord>();
  const refused = await call('POST', `/datasets/${open.dataset_id}/pushes`, { json: { to: 'archive' } });
  assertFailure(refused, 'dataset_not_complete');
  assert.deepEqual((await call('GET', `/datasets/${id}/pushes`)).json<PushList>().items, []);
});

test(
  'pushes: a dataset of that name which is no copy is left alone, and the push fails with the reason',
  LONG,
  async () => {
    const { id } = await fillDataset(call, 'taken', [2000]);
    await callThere('POST', '/datasets', { json: { name: 'taken' } });
    const begun = await push(call, id, 'archive');
    const ended = await endOf(call, begun);
    assert.equal(ended.state, 'failed');
    assert.match(ended.error ?? '', /A dataset taken is there already that is not a copy/);
    const { dataset_id, files } = await findThere('taken');
    assert.equal(files, 0);
    // It is begun again when the reason is gone.
    await callThere('PATCH', `/datasets/${dataset_id}`, { json: { name: 'renamed' } });
    const again = await endOf(call, await push(call, id, 'archive'));
    assert.deepEqual([again.push_id, again.state, again.error], [begun.push_id, 'done', null]);
  },
);

test('pushes: what lost its destination is repeated, and a cancelled one ends', LONG, async () => {
  const { id } = await fillDataset(call, 'lost', [2000]);
  await there.kill9();
  const begun = await push(call, id, 'archive');
  const cancelled = await call('DELETE', `/datasets/${id}/pushes/${begun.push_id}`);
  assert.equal(cancelled.status, 200);
  assert.equal((await endOf(call, begun)).state, 'cancelled');
});
