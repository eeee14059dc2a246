/** Signed parts on each database. */
import assert from 'node:assert/strict';
import { testDatabases } from '../test-databases.ts';
import { draftPart, insertRow } from '../test-rows.ts';
import { commitPart } from './parts.ts';
import { findSigned, forgetSigned, listSigned, noteProxied, noteSigned } from './signed-parts.ts';
import { findUploadRow } from './uploads.ts';

const toSign = (idx: number, content?: string) => ({ idx, sha256: draftPart(idx, content).sha256 });
const sorted = (parts: Set<number>) => [...parts].sort();

// Invariant 2
testDatabases('signed parts: a part keeps its first digest, also when two sign it at once', async (db) => {
  const { id } = await insertRow(db);
  assert.deepEqual(sorted(await noteSigned(db, id, [toSign(1), toSign(2)], 5000)), [1, 2]);
  assert.deepEqual(sorted(await noteSigned(db, id, [toSign(1), toSign(2, 'other'), toSign(3)], 6000)), [1, 3]);
  assert.deepEqual((await findSigned(db, id, 2))?.sha256, draftPart(2).sha256);
  const both = await Promise.all(['one', 'two'].map((content) => noteSigned(db, id, [toSign(4, content)], 5000)));
  assert.equal(
    both.reduce((sum, { size }) => sum + size, 0),
    1,
  );
  assert.deepEqual(await noteSigned(db, id, [], 5000), new Set());
});

testDatabases('signed parts: the time is that of the URL that expires last', async (db) => {
  const { id } = await insertRow(db);
  for (const [expiresAtMs, latest] of [
    [5000, 5000],
    [9000, 9000],
    [6000, 9000],
  ] as const) {
    await noteSigned(db, id, [toSign(0)], expiresAtMs);
    assert.equal((await findSigned(db, id, 0))?.expires_at, latest);
  }
});

testDatabases('signed parts: are listed with the recorded part, and forgotten with the upload', async (db) => {
  const { id } = await insertRow(db);
  const other = await insertRow(db);
  await noteSigned(db, other.id, [toSign(1)], 5000);
  await noteSigned(db, id, [toSign(3), toSign(0), toSign(9)], 5000);
  await commitPart(db, id, draftPart(3, 'recorded'));
  const listed = await listSigned(db, id, 0, 8);
  assert.deepEqual(
    listed.map(({ idx, sha256, recorded }) => ({ idx, sha256, recorded })),
    [
      { ...toSign(0), recorded: null },
      { ...toSign(3), recorded: draftPart(3, 'recorded').sha256 },
    ],
  );
  await forgetSigned(db, id);
  assert.deepEqual(await listSigned(db, id, 0, 9), []);
  assert.equal((await listSigned(db, other.id, 0, 9)).length, 1);
});

testDatabases('signed parts: an upload remembers that a part came through a server', async (db) => {
  const { id } = await insertRow(db);
  for (let again = 0; again < 2; again++) {
    await noteProxied(db, id);
    assert.equal((await findUploadRow(db, id))?.proxied, 1);
  }
});
