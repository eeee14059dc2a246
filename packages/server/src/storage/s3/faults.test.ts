/** What services do that is not in their documentation, or goes wrong on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { StaleLists } from '../../../../../suites/many-servers/stale-lists.ts';
import { Writers } from '../disk/threads/writers.ts';
import { BytesGone } from '../errors.ts';
import { feed, hasCode, MIB, makeBytes, openSink, readAll, stage } from '../test-storage.ts';
import { Bucket } from './bucket.ts';
import { listMultiparts, listParts } from './multiparts.ts';
import { S3Storage } from './s3-storage.ts';
import { makeBucket, withService } from './test-bucket.ts';
import { startProxy } from './test-proxy.ts';

type T = Parameters<typeof makeBucket>[0];

/** A storage whose requests go through a proxy. */
async function makeFaulty(t: T) {
  const made = await makeBucket(t);
  const proxy = await startProxy(t, made.settings.endpoint);
  const storage = new S3Storage({ ...made.settings, endpoint: proxy.url }, new Writers(2, 8));
  t.after(() => storage.close());
  return { ...made, storage, proxy };
}

// Invariant 2
test('s3: a part that was sent twice counts as it was recorded, whichever came last', withService, async (t) => {
  const { storage, direct, keys } = await makeBucket(t);
  for (const recorded of ['first', 'last']) {
    const upload = await stage(storage, `twice-${recorded}`, 10 * MIB, 5 * MIB);
    const [first, last, end] = [makeBytes(5 * MIB, 1), makeBytes(5 * MIB, 2), makeBytes(5 * MIB, 3)];
    await upload.store(0, first);
    const { parts } = upload;
    await upload.store(0, last);
    if (recorded === 'first' && parts[0]) upload.note(0, parts[0]);
    await upload.store(1, end);
    const listed = await listParts(direct, keys.ofUpload(upload.to), upload.to.ref as string);
    const entries = listed?.filter(({ number }) => number === 1).length;
    // Some services keep each body that was sent for a part (SeaweedFS), others only the last one (versitygw).
    if (entries === 1 && recorded === 'first') {
      assert.deepEqual(await upload.findLost(), [0], 'it is asked for again, and nothing else is published');
      continue;
    }
    const file = await upload.publish();
    assert.ok((await readAll(storage, file)).equals(Buffer.concat([recorded === 'first' ? first : last, end])));
  }
});

// Invariants 2, 3
test('s3: an upload that lacks a part is not made an object, and keeps the others', withService, async (t) => {
  const { storage } = await makeBucket(t);
  const upload = await stage(storage, 'lacking', 10 * MIB, 5 * MIB);
  await upload.store(0, makeBytes(5 * MIB, 1));
  await upload.store(1, makeBytes(5 * MIB, 2));
  upload.note(0, { sha256: makeBytes(32), receipt: '0'.repeat(32) });
  await assert.rejects(upload.assemble(), BytesGone);
  assert.deepEqual(await upload.findLost(), [0]);
});

test('s3: more than a page of parts, and a part that was sent twice at the end of a page', withService, async (t) => {
  const { storage } = await makeBucket(t);
  const bytes = makeBytes(1001 * 100);
  const upload = await stage(storage, 'many', bytes.length, 100);
  // In no order of their age.
  for (let other = 1; other <= 20; other++) await upload.store(999, makeBytes(100, 77 + other));
  for (let idx = 0; idx < 1001; idx += 7) {
    const batch = Array.from({ length: Math.min(7, 1001 - idx) }, (_, at) => idx + at);
    await Promise.all(batch.map((each) => upload.store(each, bytes.subarray(each * 100, (each + 1) * 100))));
  }
  assert.deepEqual(await upload.findLost(), []);
  upload.note(999, { sha256: makeBytes(32), receipt: '0'.repeat(32) });
  assert.deepEqual(await upload.findLost(), [999]);
});

