/**
 * Where `openPlainly` starts an upload, `openUploadRow` would, too. SQLite alone: servers with PostgreSQL do not use it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UPLOAD_STATES } from '@cryolift/protocol/states';
import { type Database, transact } from '../database.ts';
import { insertFile } from '../files.ts';
import { runGuarded } from '../guarded.ts';
import { draftFile, draftRow, insertRow, makeDatabase, openRequest, plain } from '../test-rows.ts';
import { openPlainly } from './plain-opening.ts';
import { type OpenRequest, openUploadRow } from './upload-opening.ts';
import { findUploadRow } from './uploads.ts';

const withKey = (key: string) => ({ key, requestSha256: new Uint8Array(32) });

async function opens(db: Database, request: OpenRequest): Promise<boolean> {
  const steps = openPlainly(db, request);
  return steps !== null && (await runGuarded(db, steps)).refusedAt === null;
}

test('plain opening: inserts the row and its key', async (t) => {
  const db = await makeDatabase(t);
  const row = draftRow({ fingerprint: 'f', sha256: new Uint8Array(32).fill(7) });
  assert.equal(await opens(db, openRequest(row, { idempotency: withKey('k') })), true);
  assert.deepEqual(plain(await findUploadRow(db, row.id)), row);
  const again = openRequest(draftRow({ fingerprint: 'f' }), { idempotency: withKey('k') });
  const found = await transact(db, (tx) => openUploadRow(tx, again));
  assert.equal(found.kind === 'found' && found.row.id, row.id);
});

test('plain opening: refuses, and writes nothing, where there may be an upload to resume', async (t) => {
  const db = await makeDatabase(t);
  await opens(db, openRequest(draftRow({ fingerprint: 'f' }), { idempotency: withKey('k') }));
  const before = await db.selectFrom('uploads').select('id').execute();
  assert.equal(await opens(db, openRequest(draftRow({ fingerprint: 'f' }))), false);
  assert.equal(await opens(db, openRequest(draftRow(), { idempotency: withKey('k') })), false);
  assert.equal(
    await opens(db, openRequest(draftRow(), { link: { id: 'l', max_bytes: null, max_files: null } })),
    false,
  );
  assert.equal(await opens(db, openRequest(draftRow(), { countedBytes: 1 })), false);
  assert.deepEqual(await db.selectFrom('uploads').select('id').execute(), before);
});

/** What is there; one more upload of 100 bytes is asked for. */
const LIMITS: readonly (readonly [string, Partial<OpenRequest>, Partial<OpenRequest>])[] = [
  ['bytes of the quota', { quotaBytes: 1150 }, { quotaBytes: 1149 }],
  // Stricter by those that are verified, which are not open.
  ['open uploads', { maxOpen: 4 }, { maxOpen: 2 }],
  ['files', { maxFiles: 5 }, { maxFiles: 4 }],
  ['free bytes', { freeBytes: 450 }, { freeBytes: 449 }],
];

// Invariant 8
for (const [limit, enough, tooLittle] of LIMITS) {
  test(`plain opening: refuses beyond the limit of ${limit}`, async (t) => {
    const db = await makeDatabase(t);
    await insertRow(db, { size: 150, updated_at: 1000 });
    await insertRow(db, { size: 200, status: 'uploading', updated_at: 1000 });
    await insertRow(db, { size: 400, status: 'verifying' });
    await transact(db, (tx) => insertFile(tx, draftFile('f', 300)));
    await insertRow(db, { size: 50_000, status: 'completed' });
    // Of others: they count for the free space alone.
    await insertRow(db, { owner: 'bob', size: 50_000, status: 'verifying' });
    const ask = (changes: Partial<OpenRequest>) => openRequest(draftRow({ size: 100 }), changes);
    assert.equal(await opens(db, ask(tooLittle)), false);
    const outcome = await transact(db, (tx) => openUploadRow(tx, ask(tooLittle)));
    assert.notEqual(outcome.kind, 'opened');
    assert.equal(await opens(db, ask(enough)), true);
  });
}

test('plain opening: what it starts, a closer look would start, whatever is there', async (t) => {
  const db = await makeDatabase(t);
  for (const status of UPLOAD_STATES) await insertRow(db, { status, size: 10, fingerprint: status });
  for (const maxOpen of [2, 3, 5, 8]) {
    for (const maxFiles of [2, 6, 7]) {
      const changes = { maxOpen, maxFiles, quotaBytes: 60 };
      const plainly = await opens(db, openRequest(draftRow({ size: 5, id: 'plain' }), changes));
      await db.deleteFrom('uploads').where('id', '=', 'plain').execute();
      const closely = await transact(db, (tx) =>
        openUploadRow(tx, openRequest(draftRow({ size: 5, id: 'close' }), changes)),
      );
      await db.deleteFrom('uploads').where('id', '=', 'close').execute();
      if (plainly) assert.equal(closely.kind, 'opened', JSON.stringify(changes));
    }
  }
});
