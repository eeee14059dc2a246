/** IETF resumable uploads without a token, with an upload link. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { makeMrc } from '../sample.ts';
import { callWith } from '../wire.ts';
import { assertProblem, PARTIAL_UPLOAD, pathOf, type Send, sendWith } from './client.ts';

const server = await startServer();
after(() => server.discard());
const authorization = `Bearer ${server.token({ sub: 'ada' })}`;
const owner = callWith(server, { authorization });

async function makeLink(): Promise<string> {
  const answer = await owner('POST', '/links', { json: { expires_in: 600 } });
  assert.equal(answer.status, 201, answer.body.toString());
  return answer.json<{ token: string }>().token;
}

const asLink = (token: string): Send => sendWith(server, { authorization: `Bearer ${token}` });
const append = { 'content-type': PARTIAL_UPLOAD, 'upload-offset': '0', 'upload-complete': '?1' };

test('resumable uploads: with an upload link, they belong to its owner', async () => {
  const send = asLink(await makeLink());
  const started = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0' });
  const path = pathOf(started.final.headers.location);
  assert.doesNotMatch(path, /cl_link_/, 'a token of the Authorization stays there');
  const { items } = (await owner('GET', '/uploads')).json<{ items: UploadRecord[] }>();
  assert.ok(items.some(({ upload_id }) => path.endsWith(upload_id)));
  const other = await asLink(await makeLink())('GET', path);
  assertProblem(other.final, 404, 'upload_not_found');
  assert.equal((await send('PATCH', path, append, makeMrc(3_000))).final.status, 201);
});

test('resumable uploads: the Location has the token of a link that came in the URL', async () => {
  const token = await makeLink();
  const send = sendWith(server, {});
  const query = `?token=${token}`;
  const started = await send('POST', `/resumable/a.mrc${query}`, { 'upload-complete': '?0' });
  assert.equal(started.final.status, 201, started.final.body.toString());
  const path = pathOf(started.final.headers.location);
  assert.ok(path.endsWith(query), path);
  assert.equal((await send('HEAD', path)).final.status, 204);
  assert.equal((await send('PATCH', path, append, makeMrc(3_000))).final.status, 201);
  const whole = await send('PUT', `/resumable/b.mrc${query}`, { 'upload-complete': '?1' }, makeMrc(3_000));
  assert.equal(whole.final.status, 201);
  assertProblem((await send('GET', `${path}&other=1`)).final, 400, 'invalid_request');
});

test('resumable uploads: nobody without a token, and no other token in the URL', async () => {
  const send = asLink(await makeLink());
  const started = await send('POST', '/resumable/a.mrc', { 'upload-complete': '?0' });
  const path = pathOf(started.final.headers.location);
  const jwt = server.token({ sub: 'ada' });
  for (const query of ['', '?token=', '?token=cl_link_wrong', `?token=${jwt}`]) {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const { final } = await sendWith(server, {})(method, `${path}${query}`, method === 'PATCH' ? append : {});
      assertProblem(final, 401, 'unauthenticated');
    }
  }
  assert.equal((await send('HEAD', path)).final.status, 204, 'it is still there');
});
