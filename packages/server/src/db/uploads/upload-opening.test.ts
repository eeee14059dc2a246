import assert from 'node:assert/strict';
import { UPLOAD_STATES } from '@cryolift/protocol/states';
import { type Database, transact } from '../database.ts';
import { insertFile, markDeleted } from '../files.ts';
import type { LinkRow, UploadRow } from '../tables.ts';
import { testDatabases } from '../test-databases.ts';
import { draftFile, draftRow, insertRow, openRequest, plain } from '../test-rows.ts';
import { deleteLinksOf, forgetLinks, insertLink, sumByLinks } from './links.ts';
import { type OpenRequest, openUploadRow } from './upload-opening.ts';
import { purgeUploads } from './upload-purge.ts';
import { findUploadRow, moveUploadRow } from './uploads.ts';

const open = async (db: Database, request: OpenRequest) => await transact(db, (tx) => openUploadRow(tx, request));

const withKey = (key: string, fill: number) => ({ idempotency: { key, requestSha256: new Uint8Array(32).fill(fill) } });

async function countUploads(db: Database): Promise<number> {
  return (await db.selectFrom('uploads').select('id').execute()).length;
}

testDatabases('opening: inserts the row of a new upload', async (db) => {
  const row = draftRow({ sha256: new Uint8Array(32).fill(7), size: Number.MAX_SAFE_INTEGER });
  const outcome = await open(db, openRequest(row, { freeBytes: Number.MAX_SAFE_INTEGER }));
  assert.deepEqual(outcome, { kind: 'opened', row, madeDataset: null });
  assert.deepEqual(plain(await findUploadRow(db, row.id)), row);
});

testDatabases('opening: a fingerprint finds the open upload of the same owner, size and time only', async (db) => {
  const first = draftRow({ fingerprint: 'f' });
  await open(db, openRequest(first));
  const found = await open(db, openRequest(draftRow({ fingerprint: 'f' })));
  assert.deepEqual(found.kind === 'found' && plain(found.row), first);
  for (const other of [
    { owner: 'bob' },
    { size: 951 },
    { fingerprint: 'g' },
    { fingerprint: null },
    { created_at: 9000 },
  ]) {
    const outcome = await open(db, openRequest(draftRow({ fingerprint: 'f', ...other })));
    assert.equal(outcome.kind, 'opened', JSON.stringify(other));
  }
});

// Invariant 12
testDatabases('opening: a fingerprint does not find an upload with another declared SHA-256', async (db) => {
  const declaring = (fill: number | null) =>
    draftRow({ fingerprint: 'f', sha256: fill === null ? null : new Uint8Array(32).fill(fill) });
  const first = declaring(1);
  await open(db, openRequest(first));
  assert.equal((await open(db, openRequest(declaring(2)))).kind, 'opened');
  for (const fill of [1, null]) {
    const again = await open(db, openRequest(declaring(fill)));
    assert.equal(again.kind, 'found', `${fill}`);
  }
});

const LINK: LinkRow = {
  id: 'l',
  owner: 'ada',
  token_sha256: new Uint8Array(32),
  max_bytes: null,
  max_files: null,
  note: null,
  created_at: 1000,
  expires_at: 9000,
};

testDatabases('opening: with a link, a fingerprint finds only uploads of this link', async (db) => {
  for (const link_id of [null, 'l', 'm']) {
    const row = draftRow({ fingerprint: 'f', link_id });
    assert.equal((await open(db, openRequest(row))).kind, 'opened', String(link_id));
    const again = await open(db, openRequest(draftRow({ fingerprint: 'f', link_id })));
    assert.equal(again.kind === 'found' && again.row.id, row.id);
  }
});

testDatabases('opening: the limits of a link apply, also to concurrent inits', async (db) => {
  const begin = (link: LinkRow, size: number) =>
    open(db, openRequest(draftRow({ link_id: link.id, size }), { link, freeBytes: Number.MAX_SAFE_INTEGER }));
  const bytes = { ...LINK, max_bytes: 1000 };
  // Any order: two of 400 and the one of 200 fit.
  const outcomes = await Promise.all([400, 400, 400, 200].map((size) => begin(bytes, size)));
  assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['link_exceeded', 'opened', 'opened', 'opened']);
  assert.deepEqual(await begin(bytes, 1), { kind: 'link_exceeded', usedBytes: 1000, usedFiles: 3 });
  const files = { ...LINK, id: 'm', max_files: 2 };
  const kinds = (await Promise.all([1, 2, 3].map(() => begin(files, 5)))).map(({ kind }) => kind);
  assert.deepEqual(kinds.sort(), ['link_exceeded', 'opened', 'opened']);
});

