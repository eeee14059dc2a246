import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api, ConnectionError, type Transport } from '@cryolift/client';
import { deleteSelected } from './delete-files.ts';

const FILES = Array.from({ length: 2001 }, (_, at) => ({ id: `f${at}`, name: `${at}.mrc`, size: 1 }));

/** A server that has all files but the first, and answers `calls` requests. */
function makeApi(calls: number): { api: Api; batches: number[] } {
  const batches: number[] = [];
  const transport: Transport = {
    async send({ body }) {
      const { file_ids: ids } = JSON.parse(new TextDecoder().decode(body as Uint8Array)) as { file_ids: string[] };
      if (batches.length === calls) throw new ConnectionError('no connection', { offline: false });
      batches.push(ids.length);
      const items = ids.map((id) => ({ file_id: id, outcome: id === 'f0' ? 'not_found' : 'deleted' }));
      const answer = { deleted: items.length, items };
      return { status: 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(answer)) };
    },
  };
  return { api: new Api(transport, async () => 'token'), batches };
}

test('deletion: in calls of a thousand, with a result for each file', async () => {
  const { api, batches } = makeApi(9);
  const done: number[] = [];
  const { deleted, gone, left, error } = await deleteSelected(api, FILES, (_, count) => done.push(count));
  assert.deepEqual(
    [batches, done],
    [
      [1000, 1000, 1],
      [1000, 2000, 2001],
    ],
  );
  assert.deepEqual([deleted.length, gone, left, error], [2000, [FILES[0]], [], null]);
});

test('deletion: when the connection is lost, what was not answered is left, and the reason is kept', async () => {
  const { api } = makeApi(1);
  const { deleted, gone, left, error } = await deleteSelected(api, FILES, () => {});
  assert.deepEqual([deleted.length, gone.length, left.length], [999, 1, 1001]);
  assert.ok(error instanceof ConnectionError);
});
