import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from './api.ts';
import { reply } from './test-server.ts';

test('a page of more items than a call takes arguments is taken whole', async () => {
  const items = Array.from({ length: 200_000 }, (_, part) => ({ part, size: 1, sha256: '0'.repeat(64) }));
  const transport = { send: async () => reply(200, { items, next_cursor: null }) };
  assert.equal((await new Api(transport, async () => 'token').storedParts('u1')).length, items.length);
});
