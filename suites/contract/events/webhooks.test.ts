/** What a receiver of webhooks can rely on. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Delivery, DeliveryPage, FileRecord } from '@cryolift/protocol/messages';
import { HAS_LATE_DIGESTS, type OwnServer, startServer } from '../../server-under-test.ts';
import { Receiver } from '../../webhooks/receiver.ts';
import { assertFailure } from '../failure.ts';
import { complete, open, openSample, publish, putAll } from '../upload.ts';
import { callAs } from '../wire.ts';

const ADMIN = { sub: 'root', scope: 'admin' };

interface Pair {
  readonly server: OwnServer;
  readonly receiver: Receiver;
}

async function startPair(context: TestContext, more: Record<string, string> = {}): Promise<Pair> {
  const receiver = new Receiver(randomBytes(32));
  await receiver.start();
  context.after(() => receiver.stop());
  const server = await startServer({
    CRYOLIFT_WEBHOOK_URL: receiver.url,
    CRYOLIFT_WEBHOOK_SECRET: `whsec_${receiver.key.toString('base64')}`,
    CRYOLIFT_PUBLIC_URL: 'https://lift.example.org',
    CRYOLIFT_ACCEPT: 'txt',
    ...more,
  });
  context.after(() => server.discard());
  return { server, receiver };
}

async function listDeliveries(server: OwnServer, query = ''): Promise<Delivery[]> {
  return (await callAs(server, ADMIN)('GET', `/webhooks/deliveries${query}`)).json<DeliveryPage>().items;
}

/** The secret is in the data folder when the database is. */
const ON_DISK = { CRYOLIFT_DATABASE_URL: 'sqlite:' };

