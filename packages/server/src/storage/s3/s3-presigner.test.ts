/** Signed URLs of a real bucket. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Writers } from '../disk/threads/writers.ts';
import { listMultiparts } from './multiparts.ts';
import { S3Storage } from './s3-storage.ts';
import { makeBucket, withService } from './test-bucket.ts';
import { startProxy } from './test-proxy.ts';

const BODY = Buffer.from('a part');
const SHA256 = createHash('sha256').update(BODY).digest();

test(
  's3 presigner: is offered where the service refuses other bytes, and leaves nothing behind',
  withService,
  async (t) => {
    const { storage, direct, keys, settings } = await makeBucket(t);
    assert.equal(storage.presigner, null);
    assert.equal(await storage.offerDirect(), true);
    const { presigner } = storage as { presigner: S3Storage['presigner'] };
    assert.equal(presigner?.origin, settings.endpoint);
    assert.deepEqual(await Array.fromAsync(listMultiparts(direct, keys.files)), []);
  },
);

test('s3 presigner: a service that takes any body is not offered', withService, async (t) => {
  const { settings } = await makeBucket(t);
  const proxy = await startProxy(t, settings.endpoint);
  proxy.decide = (_method, query) => (query.has('X-Amz-Signature') ? { kind: 'refuse', status: 200, code: '' } : null);
  const storage = new S3Storage({ ...settings, endpoint: proxy.url }, new Writers(2, 8));
  t.after(() => storage.close());
  assert.equal(await storage.offerDirect(), false);
  assert.equal(storage.presigner, null);
});

test('s3 presigner: parts are found by their indices, among those that were sent twice', withService, async (t) => {
  const { storage } = await makeBucket(t);
  await storage.offerDirect();
  const presigner = storage.presigner as NonNullable<typeof storage.presigner>;
  const partSizeBytes = BODY.length;
  const upload = { id: 'u', filename: 'a b%.mrc', ref: null, sizeBytes: 6 * partSizeBytes, partSizeBytes, empty: true };
  const staged = { ...upload, ref: await storage.uploads.create(upload) };
  assert.deepEqual(await presigner.findSent(upload, 0, 5), []);
  for (const idx of [5, 1, 3, 3, 2]) {
    const { url, headers } = await presigner.sign(staged, idx, SHA256, 60);
    const { 'Content-Length': length, ...others } = headers;
    assert.equal(length, String(partSizeBytes));
    const answer = await fetch(url, { method: 'PUT', headers: others, body: BODY });
    assert.equal(answer.status, 200, await answer.text());
  }
  const found = await presigner.findSent(staged, 1, 3);
  assert.deepEqual([...new Set(found.map(({ idx }) => idx))].sort(), [1, 2, 3]);
  const etag = createHash('md5').update(BODY).digest('hex');
  for (const { receipt, sizeBytes } of found) assert.deepEqual([receipt, sizeBytes], [etag, partSizeBytes]);
});

test('s3 presigner: a service that fails now and then is asked again', withService, async (t) => {
  const { settings } = await makeBucket(t);
  const proxy = await startProxy(t, settings.endpoint);
  let count = 0;
  proxy.decide = (_method, query) => {
    if (!query.has('X-Amz-Signature') || ++count % 2 === 0) return null;
    return count === 1 ? { kind: 'refuse', status: 503, code: 'SlowDown' } : { kind: 'cut_request' };
  };
  const storage = new S3Storage({ ...settings, endpoint: proxy.url }, new Writers(2, 8));
  t.after(() => storage.close());
  assert.equal(await storage.offerDirect(), true);
  assert.equal(count, 4);
});

test('s3 presigner: a clock that is minutes off signs URLs that are valid now', withService, async (t) => {
  for (const offMs of [-10 * 60_000, 10 * 60_000]) {
    const { storage, direct } = await makeBucket(t);
    const now = Date.now;
    // The whole process: what a server on a system with another clock does.
    t.mock.method(Date, 'now', () => now() + offMs);
    await storage.offerDirect();
    const presigner = storage.presigner as NonNullable<typeof storage.presigner>;
    const upload = { id: `off${offMs}`, filename: 'a', ref: null, sizeBytes: 6, partSizeBytes: 6, empty: true };
    const staged = { ...upload, ref: await storage.uploads.create(upload) };
    const { url, headers } = await presigner.sign(staged, 0, SHA256, 60);
    t.mock.restoreAll();
    const signed = /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(url)?.slice(1) ?? [];
    const [year, month, ...rest] = signed.map(Number) as [number, number, number, number, number, number];
    assert.ok(Math.abs(Date.UTC(year, month - 1, ...rest) - Date.now()) < 60_000, url);
    const { 'Content-Length': _length, ...others } = headers;
    const answer = await fetch(url, { method: 'PUT', headers: others, body: BODY });
    assert.equal(answer.status, 200, await answer.text());
    const get = await fetch(await direct.signGet('no-such-object', 60));
    assert.equal(get.status, 404);
  }
});