// Invariant 1
test('s3: a part that was cut off, or has other bytes than declared, is not stored', withService, async (t) => {
  const { storage, direct, keys } = await makeBucket(t);
  const { to } = await stage(storage, 'cut', 8 * MIB);
  const declared = makeBytes(32);
  for (const sha256 of [null, declared]) {
    const sink = await openSink(storage, to, 0, 8 * MIB, sha256);
    await feed(sink, makeBytes(3 * MIB), 64 * 1024);
    await sink.abort();
  }
  const wrong = await openSink(storage, to, 0, 8 * MIB, declared);
  await feed(wrong, makeBytes(8 * MIB), 64 * 1024);
  await wrong.commit();
  assert.deepEqual(await listParts(direct, keys.ofUpload(to), to.ref as string), []);
});

test('s3: an upload is assembled once, however many try it', withService, async (t) => {
  const { storage, settings, direct, keys } = await makeBucket(t);
  const other = new S3Storage(settings, new Writers(1, 2));
  t.after(() => other.close());
  const bytes = makeBytes(1000);
  const upload = await stage(storage, 'once', bytes.length);
  await upload.storeAll(bytes);
  const { to, place, parts } = upload;
  await Promise.all([storage, other, storage].map((each) => each.uploads.assemble(to, place, parts)));
  await other.uploads.assemble(to, place, parts);
  assert.ok((await readAll(other, place)).equals(bytes));
  // A second place of the same upload, as a server makes that lost a race.
  for (const content of [bytes, makeBytes(1000, 2)]) {
    const again = { ...to, ref: await storage.uploads.create(to) };
    const sink = await openSink(storage, again, 0, content.length);
    await feed(sink, content);
    const part = { idx: 0, ...(await sink.commit()) };
    const assembled = storage.uploads.assemble(again, place, [part]);
    await (content === bytes ? assembled : assert.rejects(assembled, BytesGone));
    assert.ok((await readAll(other, place)).equals(bytes), 'the first one stays');
    // One that has become no object is left for the sweep.
    if (content !== bytes) await storage.uploads.discard(again);
  }
  assert.deepEqual(await Array.fromAsync(listMultiparts(direct, keys.files)), []);
});

test(
  's3: an object that is not what the parts make is not published, and withdrawn with the parts',
  withService,
  async (t) => {
    const { storage, direct, keys, lose } = await makeBucket(t);
    const upload = await stage(storage, 'other', 1000);
    await upload.store(0, makeBytes(1000));
    await lose(upload.to);
    await direct.put(keys.ofUpload(upload.to), makeBytes(999));
    await assert.rejects(upload.assemble(), BytesGone);
    await assert.rejects(storage.uploads.publish(upload.to, upload.place), BytesGone);
    assert.equal(await storage.uploads.withdraw(upload.to), 'lost');
    assert.equal(await direct.head(keys.ofUpload(upload.to)), null);
    assert.deepEqual(await upload.findLost(), [0]);
  },
);

test('s3: a complete whose answer is lost is settled by what is there', withService, async (t) => {
  const { storage, proxy } = await makeFaulty(t);
  const bytes = makeBytes(1000);
  const upload = await stage(storage, 'ambiguous', bytes.length);
  await upload.storeAll(bytes);
  let lost = 0;
  proxy.decide = (method, query) => {
    if (method !== 'POST' || !query.has('uploadId')) return null;
    lost++;
    return { kind: 'lose_answer' };
  };
  const file = await upload.publish();
  assert.ok(lost > 1, 'it was repeated');
  assert.ok((await readAll(storage, file)).equals(bytes));
});

test('s3: a complete that fails for good says so, and can be repeated', withService, async (t) => {
  const { storage, proxy } = await makeFaulty(t);
  const bytes = makeBytes(1000);
  const upload = await stage(storage, 'refused', bytes.length);
  await upload.storeAll(bytes);
  proxy.decide = (method) => (method === 'POST' ? { kind: 'refuse', status: 500, code: 'InternalError' } : null);
  await assert.rejects(upload.publish(), hasCode('storage_unavailable'));
  proxy.decide = () => null;
  assert.ok((await readAll(storage, await upload.publish())).equals(bytes));
});