testDatabases('opening: cancelled uploads do not count for a link; completed ones do', async (db) => {
  for (const status of UPLOAD_STATES) await insertRow(db, { link_id: 'l', status, size: 1 });
  await insertRow(db, { link_id: 'm', size: 1 });
  const kept = UPLOAD_STATES.length - 2;
  const used = await sumByLinks(db, ['l', 'm', 'none']);
  assert.deepEqual(Object.fromEntries(used), { l: { bytes: kept, files: kept }, m: { bytes: 1, files: 1 } });
});

testDatabases('links: concurrent creations do not exceed the limit of an owner', async (db) => {
  const make = (id: number, owner: string) =>
    insertLink(db, { ...LINK, id: String(id), owner, token_sha256: new Uint8Array([id]) }, 3);
  const made = await Promise.all(Array.from({ length: 10 }, (_, id) => make(id, 'ada')));
  assert.equal(made.filter(Boolean).length, 3);
  assert.equal(await make(10, 'bob'), true);
  assert.equal(await deleteLinksOf(db, 'ada'), 3);
  assert.equal(await make(11, 'ada'), true);
});

testDatabases('opening: the uploads of a link are kept as long as the link', async (db) => {
  await insertLink(db, LINK, 9);
  await insertRow(db, { link_id: 'l', status: 'completed', updated_at: 1 });
  assert.equal(await purgeUploads(db, 100, 9), 0);
  await forgetLinks(db, 9000);
  assert.equal(await purgeUploads(db, 100, 9), 0);
  await forgetLinks(db, 9001);
  assert.equal(await purgeUploads(db, 100, 9), 1);
});

testDatabases('opening: a fingerprint does not find an upload that accepts no parts', async (db) => {
  for (const status of UPLOAD_STATES) {
    const fingerprint = `of ${status}`;
    await insertRow(db, { status, fingerprint });
    const { kind } = await open(db, openRequest(draftRow({ fingerprint })));
    assert.equal(kind, status === 'pending' || status === 'uploading' ? 'found' : 'opened', status);
  }
});

testDatabases('opening: two concurrent inits with one fingerprint give one upload', async (db) => {
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => open(db, openRequest(draftRow({ fingerprint: 'f' })))),
  );
  assert.equal(new Set(outcomes.map((outcome) => 'row' in outcome && outcome.row.id)).size, 1);
  assert.equal(await countUploads(db), 1);
});

testDatabases('opening: an idempotency key returns the first upload in any state', async (db) => {
  const first = draftRow();
  await open(db, openRequest(first, withKey('k', 1)));
  await moveUploadRow(db, first.id, 'cancel', 3000);
  const again = await open(db, openRequest(draftRow(), withKey('k', 1)));
  assert.deepEqual(again.kind === 'found' && [again.row.id, again.row.status], [first.id, 'cancelled']);
  assert.equal(await countUploads(db), 1);
});

testDatabases('opening: an idempotency key is bound to its request and its owner', async (db) => {
  await open(db, openRequest(draftRow(), withKey('k', 1)));
  assert.deepEqual(await open(db, openRequest(draftRow(), withKey('k', 2))), { kind: 'idempotency_conflict' });
  assert.equal((await open(db, openRequest(draftRow({ owner: 'bob' }), withKey('k', 2)))).kind, 'opened');
  assert.equal((await open(db, openRequest(draftRow(), withKey('l', 2)))).kind, 'opened');
});

testDatabases('opening: an idempotency key also returns an upload that was found by its fingerprint', async (db) => {
  const first = draftRow({ fingerprint: 'f' });
  await open(db, openRequest(first));
  await open(db, openRequest(draftRow({ fingerprint: 'f' }), withKey('k', 1)));
  await moveUploadRow(db, first.id, 'cancel', 3000);
  const again = await open(db, openRequest(draftRow({ fingerprint: 'f' }), withKey('k', 1)));
  assert.equal(again.kind === 'found' && again.row.id, first.id);
});

