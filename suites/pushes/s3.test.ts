/** A dataset is copied to a bucket: whole, and what is there is not sent again. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { PushRecord } from '@cryolift/protocol/messages';
import { Bucket } from '../../packages/server/src/storage/s3/bucket.ts';
import { listMultiparts, listParts } from '../../packages/server/src/storage/s3/multiparts.ts';
import { startProxy } from '../../packages/server/src/storage/s3/test-proxy.ts';
import { EventStream } from '../contract/event-stream.ts';
import { sha256Hex } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { arm, disarm, makeFolder, PRELOAD } from '../crash-points/crash-site.ts';
import { removeFolder } from '../crash-points/deployments.ts';
import { missingService } from '../engines/s3-service.ts';
import { findService } from '../engines/shared-service.ts';
import { startServer } from '../server-under-test.ts';
import { endOf, fillDataset, LONG, push, readPush, type Scope, writeDestinations } from './site.ts';

const MIB = 1024 * 1024;
const options = { ...LONG, skip: missingService() };

async function start(t: Scope, prefix: string, settings: Readonly<Record<string, string>> = {}) {
  const { storageUrl, credentials, bucket, endpoint, region } = await findService();
  const vault = {
    kind: 's3',
    url: storageUrl(prefix),
    access_key_id: credentials.accessKeyId,
    secret_access_key: credentials.secretAccessKey,
  };
  const proxy = await startProxy(t, endpoint);
  const held = {
    ...vault,
    url: storageUrl(prefix).replace(encodeURIComponent(endpoint), encodeURIComponent(proxy.url)),
  };
  const server = await startServer({ CRYOLIFT_DESTINATIONS: writeDestinations(t, { vault, held }), ...settings });
  t.after(() => server.discard());
  const there = new Bucket({ bucket, prefix, endpoint, region, pathStyle: true, credentials });
  t.after(() => there.close());
  const list = async () => (await Array.fromAsync(there.list(prefix))).sort();
  const read = async (key: string) =>
    Buffer.concat(await Array.fromAsync((await there.get(key)) as AsyncIterable<Buffer>));
  return { server, there, proxy, list, read, call: callAs(server, { sub: 'ada' }) };
}

type Site = Awaited<ReturnType<typeof start>>;
const shared = options.skip ? null : await start({ after }, 'push');

test('pushes: a dataset arrives in a bucket, its receipt last, and again nothing is sent', options, async () => {
  const { server, call, list, read, there } = shared as Site;
  const { id, files } = await fillDataset(call, 'session / 1', [3000, 20 * MIB, 1500]);
  const ended = await endOf(call, await push(call, id, 'vault/2026'));
  assert.equal(ended.state, 'done', JSON.stringify(ended));
  const folder = `push/2026/session_1-${id}`;
  for (const [path, bytes] of files) {
    assert.equal(sha256Hex(await read(`${folder}/data/${path}`)), sha256Hex(bytes), path);
  }
  const keys = await list();
  assert.equal(keys.length, 4);
  const receipt = await call('GET', `/datasets/${id}/receipt`);
  assert.deepEqual(await read(keys.find((key) => key.includes('/receipt-')) as string), receipt.body);
  const stream = await EventStream.open<{ push: PushRecord }>(server, '/events', { sub: 'ada' }, '0');
  const event = (await stream.until(({ type }) => type === 'cryolift.dataset.pushed')).at(-1);
  assert.equal(event?.data.push.push_id, ended.push_id);
  stream.close();
  const before = await there.head(`${folder}/data/${[...files.keys()][1]}`);
  assert.equal((await endOf(call, await push(call, id, 'vault/2026'))).state, 'done');
  assert.deepEqual(await there.head(`${folder}/data/${[...files.keys()][1]}`), before);
});

test('pushes: a different file in the bucket is not replaced', options, async () => {
  const { call, there, read } = shared as Site;
  const { id, files } = await fillDataset(call, 'two', [3000]);
  const key = `push/two-${id}/data/${[...files.keys()][0]}`;
  await there.put(key, Buffer.alloc(3000, 1));
  const ended = await endOf(call, await push(call, id, 'vault'));
  assert.equal(ended.state, 'failed');
  assert.match(ended.error ?? '', /A different file is at two-.* already/);
  assert.deepEqual(await read(key), Buffer.alloc(3000, 1));
});

test('pushes: a cancelled one ends at once, and leaves nothing of a file that it has begun', options, async () => {
  const { call, there, proxy, list } = shared as Site;
  const { id } = await fillDataset(call, 'four', [20 * MIB]);
  const isHeld = () => proxy.seen.includes('PUT partNumber');
  proxy.decide = (method, query) => (method === 'PUT' && query.has('partNumber') ? { kind: 'hang' } : null);
  const begun = await push(call, id, 'held');
  await eventually(async () => isHeld(), Boolean);
  const under = async () => await Array.fromAsync(listMultiparts(there, 'push/four'));
  assert.equal((await under()).length, 1);
  const answer = await call('DELETE', `/datasets/${id}/pushes/${begun.push_id}`);
  assert.equal(answer.json<PushRecord>().state, 'cancelled');
  await eventually(under, (left) => left.length === 0);
  proxy.decide = () => null;
  assert.deepEqual(
    (await list()).filter((key) => key.startsWith('push/four')),
    [],
  );
  // It may be begun again.
  assert.equal((await endOf(call, await push(call, id, 'held'))).state, 'done');
});

test('pushes: a bucket that refuses calls for a while is asked again', options, async () => {
  const { call, proxy } = shared as Site;
  const { id } = await fillDataset(call, 'five', [3000]);
  proxy.decide = (method) => (method === 'PUT' ? { kind: 'refuse', status: 403, code: 'AccessDenied' } : null);
  const begun = await push(call, id, 'held');
  const waiting = await eventually(
    () => readPush(call, begun),
    ({ error }) => error !== null,
  );
  assert.equal(waiting.state, 'waiting');
  assert.match(waiting.error ?? '', /AccessDenied/);
  proxy.decide = () => null;
  const ended = await endOf(call, begun);
  assert.deepEqual([ended.state, ended.error], ['done', null]);
});

test('pushes: kill -9 between two parts, and the push goes on with those that are there', options, async (t) => {
  const site = makeFolder();
  t.after(() => removeFolder(site));
  const { server, call, there, read } = await start(t, 'push-kill', {
    NODE_OPTIONS: `--import ${PRELOAD}`,
    CRASH_FOLDER: site,
  });
  const { id, files } = await fillDataset(call, 'three', [48 * MIB]);
  arm(site, { name: 'push.part-sent', when: 'between', nth: 2 });
  const begun = await push(call, id, 'vault');
  await eventually(
    async () => existsSync(join(site, 'reached')),
    (isDead) => isDead,
  );
  await server.kill9();
  disarm(site);
  const [path, bytes] = [...files][0] as [string, Buffer];
  const key = `push-kill/three-${id}/data/${path}`;
  const find = async () => (await Array.fromAsync(listMultiparts(there, key)))[0];
  const before = await find();
  assert.ok(before, 'it was killed in the middle');
  const parts = await listParts(there, key, before.id);
  assert.equal(new Set(parts?.map(({ number }) => number)).size, 2);
  await server.restart();
  const ended = await endOf(call, begun);
  assert.equal(ended.state, 'done', JSON.stringify(ended));
  assert.equal(sha256Hex(await read(key)), sha256Hex(bytes));
  assert.equal(await find(), undefined, 'no multipart upload is left');
  assert.equal((await readPush(call, ended)).bytes_done, 48 * MIB);
});