test('s3: while the service asks for fewer requests, parts are refused as overloaded and wait before they begin', {
  ...withService,
  timeout: 60_000,
}, async (t) => {
  const { storage, proxy } = await makeFaulty(t);
  const upload = await stage(storage, 'slow', 1000);
  let refused = 0;
  proxy.decide = (method) =>
    method === 'PUT' && refused++ < 1 ? { kind: 'refuse', status: 503, code: 'SlowDown' } : null;
  await assert.rejects(
    upload.store(0, makeBytes(1000)),
    (error: unknown) =>
      error instanceof UploadError && error.code === 'overloaded' && (error.retryAfterSeconds ?? 0) > 0,
  );
  const opening = storage.uploads.openSink(upload.to, { offset: 0, length: 1000 }, null);
  const waits = new Promise((resolve) => setTimeout(resolve, 1, 'waits'));
  assert.equal(await Promise.race([opening, waits]), 'waits');
  await opening;
  await upload.store(0, makeBytes(1000));
  // Calls that can be repeated are, within the budget of the library.
  let lists = 0;
  proxy.decide = (method) =>
    method === 'GET' && lists++ < 2 ? { kind: 'refuse', status: 503, code: 'SlowDown' } : null;
  assert.deepEqual(await upload.findLost(), []);
  assert.equal(lists, 3);
});

test('s3: a writer whose request was refused or cut off learns it, however much it still has', {
  ...withService,
  timeout: 60_000,
}, async (t) => {
  const { storage, proxy } = await makeFaulty(t);
  const upload = await stage(storage, 'refused-early', 32 * MIB);
  const bytes = makeBytes(32 * MIB);
  for (const fault of [{ kind: 'refuse', status: 403, code: 'AccessDenied' }, { kind: 'cut_request' }] as const) {
    proxy.decide = (method) => (method === 'PUT' ? fault : null);
    for (const isDeclared of [true, false]) {
      await assert.rejects(
        upload.store(0, bytes, { chunkBytes: 64 * 1024, isDeclared }),
        hasCode('storage_unavailable'),
      );
    }
  }
  proxy.decide = () => null;
  await upload.store(0, bytes, { chunkBytes: 64 * 1024 });
  assert.deepEqual(await upload.findLost(), []);
});