testDatabases('opening: the quota counts files and live uploads of this owner only', async (db) => {
  for (const status of UPLOAD_STATES) await insertRow(db, { status, size: 100 });
  await insertRow(db, { owner: 'bob', size: 5000 });
  for (const file of [draftFile('f1', 1000), draftFile('f2', 7)]) await insertFile(db, file);
  assert.equal((await markDeleted(db, ['f2'], 5)).length, 1);
  assert.equal((await markDeleted(db, ['f2'], 6)).length, 0);
  // pending, uploading, verifying and failed hold bytes; deleted files do not.
  const held = 1000 + 4 * 100;
  const row = draftRow({ size: 50 });
  assert.deepEqual(await open(db, openRequest(row, { quotaBytes: held + 49 })), {
    kind: 'quota_exceeded',
    usedBytes: held,
  });
  assert.equal(await findUploadRow(db, row.id), undefined);
  assert.equal((await open(db, openRequest(row, { quotaBytes: held + 50 }))).kind, 'opened');
});

testDatabases('opening: files, and uploads that are not published, count for their owner', async (db) => {
  const begin = async (maxFiles: number, changes: Partial<UploadRow> = {}) =>
    await open(db, openRequest(draftRow(changes), { maxFiles }));
  for (const status of UPLOAD_STATES) await insertRow(db, { status });
  await insertRow(db, { owner: 'bob' });
  for (const file of [draftFile('f1', 0), draftFile('f2', 0), draftFile('f3', 0)]) await insertFile(db, file);
  await markDeleted(db, ['f3'], 5);
  // The completed one counts as a file.
  const held = 2 + UPLOAD_STATES.length - 1;
  assert.deepEqual(await begin(held), { kind: 'too_many_files', files: held });
  assert.equal((await begin(held, { owner: 'bob' })).kind, 'opened');
  assert.equal((await begin(held + 1)).kind, 'opened');
});

testDatabases('opening: ended uploads are limited, separately for a link', async (db) => {
  const begin = async (link: LinkRow | null) =>
    (await open(db, openRequest(draftRow({ link_id: link?.id ?? null }), { link, maxFiles: 1_000_000 }))).kind;
  await insertRows(db, 1_000, { status: 'cancelled', link_id: 'l' });
  assert.equal(await begin(LINK), 'too_many_ended');
  assert.equal(await begin({ ...LINK, id: 'm' }), 'opened');
  await insertRows(db, 19_999, { status: 'cancelled' });
  assert.equal(await begin(null), 'opened');
  await insertRow(db, { status: 'expired' });
  assert.equal(await begin(null), 'too_many_ended');
  // The limit of the link is separate from that of its owner.
  assert.equal(await begin({ ...LINK, id: 'm' }), 'opened');
});

testDatabases('opening: a link without a number of files has a default limit', async (db) => {
  const begin = async () =>
    await open(db, openRequest(draftRow({ link_id: 'l', size: 0 }), { link: LINK, maxFiles: 1_000_000 }));
  await insertRows(db, 99_999, { status: 'completed', link_id: 'l', size: 0 });
  assert.equal((await begin()).kind, 'opened');
  assert.deepEqual(await begin(), { kind: 'link_exceeded', usedBytes: 0, usedFiles: 100_000 });
});

testDatabases('opening: the keys of one upload are limited', async (db) => {
  const find = async (key: string) =>
    (await open(db, openRequest(draftRow({ fingerprint: 'f' }), withKey(key, 1)))).kind;
  assert.equal(await find('first'), 'opened');
  for (let at = 1; at < 1_000; at++) await find(`key ${at}`);
  assert.equal(await find('one more'), 'too_many_keys');
  assert.equal(await find('key 7'), 'found');
});

async function insertRows(db: Database, count: number, changes: Partial<UploadRow>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (let at = 0; at < count; at += 500) {
      const rows = Array.from({ length: Math.min(500, count - at) }, () => draftRow(changes));
      await tx.insertInto('uploads').values(rows).execute();
    }
  });
}

testDatabases('opening: reserved space is not reserved twice', async (db) => {
  await insertRow(db, { size: 1000, received_bytes: 400, status: 'uploading' });
  await insertRow(db, { size: 300 });
  await insertRow(db, { size: 9999, status: 'cancelled' });
  await insertRow(db, { size: 9999, received_bytes: 9999, status: 'verifying' });
  const row = draftRow({ size: 101 });
  assert.deepEqual(await open(db, openRequest(row, { freeBytes: 1000 })), { kind: 'no_space', availableBytes: 100 });
  assert.equal((await open(db, openRequest(row, { freeBytes: 1001 }))).kind, 'opened');
});

testDatabases('opening: a resumed upload needs no quota or space again', async (db) => {
  await insertRow(db, { fingerprint: 'f' });
  const outcome = await open(db, openRequest(draftRow({ fingerprint: 'f' }), { quotaBytes: 0, freeBytes: 0 }));
  assert.equal(outcome.kind, 'found');
});
