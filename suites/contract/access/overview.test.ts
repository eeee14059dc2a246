/** What administrators see of the whole server at a glance. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Overview } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { complete, eventually, openSample, publish, put, putAll } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';

// Nothing listens on port 9 of this machine.
const server = await startServer({
  CRYOLIFT_WEBHOOK_URL: 'http://127.0.0.1:9/',
  CRYOLIFT_WEBHOOK_SECRET: 'x'.repeat(32),
});
after(() => server.discard());
const admin = callAs(server, { sub: 'root', scope: 'admin' });
const ada = callAs(server, { sub: 'ada' });

const readOverview = async () => (await admin('GET', '/admin/overview')).json<Overview>();

test('overview: uploads are counted by status, and one that failed is named with its owner and its error', async () => {
  const { upload: going, bytes } = await openSample(ada, 2);
  await put(ada, going, 0, bytes);
  await openSample(callAs(server, { sub: 'bob' }), 1);
  const wrong = { sha256: 'ab'.repeat(32) };
  const { upload: failing, bytes: sent } = await openSample(ada, 1, { filename: 'failing.mrc', ...wrong });
  await putAll(ada, failing, sent);
  assertFailure(await complete(ada, failing), 'file_checksum_mismatch');
  const { uploads, failures, failed_last_day, version, at } = await readOverview();
  assert.deepEqual(uploads, { pending: 1, uploading: 1, verifying: 0, failed: 1 });
  assert.equal(failed_last_day, 1);
  assert.deepEqual(
    failures.map(({ upload_id, owner, filename, failure }) => [upload_id, owner, filename, failure?.code]),
    [[failing.upload_id, 'ada', 'failing.mrc', 'file_checksum_mismatch']],
  );
  assert.match(version, /^\d+\.\d+/);
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 3_600_000);
});

test('overview: a disk has its free and its whole space', async () => {
  const { space } = await readOverview();
  if (process.env.CRYOLIFT_TEST_STORAGE === 's3') assert.equal(space, null);
  else assert.ok(space && space.free_bytes > 0 && space.free_bytes <= space.size_bytes, JSON.stringify(space));
});

test('overview: a webhook that cannot be reached is shown with what waits for it and why', async () => {
  await publish(ada, makeMrc(2000));
  const { webhook } = await eventually(readOverview, ({ webhook }) => !!webhook?.last_failure);
  assert.ok(webhook && webhook.waiting > 0);
  assert.match(webhook.last_failure?.trouble ?? '', /./);
  const withoutWebhook = await startServer();
  try {
    const root = callAs(withoutWebhook, { sub: 'root', scope: 'admin' });
    assert.equal((await root('GET', '/admin/overview')).json<Overview>().webhook, null);
  } finally {
    await withoutWebhook.discard();
  }
});

test('overview: nobody but an administrator reads it', async () => {
  assertFailure(await ada('GET', '/admin/overview'), 'forbidden');
  const { token } = (await ada('POST', '/links')).json<{ token: string }>();
  assertFailure(await callWith(server, { authorization: `Bearer ${token}` })('GET', '/admin/overview'), 'forbidden');
});
