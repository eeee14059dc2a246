import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { draftPart } from '../../db/test-rows.ts';
import { commitPart } from '../../db/uploads/parts.ts';
import type { StagedUpload } from '../../storage/places.ts';
import type { PrefixReader, Storage } from '../../storage/storage.ts';
import { bytesOf, insertUpload, makeUploads, sendPart } from '../test-uploads.ts';
import { toPlace, toStaged } from '../upload-record.ts';
import { ContiguousPrefixes } from './contiguous-prefix.ts';

/** Prefixes, and the calls of the storage. */
async function makePrefixes(t: TestContext) {
  const context = await makeUploads(t);
  const noted: number[] = [];
  const prefixes: PrefixReader = Object.create(context.storage.prefixes, {
    follow: { value: (_upload: StagedUpload, prefixBytes: number) => noted.push(prefixBytes) },
    catchUp: { value: async () => {} },
  });
  const listening: Storage = Object.create(context.storage, { prefixes: { value: prefixes } });
  return {
    context,
    noted,
    prefixes: new ContiguousPrefixes(context.db, listening, context.analyzer, context.verified),
  };
}

test('prefix: reports the contiguous prefix', async (t) => {
  const { context, noted, prefixes } = await makePrefixes(t);
  const row = await insertUpload(context);
  for (const idx of [1, 3, 0, 2, 4, 9, 8, 7, 6, 5]) await prefixes.note(row, idx);
  // 0 and 1; then up to 3; then 4; then all, to the exact last byte.
  assert.deepEqual(noted, [200, 400, 500, 950]);
});

test('prefix: property: for any order, it only grows and ends with the whole file', async (t) => {
  const { context, noted, prefixes } = await makePrefixes(t);
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 10 });
  await fc.assert(
    fc.asyncProperty(order, async (indexes) => {
      noted.length = 0;
      const row = await insertUpload(context);
      await Promise.all(indexes.map((idx) => prefixes.note(row, idx)));
      assert.equal(noted.at(-1), 950);
      assert.deepEqual(
        noted,
        [...noted].sort((a, b) => a - b),
      );
    }),
    { numRuns: 10 },
  );
});

test('prefix: after a restart it reads the recorded parts', async (t) => {
  const { context, noted, prefixes } = await makePrefixes(t);
  const row = await insertUpload(context);
  for (const idx of [0, 1, 3]) await commitPart(context.db, row.id, draftPart(idx));
  await prefixes.note(row, 3);
  assert.deepEqual(noted, [200]);
  await prefixes.note(row, 2);
  assert.deepEqual(noted, [200, 400]);
});

test('prefix: a forgotten prefix is read again from the rows', async (t) => {
  const { context, noted, prefixes } = await makePrefixes(t);
  const row = await insertUpload(context);
  for (const idx of [0, 1]) await prefixes.note(row, idx);
  prefixes.forget(row.id);
  await commitPart(context.db, row.id, draftPart(0));
  await prefixes.note(row, 0);
  assert.deepEqual(noted, [100, 200, 100]);
});

test('prefix: the whole-file digest follows the arriving parts', async (t) => {
  const context = await makeUploads(t);
  const row = await insertUpload(context);
  for (const idx of [3, 0, 1, 2, 9, 8, 7, 6, 5, 4]) await sendPart(context, row, idx);
  const hash = createHash('sha256');
  for (let idx = 0; idx < row.part_count; idx++) hash.update(bytesOf(row, idx));
  const { sha256 } = await context.storage.uploads.digest(toStaged(row), toPlace(row, 'f'));
  assert.deepEqual(Buffer.from(sha256), hash.digest());
});

test('prefix: a failed read does not fail later parts', async (t) => {
  const { context, noted, prefixes } = await makePrefixes(t);
  const row = await insertUpload(context);
  for (const idx of [0, 1]) await commitPart(context.db, row.id, draftPart(idx));
  // The table is missing for some time, like an unreadable database.
  await sql`ALTER TABLE parts RENAME TO away`.execute(context.db);
  await assert.rejects(prefixes.note(row, 1));
  await sql`ALTER TABLE away RENAME TO parts`.execute(context.db);
  await prefixes.note(row, 1);
  assert.deepEqual(noted, [200]);
});
