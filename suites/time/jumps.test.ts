/** The clock of the server jumps by a day. `suites/contract/operations/clock.test.ts` has jumps ahead and what is due then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FilePage, FileRecord, UploadPage } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { sha256Hex } from '../contract/sample.ts';
import { signToken } from '../contract/token.ts';
import { complete, eventually, openSample, put, putAll, readUploadRecord } from '../contract/upload.ts';
import { type Call, callAs, callWith } from '../contract/wire.ts';
import { openDeployment, removeFolder, whyNoDeployment } from '../crash-points/deployments.ts';
import { makeFolder } from '../disk-trouble/trouble-site.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { startWithClock, whyNoMovedClock } from './moved-clock.ts';

const SECRET = 'a secret of this test: 32 bytes and more';
const TIMEOUT_MS = 240_000;
const DAY_S = 86_400;

/** With a token that does not say when it was made, as `iat` does. */
function callTimeless(server: OwnServer, sub: string): Call {
  const exp = Math.floor(Date.now() / 1000) + 365 * DAY_S;
  const scope = 'uploads:write files:read files:delete admin';
  return callWith(server, { authorization: `Bearer ${signToken({ sub, scope, exp }, 'HS256', SECRET)}` });
}

test('jumps: set back by a day and ahead again, running and over a restart: uploads go on', {
  skip: whyNoMovedClock ?? false,
  timeout: TIMEOUT_MS,
}, async (context) => {
  const { server, set } = await startWithClock(context, { CRYOLIFT_JWT_SECRET: SECRET });
  const call = callTimeless(server, 'ada');
  const dated = callAs(server, { sub: 'bob' });
  const { upload: first, bytes } = await openSample(call, 4);
  assert.equal((await put(call, first, 0, bytes)).status, 201);

  await set(-1);
  assert.equal((await put(call, first, 1, bytes)).status, 201);
  const second = await openSample(call, 3);
  await putAll(call, second.upload, second.bytes);
  assert.equal((await complete(call, second.upload)).json<FileRecord>().sha256, sha256Hex(second.bytes));
  // What was made before is no younger than the last part, so that it lives as long.
  assert.ok(Date.parse((await readUploadRecord(call, first)).expires_at) > Date.now() + DAY_S * 1000);
  // A token of now is from the future, which is said.
  const { message } = assertFailure(await dated('GET', '/uploads'), 'unauthenticated');
  assert.match(message, /made in the future: a clock is wrong/);

  await server.stop();
  await server.restart();
  const again = callTimeless(server, 'ada');
  assert.equal((await again('POST', '/admin/sweep')).status, 200);
  assert.equal((await put(again, first, 2, bytes)).status, 201);
  const third = await openSample(again, 2);
  await putAll(again, third.upload, third.bytes);
  assert.equal((await complete(again, third.upload)).status, 200);

  await set(0);
  assert.equal((await put(again, first, 3, bytes)).status, 201);
  const file = (await complete(again, first)).json<FileRecord>();
  assert.equal(file.sha256, sha256Hex(bytes));
  assert.deepEqual((await again('GET', `/files/${file.file_id}/content`)).body, bytes);
  // The lists, which are in the order of ids, have each once, page by page.
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: FilePage = (await again('GET', `/files?limit=1${query}`)).json<FilePage>();
    ids.push(...page.items.map(({ file_id }) => file_id));
    cursor = page.next_cursor;
  }
  assert.deepEqual([new Set(ids).size, ids.length], [3, 3]);
  const uploads = (await again('GET', '/uploads?limit=200')).json<UploadPage>().items;
  assert.deepEqual(
    uploads.map(({ status }) => status),
    ['completed', 'completed', 'completed'],
  );
  assert.equal((await dated('GET', '/uploads')).status, 200);
});

test('jumps: of two servers on one database one has a clock that jumps: both store parts, and each does its work', {
  skip: whyNoMovedClock ?? whyNoDeployment('shared') ?? false,
  timeout: TIMEOUT_MS,
}, async (context) => {
  const folder = makeFolder();
  context.after(() => removeFolder(folder));
  const { settings } = await openDeployment('shared', folder);
  const common = { ...settings, CRYOLIFT_JWT_SECRET: SECRET };
  const { server: moved, set } = await startWithClock(context, common);
  const steady = await startServer({ ...common, CRYOLIFT_DATA_DIR: `${folder}/other` });
  context.after(() => steady.discard());
  const calls = [callTimeless(moved, 'ada'), callTimeless(steady, 'ada')] as const;
  for (const days of [1, -1, 0]) {
    const { upload, bytes } = await openSample(calls[0], 6);
    for (let idx = 0; idx < 3; idx++) assert.equal((await put(calls[idx % 2] as Call, upload, idx, bytes)).status, 201);
    await set(days);
    // A part at both at once: leases are by the clock of the database.
    const both = await Promise.all(calls.map((call) => put(call, upload, 3, bytes)));
    assert.ok(both.some(({ status }) => status === 201 || status === 200));
    for (const { status } of both) assert.ok([200, 201, 409].includes(status), String(status));
    for (let idx = 4; idx < 6; idx++) assert.equal((await put(calls[idx % 2] as Call, upload, idx, bytes)).status, 201);
    for (const call of calls) assert.equal((await call('POST', '/admin/sweep')).status, 200);
    const file = (await complete(calls[0], upload)).json<FileRecord>();
    assert.equal(file.sha256, sha256Hex(bytes));
    assert.deepEqual((await calls[1]('GET', `/files/${file.file_id}/content`)).body, bytes);
    await eventually(
      async () => (await calls[1]('GET', `/files/${file.file_id}/jobs`)).json<{ items: { status: string }[] }>().items,
      (items) => items.every(({ status }) => status === 'done'),
    );
  }
});
