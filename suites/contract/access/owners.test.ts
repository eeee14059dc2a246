/** `GET /admin/owners`. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { OwnerPage } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { open, publish } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await startServer();
after(() => server.discard());
const admin = callAs(server, { sub: 'root', scope: 'admin' });

async function list(query: string): Promise<OwnerPage> {
  const answer = await admin('GET', `/admin/owners${query}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<OwnerPage>();
}

test('owners: all who have files or uploads, by bytes or by name, in pages', async () => {
  const { created_at } = await publish(callAs(server, { sub: 'ada' }), makeMrc(3000));
  await publish(callAs(server, { sub: 'bob' }), makeMrc(5000));
  await open(callAs(server, { sub: 'bob' }));
  await open(callAs(server, { sub: 'cy' }));
  await open(callAs(server, { sub: 'dé🧊' }));
  const all = await list('');
  const brief = all.items.map(({ owner, files, bytes, open_uploads }) => [owner, files, bytes, open_uploads]);
  assert.deepEqual(brief.slice(0, 2), [
    ['bob', 1, 5000, 1],
    ['ada', 1, 3000, 0],
  ]);
  assert.ok(
    brief.some(([owner, files, bytes, uploads]) => owner === 'cy' && files === 0 && bytes === 0 && uploads === 1),
  );
  assert.equal(all.items[1]?.newest_at, created_at);
  assert.equal(all.items.at(-1)?.newest_at, null);
  for (const sort of ['bytes', 'name']) {
    const whole = await list(`?sort=${sort}`);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: OwnerPage = await list(`?sort=${sort}&limit=1${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.items.map(({ owner }) => owner));
      cursor = page.next_cursor;
    }
    assert.deepEqual(
      seen,
      whole.items.map(({ owner }) => owner),
    );
  }
  const { next_cursor } = await list('?limit=1');
  assertFailure(await admin('GET', `/admin/owners?sort=name&cursor=${next_cursor}`), 'invalid_request');
  assertFailure(await callAs(server, { sub: 'ada' })('GET', '/admin/owners'), 'forbidden');
});
