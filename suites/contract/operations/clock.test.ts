/** The wall clock of the server is set while uploads are under way. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DeliveryPage, FileRecord, JobList } from '@cryolift/protocol/messages';
import { startWithClock as startMoved, whyNoMovedClock } from '../../time/moved-clock.ts';
import { Receiver } from '../../webhooks/receiver.ts';
import { makeMrc } from '../sample.ts';
import { complete, eventually, openSample, publish, put, putAll, readUploadRecord } from '../upload.ts';
import { callAs } from '../wire.ts';

const options = { skip: whyNoMovedClock ?? false, timeout: 120_000 };

async function startWithClock(context: TestContext, ttl: string, more: Record<string, string> = {}) {
  const { server, set } = await startMoved(context, { CRYOLIFT_SESSION_TTL: ttl, ...more });
  return { server, call: callAs(server, { ttlSeconds: 365 * 86_400 }), set };
}

test('clock: uploads under way go on when it jumps ahead by more than their lifetime', options, async (context) => {
  const { server, call, set } = await startWithClock(context, '1d');
  const { upload, bytes } = await openSample(call, 3, { fingerprint: 'f' });
  assert.equal((await put(call, upload, 0, bytes)).status, 201);
  await set(30);
  const admin = callAs(server, { scope: 'admin', ttlSeconds: 365 * 86_400 });
  assert.equal((await admin('POST', '/admin/sweep')).status, 200);
  assert.equal((await readUploadRecord(call, upload)).status, 'uploading');
  const again = await call('POST', '/uploads/init', {
    json: { filename: upload.filename, size: upload.size, part_size: upload.part_size, fingerprint: 'f' },
  });
  assert.deepEqual([again.status, again.json<{ upload_id: string }>().upload_id], [200, upload.upload_id]);
  // To a server that is started with this clock, it is as if it had been set while it was down.
  await server.stop();
  await server.restart();
  await putAll(call, upload, bytes);
  assert.ok(Date.parse((await readUploadRecord(call, upload)).expires_at) > Date.now() + 30 * 86_400_000);
  assert.equal((await complete(call, upload)).status, 200);
  assert.match(server.stderr, /"by_seconds":2592000,.*the clock has jumped/);
});

test('clock: after a jump what stays silent expires all the same', options, async (context) => {
  const { call, set } = await startWithClock(context, '4s');
  const { upload } = await openSample(call, 3);
  await set(30);
  await eventually(
    () => readUploadRecord(call, upload),
    ({ status }) => status === 'expired',
  );
});

test('clock: jobs and webhooks go on when one that was a day ahead is set right', options, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-clock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = join(folder, 'command');
  writeFileSync(command, `#!/bin/sh\n[ -e "${folder}/works" ] || exit 75\n`);
  chmodSync(command, 0o700);
  const receiver = new Receiver(randomBytes(32));
  await receiver.start();
  context.after(() => receiver.stop());
  const { server, call, set } = await startWithClock(context, '10s', {
    CRYOLIFT_ON_COMPLETE: command,
    CRYOLIFT_WEBHOOK_URL: receiver.url,
    CRYOLIFT_WEBHOOK_SECRET: `whsec_${receiver.key.toString('base64')}`,
  });
  const readJob = async (file: FileRecord) =>
    (await call('GET', `/files/${file.file_id}/jobs`)).json<JobList>().items.find(({ kind }) => kind === 'on_complete');
  const admin = callAs(server, { scope: 'admin', ttlSeconds: 365 * 86_400 });
  const countWaiting = async () =>
    (await admin('GET', '/webhooks/deliveries?status=waiting')).json<DeliveryPage>().items.length;

  await set(1);
  receiver.mood = () => 500;
  const file = await publish(call, makeMrc(5000));
  await until(async () => {
    const job = await readJob(file);
    return job?.status === 'waiting' && job.attempts > 0;
  });
  await receiver.reach((all) => all.length > 0);
  await set(0);
  writeFileSync(join(folder, 'works'), '');
  receiver.mood = () => 204;
  await until(async () => (await readJob(file))?.status === 'done');
  await until(async () => (await countWaiting()) === 0);
});

/** For as long as the test may take. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 100));
}