test(
  's3: while another request assembles the upload, it is asked for again, and no part counts as lost',
  withService,
  async (t) => {
    const { storage, proxy } = await makeFaulty(t);
    const upload = await stage(storage, 'busy', 1000);
    await upload.storeAll(makeBytes(1000));
    proxy.decide = (method) =>
      method === 'POST' ? { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' } : null;
    await assert.rejects(upload.assemble(), (error: unknown) => {
      return hasCode('storage_unavailable')(error) && !(error instanceof BytesGone);
    });
    proxy.decide = () => null;
    await upload.publish();
  },
);

// Invariant 1
test('s3: a part counts only by the checksum of its own answer', withService, async (t) => {
  const { storage, proxy } = await makeFaulty(t);
  const bytes = makeBytes(1000);
  const change = (headers: Record<string, string | null>) => {
    proxy.decide = (method) => (method === 'PUT' ? { kind: 'change_answer', headers } : null);
  };
  const upload = await stage(storage, 'answers', bytes.length);
  const wrong = makeBytes(32).toString('base64');
  for (const isDeclared of [true, false]) {
    change({ 'x-amz-checksum-sha256': wrong });
    await assert.rejects(upload.store(0, bytes, { isDeclared }), hasCode('storage_unavailable'));
    change({ etag: null });
    await assert.rejects(upload.store(0, bytes, { isDeclared }), hasCode('storage_unavailable'));
    // Of an older service: it says no checksum, and its ETag is an MD5.
    change({ 'x-amz-checksum-sha256': null });
    await upload.store(0, bytes, { isDeclared });
    assert.deepEqual(await upload.findLost(), []);
  }
  change({ 'x-amz-checksum-sha256': null, etag: `"${'0'.repeat(32)}"` });
  await assert.rejects(upload.store(0, bytes), hasCode('storage_unavailable'));
});

test('s3: a digest goes on where its connection broke', withService, async (t) => {
  const { storage, proxy } = await makeFaulty(t);
  const bytes = makeBytes(1000);
  const upload = await stage(storage, 'broken', bytes.length);
  await upload.storeAll(bytes);
  let gets = 0;
  proxy.decide = (method, query) =>
    method === 'GET' && !query.has('uploadId') && gets++ < 2 ? { kind: 'cut_answer' } : null;
  assert.deepEqual(Buffer.from((await upload.digest()).sha256), Buffer.from(upload.parts[0]?.sha256 ?? []));
  assert.ok(gets > 2);
});

test(
  's3: a part of a lost multipart upload is known to be lost, also when the answer says nothing',
  withService,
  async (t) => {
    const { storage, proxy, lose } = await makeFaulty(t);
    const upload = await stage(storage, 'lost-and-cut', 10 * MIB, 5 * MIB);
    await lose(upload.to);
    proxy.decide = (method) => (method === 'PUT' ? { kind: 'cut_request' } : null);
    await assert.rejects(upload.store(0, makeBytes(5 * MIB)), BytesGone);
  },
);

test('s3: a call that is never answered fails', withService, async (t) => {
  const { settings } = await makeBucket(t);
  const proxy = await startProxy(t, settings.endpoint);
  const bucket = new Bucket({ ...settings, endpoint: proxy.url }, 500);
  t.after(() => bucket.close());
  proxy.decide = () => ({ kind: 'hang' });
  await assert.rejects(bucket.createMultipart('files/a/a.mrc'), hasCode('storage_unavailable'));
});

// Invariant 2
test('s3: an upload is assembled of its parts while the lists are old, or do not have it', withService, async (t) => {
  const { settings } = await makeBucket(t);
  const lists = await StaleLists.open(t, settings);
  const storage = new S3Storage({ ...settings, endpoint: lists.url }, new Writers(2, 8));
  t.after(() => storage.close());
  const bytes = makeBytes(10 * MIB);
  for (const lag of [1, 2, Number.POSITIVE_INFINITY]) {
    const upload = await stage(storage, `stale-${lag}`, bytes.length, 5 * MIB);
    await upload.storeAll(bytes);
    lists.lag = lag;
    assert.notDeepEqual(await upload.findLost(), [], 'the list is old');
    const file = await upload.publish();
    // It was assembled before.
    await upload.assemble();
    lists.lag = 0;
    assert.ok((await readAll(storage, file)).equals(bytes));
  }
});

// Invariant 2
test('s3: a part that is neither listed nor known by its receipt is asked for again', withService, async (t) => {
  const { storage } = await makeBucket(t);
  const upload = await stage(storage, 'unknown', 10 * MIB, 5 * MIB);
  await upload.store(0, makeBytes(5 * MIB));
  upload.note(1, { sha256: makeBytes(32), receipt: '0'.repeat(32) });
  await assert.rejects(upload.assemble(), BytesGone);
  assert.deepEqual(await upload.findLost(), [1]);
  upload.note(1, { sha256: makeBytes(32), receipt: null });
  await assert.rejects(upload.assemble(), BytesGone);
});

// Invariant 2
test(
  's3: an object that was made meanwhile is not removed in place of the one that was found',
  withService,
  async (t) => {
    const { storage, direct, keys } = await makeBucket(t);
    const upload = await stage(storage, 'replaced', 1000);
    const key = keys.ofUpload(upload.to);
    await direct.put(key, makeBytes(1000, 1));
    const found = await direct.head(key);
    // Another server has removed that one, and has made the right one.
    await direct.put(key, makeBytes(1000, 2));
    await direct.removeExactly(key, found?.etag ?? '');
    assert.ok((await readAll(storage, upload.place)).equals(makeBytes(1000, 2)));
    const now = await direct.head(key);
    await direct.removeExactly(key, now?.etag ?? '');
    assert.equal(await direct.head(key), null);
    await direct.removeExactly(key, now?.etag ?? '');
  },
);
