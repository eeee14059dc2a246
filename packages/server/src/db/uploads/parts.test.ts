import assert from 'node:assert/strict';
import { UPLOAD_STATES } from '@cryolift/protocol/states';
import fc from 'fast-check';
import type { Database } from '../database.ts';
import { findLeases, takeLease } from '../leases.ts';
import { testDatabases } from '../test-databases.ts';
import { draftPart, draftRow, insertRow, plain } from '../test-rows.ts';
import { commitPart, findMissing, findPart, forgetParts, listParts } from './parts.ts';
import { findUploadRow } from './uploads.ts';

testDatabases('parts: a part is recorded, counted, and extends the upload', async (db) => {
  const { id } = await insertRow(db);
  const first = await commitPart(db, id, draftPart(9));
  assert.equal(first.kind, 'stored');
  const second = await commitPart(db, id, { ...draftPart(0), header: { mrc: '{"nx":1}', warnings: '[1]' } });
  assert.equal(second.kind, 'stored');
  const row = await findUploadRow(db, id);
  assert.deepEqual(second.kind === 'stored' && second.row, plain(row));
  assert.deepEqual(
    [row?.status, row?.received_parts, row?.received_bytes, row?.updated_at, row?.expires_at, row?.mrc, row?.warnings],
    ['uploading', 2, 150, 2000, 10_000, '{"nx":1}', '[1]'],
  );
  assert.deepEqual((await findPart(db, id, 9))?.sha256, draftPart(9).sha256);
  assert.deepEqual(
    (await listParts(db, id, 1, 10)).map((part) => part.idx),
    [9],
  );
});

testDatabases('parts: a recorded part is unchanged and counts once', async (db) => {
  const { id } = await insertRow(db);
  await commitPart(db, id, draftPart(3, 'first'));
  const again = await commitPart(db, id, draftPart(3, 'second'));
  assert.equal(again.kind, 'exists');
  assert.deepEqual(again.kind === 'exists' && again.part.sha256, draftPart(3, 'first').sha256);
  const row = await findUploadRow(db, id);
  assert.deepEqual([row?.received_parts, row?.received_bytes], [1, 100]);
});

// Invariants 2, 4
testDatabases('parts: of concurrent commits of one part exactly one is stored', async (db) => {
  const { id } = await insertRow(db);
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_, at) => commitPart(db, id, draftPart(1, `${at}`))));
  assert.equal(outcomes.filter(({ kind }) => kind === 'stored').length, 1);
  assert.equal(outcomes.filter(({ kind }) => kind === 'exists').length, 7);
  assert.equal((await findUploadRow(db, id))?.received_parts, 1);
});

// Invariant 4
testDatabases('parts: an upload that is not open accepts no part, and no row remains', async (db) => {
  for (const status of UPLOAD_STATES.filter((state) => state !== 'pending' && state !== 'uploading')) {
    const { id } = await insertRow(db, { status });
    const outcome = await commitPart(db, id, draftPart(0));
    assert.equal(outcome.kind, 'closed', status);
    assert.deepEqual(outcome.kind === 'closed' && outcome.row, plain(await findUploadRow(db, id)));
    assert.equal(await findPart(db, id, 0), undefined, status);
  }
  assert.deepEqual(await commitPart(db, 'nobody', draftPart(0)), { kind: 'closed', row: undefined });
  assert.equal(await findPart(db, 'nobody', 0), undefined);
});

/** The expected result, computed index by index. */
function gapsOf(partCount: number, stored: ReadonlySet<number>): [number, number][] {
  const gaps: [number, number][] = [];
  for (let idx = 0; idx < partCount; idx++) {
    const last = gaps.at(-1);
    if (stored.has(idx)) continue;
    if (last && last[1] === idx - 1) last[1] = idx;
    else gaps.push([idx, idx]);
  }
  return gaps;
}

async function store(db: Database, partCount: number, stored: ReadonlySet<number>) {
  const row = draftRow({ part_count: partCount, received_parts: stored.size });
  const sha256 = new Uint8Array(32);
  const parts = [...stored].map((idx) => ({ upload_id: row.id, idx, sha256, stored_at: 0 }));
  while (parts.length > 0) await db.insertInto('parts').values(parts.splice(0, 1000)).execute();
  return row;
}

