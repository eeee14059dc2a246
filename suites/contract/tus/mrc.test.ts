/** tus 1.0: what a server that knows MRC refuses. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../../server-under-test.ts';
import { makeMrc } from '../sample.ts';
import { Connection, printHead } from '../wire.ts';
import { create, OFFSET_TYPE, patch, readFile, send, tusAs } from './tus-client.ts';

const server = await startServer();
after(() => server.discard());

test('tus: a refused MRC header ends the upload, with the reason in the body', async () => {
  const call = tusAs(server);
  const path = await create(call, { 'upload-length': '5000' }, { filename: 'a.mrc' });
  const answer = await patch(call, path, 0, Buffer.alloc(5000));
  assert.equal(answer.status, 422);
  assert.equal(answer.json<{ code: string }>().code, 'invalid_mrc');
  assert.equal((await call('HEAD', path)).status, 410);
  const again = await patch(call, path, 0, Buffer.alloc(5000));
  assert.equal(again.status, 410);
  const bytes = makeMrc(5000);
  const right = await create(call, { 'upload-length': '5000' }, { filename: 'a.mrc' });
  await send(call, right, bytes);
  assert.equal((await readFile(call, right)).file.mrc?.nx, 5000 - 1024);
});

test('tus: a file that is not MRC is refused with its first kilobyte', async () => {
  const call = tusAs(server, { sub: 'ada' });
  const path = await create(call, { 'upload-length': '100000000' }, { filename: 'a.mrc' });
  const connection = await Connection.open(server.url);
  const headers = {
    authorization: `Bearer ${server.token({ sub: 'ada' })}`,
    'tus-resumable': '1.0.0',
    'content-type': OFFSET_TYPE,
    'upload-offset': '0',
    'content-length': '100000000',
  };
  connection.send(printHead('PATCH', path, headers));
  connection.send(Buffer.alloc(2000));
  const answer = await connection.answer('PATCH');
  assert.equal(answer.status, 422);
  assert.equal(answer.json<{ code: string }>().code, 'invalid_mrc');
  connection.close();
});

test('tus: a length that comes later must be that of the MRC header', async () => {
  const call = tusAs(server);
  const bytes = makeMrc(5000);
  for (const [length, status] of [
    ['4000', 422],
    ['5000', 204],
  ] as const) {
    const path = await create(call, { 'upload-defer-length': '1' }, { filename: 'a.mrc' });
    assert.equal((await patch(call, path, 0, bytes.subarray(0, 3000))).status, 204);
    const last = bytes.subarray(3000, Number(length));
    const answer = await patch(call, path, 3000, last, { 'upload-length': length });
    assert.equal(answer.status, status, answer.body.toString());
  }
});