test('webhooks: every event comes, signed, as a CloudEvent, in the order of its upload', async (context) => {
  const { server, receiver } = await startPair(context);
  const call = callAs(server, { sub: 'ada' });
  const { upload, bytes } = await openSample(call, 3);
  await putAll(call, upload, bytes);
  const file = (await complete(call, upload)).json<FileRecord>();
  await receiver.reach((all) => all.some(({ type }) => type === 'cryolift.file.preview_ready'));
  await call('DELETE', `/files/${file.file_id}`);
  await receiver.reach((all) => all.some(({ type }) => type === 'cryolift.file.deleted'));
  assert.deepEqual(receiver.faults, []);
  const types = receiver.received.map(({ type }) => type.replace('cryolift.', ''));
  // The jobs of a file end in any order.
  const ofJobs = types.splice(4, types.length - 5).sort();
  const published = ['upload.completed', 'file.published'];
  assert.deepEqual(types, ['upload.created', 'upload.verifying', ...published, 'file.deleted']);
  assert.deepEqual(ofJobs, [...(HAS_LATE_DIGESTS ? ['file.digest_ready'] : []), 'file.preview_ready']);
  const [created, , completed] = receiver.received;
  assert.equal(created?.subject, `uploads/${upload.upload_id}`);
  assert.match(created?.headers['content-type'] ?? '', /^application\/cloudevents\+json/);
  const event = created as unknown as { specversion: string; source: string; time: string };
  assert.deepEqual([event.specversion, event.source], ['1.0', 'https://lift.example.org']);
  assert.equal(completed?.data.file_id, file.file_id);
  assert.doesNotMatch(JSON.stringify(receiver.received), /file:\/\//, 'locations are not sent');
});

test('webhooks: an event that is refused comes again, before any later one of its upload; others do not wait', async (context) => {
  const { server, receiver } = await startPair(context);
  const call = callAs(server, { sub: 'ada' });
  const stuck = await open(call, { filename: 'stuck.mrc' });
  let refusals = 0;
  receiver.mood = ({ data }) => (data.upload_id === stuck.upload_id && refusals++ < 2 ? 500 : 204);
  await call('DELETE', `/uploads/${stuck.upload_id}`);
  const other = await open(call, { filename: 'other.mrc' });
  await receiver.reach((all) => all.some(({ type }) => type === 'cryolift.upload.cancelled'));
  const ofStuck = receiver.received.filter(({ data }) => data.upload_id === stuck.upload_id);
  const types = ofStuck.map(({ type }) => type.replace('cryolift.upload.', ''));
  assert.equal(types.indexOf('cancelled'), types.lastIndexOf('created') + 1, types.join());
  assert.equal(new Set(ofStuck.filter(({ type }) => type.endsWith('created')).map(({ id }) => id)).size, 1);
  await receiver.reach((all) => all.some(({ data }) => data.upload_id === other.upload_id));
});

test('webhooks: what a receiver refuses for good is kept for an administrator, who can send it again', async (context) => {
  const { server, receiver } = await startPair(context);
  receiver.mood = () => 410;
  const call = callAs(server, { sub: 'ada' });
  const { upload_id } = await open(call);
  while ((await listDeliveries(server, '?status=dead')).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const [dead] = await listDeliveries(server);
  assert.equal(dead?.upload_id, upload_id);
  assert.equal(dead?.type, 'cryolift.upload.created');
  assert.deepEqual([dead?.status, dead?.attempts], ['dead', 1]);
  assert.equal(dead?.trouble, 'answered 410: said the receiver');
  assert.deepEqual(await listDeliveries(server, '?status=waiting'), []);

  receiver.mood = () => 200;
  const admin = callAs(server, ADMIN);
  const retried = await admin('POST', `/webhooks/deliveries/${dead?.seq}/retry`);
  assert.equal(retried.status, 202);
  assert.equal(retried.json<Delivery>().status, 'waiting');
  await receiver.reach((all) => all.length === 2);
  assert.equal(receiver.received[1]?.id, receiver.received[0]?.id);
  while ((await listDeliveries(server)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assertFailure(await admin('POST', `/webhooks/deliveries/${dead?.seq}/retry`), 'not_found');
  assertFailure(await admin('GET', '/webhooks/deliveries?cursor=x'), 'invalid_request');
  assertFailure(await call('GET', '/webhooks/deliveries'), 'forbidden');
  assertFailure(await call('POST', '/webhooks/deliveries/1/retry'), 'forbidden');
});

test('webhooks: a redirect is not followed; an unreachable receiver gets events later', async (context) => {
  const { server, receiver } = await startPair(context);
  receiver.mood = () => 302;
  const call = callAs(server, { sub: 'ada' });
  await open(call);
  await receiver.reach((all) => all.length === 1);
  await receiver.stop();
  const away = async () => (await listDeliveries(server)).some(({ trouble }) => /ECONNREFUSED/.test(trouble ?? ''));
  while (!(await away())) await new Promise((resolve) => setTimeout(resolve, 50));
  receiver.mood = () => 204;
  await receiver.start();
  await receiver.reach((all) => all.length === 2);
});

test('webhooks: without a secret the data folder has one, for its own user alone; it stays over a restart', async (context) => {
  const { server, receiver } = await startPair(context, { ...ON_DISK, CRYOLIFT_WEBHOOK_SECRET: '' });
  const path = join(server.dataDir, 'webhook-secret');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const secret = readFileSync(path, 'utf8').trim();
  assert.match(secret, /^whsec_/);
  assert.doesNotMatch(server.stderr, new RegExp(secret.slice(6, 20).replaceAll('+', '\\+')));
  (receiver as { key: Buffer }).key = Buffer.from(secret.slice(6), 'base64');
  await open(callAs(server));
  await receiver.reach((all) => all.length === 1);
  await server.stop();
  await server.restart();
  await open(callAs(server));
  await receiver.reach((all) => all.length === 2);
  assert.deepEqual(receiver.faults, []);
});

test('webhooks: events from before the webhook are not sent', async (context) => {
  const { server, receiver } = await startPair(context, {
    ...ON_DISK,
    CRYOLIFT_WEBHOOK_URL: '',
    CRYOLIFT_WEBHOOK_SECRET: '',
  });
  // Of a type that nothing is done with afterwards.
  await publish(callAs(server), Buffer.from('before'), { filename: 'before.txt' });
  await server.stop();
  const later = await startServer({
    ...ON_DISK,
    CRYOLIFT_WEBHOOK_URL: receiver.url,
    CRYOLIFT_DATA_DIR: server.dataDir,
  });
  context.after(() => later.discard());
  (receiver as { key: Buffer }).key = Buffer.from(
    readFileSync(join(server.dataDir, 'webhook-secret'), 'utf8').slice(6),
    'base64',
  );
  const { upload_id } = await open(callAs(later));
  await receiver.reach((all) => all.length > 0);
  assert.deepEqual(
    receiver.received.map(({ data }) => data.upload_id),
    [upload_id],
  );
});