testDatabases('parts: property: the missing ranges are the gaps between the stored parts', async (db) => {
  const uploads = fc.integer({ min: 0, max: 60 }).chain((partCount) =>
    fc.record({
      partCount: fc.constant(partCount),
      stored: fc.uniqueArray(fc.nat(Math.max(0, partCount - 1)), { maxLength: partCount }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(uploads, async ({ partCount, stored }) => {
      const kept = new Set(stored);
      const row = await store(db, partCount, kept);
      assert.deepEqual(await findMissing(db, row), { ranges: gapsOf(partCount, kept), truncated: false });
    }),
    { numRuns: 60 },
  );
});

testDatabases('parts: at most 1,000 ranges are listed, with a flag for more', async (db) => {
  const odd = (gaps: number) => new Set(Array.from({ length: gaps }, (_, at) => 2 * at + 1));
  // Parts 1, 3, 5 ... are stored: as many gaps as stored parts.
  for (const [gaps, truncated] of [
    [1000, false],
    [1001, true],
    [5000, true],
  ] as const) {
    const row = await store(db, 2 * gaps, odd(gaps));
    const missing = await findMissing(db, row);
    assert.equal(missing.truncated, truncated, `${gaps}`);
    assert.deepEqual(missing.ranges, gapsOf(2 * gaps, odd(gaps)).slice(0, 1000));
  }
});

testDatabases('parts: invalidated parts are subtracted from the counters', async (db) => {
  const { id } = await insertRow(db, { must_recheck: 1 });
  for (const idx of [0, 5, 9]) await commitPart(db, id, draftPart(idx));
  await db.updateTable('uploads').set({ status: 'verifying' }).where('id', '=', id).execute();
  const row = await findUploadRow(db, id);
  assert.ok(row);
  await forgetParts(db, row, [0, 9], { nowMs: 10_000, expiresAtMs: 20_000 });
  const after = await findUploadRow(db, id);
  assert.deepEqual(
    [after?.status, after?.received_parts, after?.received_bytes, after?.must_recheck, after?.expires_at],
    ['uploading', 1, 100, 0, 20_000],
  );
  assert.deepEqual(
    (await listParts(db, id, 0, 10)).map((part) => part.idx),
    [5],
  );
});

testDatabases('parts: without a loss only the mark of the upload is removed', async (db) => {
  const row = await insertRow(db, { status: 'verifying', must_recheck: 1, size: 0, part_count: 0 });
  await forgetParts(db, row, [], { nowMs: 10_000, expiresAtMs: 20_000 });
  assert.deepEqual(plain(await findUploadRow(db, row.id)), { ...row, must_recheck: 0 });
});

testDatabases(
  'parts: a part whose lease is lost is not recorded, and one that is recorded gives it back',
  async (db) => {
    const { id } = await insertRow(db);
    const [lost, held] = [
      { name: 'part', holder: 'a' },
      { name: 'part', holder: 'b' },
    ];
    await takeLease(db, held, 60_000);
    assert.deepEqual(await commitPart(db, id, { ...draftPart(0, 'late'), lease: lost }), { kind: 'lease_lost' });
    assert.equal((await findUploadRow(db, id))?.received_parts, 0);
    assert.equal((await commitPart(db, id, { ...draftPart(0), lease: held })).kind, 'stored');
    assert.deepEqual(await findLeases(db, [held]), []);
    const after = await commitPart(db, id, { ...draftPart(0, 'late'), lease: lost });
    assert.equal(after.kind, 'exists');
  },
);

testDatabases('parts: a refused part keeps its lease', async (db) => {
  const { id } = await insertRow(db, { status: 'cancelled' });
  const held = { name: 'part', holder: 'a' };
  await takeLease(db, held, 60_000);
  const refused = await commitPart(db, id, { ...draftPart(0), lease: held });
  assert.deepEqual(refused.kind === 'closed' && refused.row?.status, 'cancelled');
  assert.equal((await findLeases(db, [held])).length, 1);
});

testDatabases('parts: what was written to an earlier place of the upload is not recorded', async (db) => {
  const { id } = await insertRow(db, { storage_ref: 'second' });
  for (const storageRef of ['first', null]) {
    assert.deepEqual(await commitPart(db, id, { ...draftPart(0), storageRef }), { kind: 'moved' });
  }
  assert.equal((await commitPart(db, id, { ...draftPart(0), storageRef: 'second' })).kind, 'stored');
});
