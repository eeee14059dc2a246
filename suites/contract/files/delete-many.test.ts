/** `POST /files/delete`: page 7, lists of files. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DeletedFiles } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { listFiles, publish } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
let owners = 0;
const newOwner = () => ({ sub: `deleting-${process.pid}-${++owners}` });

test('deletion of many: each id has an outcome, each file an event, and it may be repeated', async () => {
  const claims = newOwner();
  const call = callAs(server, claims);
  const files = [];
  for (let nth = 0; nth < 3; nth++) files.push(await publish(call, makeMrc(2000)));
  const other = await publish(callAs(server, newOwner()), makeMrc(2000));
  const ids = files.map(({ file_id }) => file_id);
  const stream = await EventStream.open(server, '/events', claims);
  const ask = async () =>
    (
      await call('POST', '/files/delete', { json: { file_ids: [...ids, ids[0], other.file_id, 'none'] } })
    ).json<DeletedFiles>();
  const outcomes = (outcome: string) => [
    ...ids.map((file_id) => ({ file_id, outcome })),
    ...[other.file_id, 'none'].map((file_id) => ({ file_id, outcome: 'not_found' })),
  ];
  assert.deepEqual(await ask(), { deleted: 3, items: outcomes('deleted') });
  assert.deepEqual(await ask(), { deleted: 0, items: outcomes('not_found') });
  assert.deepEqual(await listFiles(call), []);
  assertFailure(await call('GET', `/files/${ids[0]}/content`), 'file_not_found');
  assert.equal((await callAs(server, { sub: other.owner })('GET', `/files/${other.file_id}`)).status, 200);
  const left = new Set(ids.map((id) => `files/${id}`));
  while (left.size > 0) {
    const event = await stream.next();
    if (event?.type === 'cryolift.file.deleted') left.delete(event.subject);
  }
  stream.close();
});

test('deletion of many: needs its scope and ids', async () => {
  const call = callAs(server, { ...newOwner(), scope: 'files:read uploads:write' });
  assertFailure(await call('POST', '/files/delete', { json: { file_ids: ['x'] } }), 'forbidden');
  for (const json of [{}, { file_ids: [] }, { file_ids: Array(1001).fill('x') }, { file_ids: [1] }]) {
    assertFailure(await callAs(server, newOwner())('POST', '/files/delete', { json }), 'invalid_request');
  }
});
