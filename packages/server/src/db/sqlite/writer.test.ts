/** The guarantees of the two connections, tested through the database interface. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { UploadError } from '@cryolift/protocol/errors';
import { sql } from 'kysely';
import { openSqliteFile } from '../open.ts';
import { draftPart, draftRow, insertRow, makeDatabase, makeFolder } from '../test-rows.ts';
import { commitPart, findPart, listParts } from '../uploads/parts.ts';
import { findUploadRow } from '../uploads/uploads.ts';
import type { WriterRequest } from './writer-worker.ts';

/** A database, and another connection that can block its commits. */
async function makeHeld(t: TestContext) {
  const path = join(await makeFolder(t), 'held.sqlite');
  const db = await openSqliteFile(path);
  const other = new DatabaseSync(path);
  t.after(async () => {
    other.close();
    await db.destroy();
  });
  return { db, hold: () => other.exec('BEGIN IMMEDIATE'), letGo: () => other.exec('COMMIT') };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof UploadError && error.code === 'database_unavailable' && error.cause !== undefined;
}

test('writer: reads are answered while a commit waits', async (t) => {
  const { db, hold, letGo } = await makeHeld(t);
  const { id } = await insertRow(db);
  hold();
  let committed = false;
  const commit = commitPart(db, id, draftPart(0)).finally(() => {
    committed = true;
  });
  for (let turn = 0; turn < 50; turn++) {
    await nextTurn();
    assert.equal((await findUploadRow(db, id))?.received_parts, 0);
  }
  assert.equal(committed, false);
  letGo();
  assert.equal((await commit).kind, 'stored');
  assert.equal((await findUploadRow(db, id))?.received_parts, 1);
});

test('writer: waiting units are committed together, and a failed unit does not affect others', async (t) => {
  const { db, hold, letGo } = await makeHeld(t);
  const open = await insertRow(db);
  const ended = await insertRow(db, { status: 'cancelled' });
  const sent = t.mock.method(Worker.prototype, 'postMessage');
  hold();
  const asked = [
    commitPart(db, open.id, draftPart(0)),
    nextTurn().then(() => commitPart(db, open.id, draftPart(1))),
    nextTurn().then(() => insertRow(db, { id: open.id })),
    // Its second step fails after its first has written.
    nextTurn().then(() => commitPart(db, open.id, { ...draftPart(3), expiresAtMs: null as never })),
    nextTurn().then(() => commitPart(db, ended.id, draftPart(0))),
    nextTurn().then(() => commitPart(db, open.id, draftPart(0, 'again'))),
    nextTurn().then(() => commitPart(db, open.id, draftPart(2))),
  ];
  const settled = Promise.allSettled(asked);
  await nextTurn();
  await nextTurn();
  letGo();
  const outcomes = (await settled).map((each) =>
    each.status === 'rejected' ? (each.reason as Error).message : 'kind' in each.value && each.value.kind,
  );
  assert.deepEqual(outcomes, [
    'stored',
    'stored',
    'UNIQUE constraint failed: uploads.id',
    'NOT NULL constraint failed: uploads.expires_at',
    'closed',
    'exists',
    'stored',
  ]);
  assert.equal((await findUploadRow(db, open.id))?.received_parts, 3);
  assert.equal(await findPart(db, ended.id, 0), undefined);
  assert.equal(await findPart(db, open.id, 3), undefined);
  assert.deepEqual((await findPart(db, open.id, 0))?.sha256, draftPart(0).sha256);
  const requests = sent.mock.calls.map((call) => call.arguments[0] as WriterRequest);
  assert.deepEqual(
    requests.map((request) => request.kind === 'group' && request.units.length),
    [1, 6],
  );
});

test('writer: units and transactions run in the order of their requests', async (t) => {
  const db = await makeDatabase(t);
  const { id } = await insertRow(db);
  const done: string[] = [];
  const note = (what: string) => () => done.push(what);
  const read = () =>
    db.transaction().execute(async (tx) => {
      await nextTurn();
      const parts = await listParts(tx, id, 0, 10);
      return parts.map(({ idx }) => idx);
    });
  const asked = [
    commitPart(db, id, draftPart(0)).finally(note('part 0')),
    commitPart(db, id, draftPart(1)).finally(note('part 1')),
    read().finally(note('first read')),
    commitPart(db, id, draftPart(2)).finally(note('part 2')),
    read().finally(note('second read')),
    commitPart(db, id, draftPart(3)).finally(note('part 3')),
  ];
  const outcomes = await Promise.all(asked);
  assert.deepEqual(
    [outcomes[2], outcomes[4]],
    [
      [0, 1],
      [0, 1, 2],
    ],
  );
  assert.deepEqual(done, ['part 0', 'part 1', 'first read', 'part 2', 'second read', 'part 3']);
});

test('writer: a failed transaction is rolled back, never visible, and the next one runs', async (t) => {
  const db = await makeDatabase(t);
  const row = draftRow();
  const failing = db.transaction().execute(async (tx) => {
    await insertRow(tx, row);
    assert.ok(await findUploadRow(tx, row.id));
    assert.equal(await findUploadRow(db, row.id), undefined);
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.equal(await findUploadRow(db, row.id), undefined);
  await insertRow(db, row);
  assert.ok(await findUploadRow(db, row.id));
});

test('writer: committed rows are visible at once', async (t) => {
  const db = await makeDatabase(t);
  const { id } = await insertRow(db, { part_count: 100 });
  const fastPath = async (first: number) => {
    for (let idx = first; idx < 100; idx += 4) {
      await commitPart(db, id, draftPart(idx));
      assert.ok(await findPart(db, id, idx), `part ${idx}`);
    }
  };
  await Promise.all([0, 1, 2, 3].map(fastPath));
});

test('writer: a view of a larger buffer is copied alone', async (t) => {
  const db = await makeDatabase(t);
  const sha256 = randomBytes(5000).subarray(100, 132);
  const sent = t.mock.method(Worker.prototype, 'postMessage');
  const { id } = await insertRow(db, { sha256 });
  assert.deepEqual((await findUploadRow(db, id))?.sha256, new Uint8Array(sha256));
  const request = sent.mock.calls[0]?.arguments[0] as WriterRequest;
  const parameters = request.kind === 'group' ? request.units[0]?.[0]?.parameters : [];
  const bytes = parameters?.find((value) => value instanceof Uint8Array);
  assert.equal(bytes?.buffer.byteLength, 32);
});

test('writer: close waits for earlier requests', async (t) => {
  const path = join(await makeFolder(t), 'a.sqlite');
  const db = await openSqliteFile(path);
  const { id } = await insertRow(db);
  const work = [
    commitPart(db, id, draftPart(0)),
    db.transaction().execute(async (tx) => {
      await nextTurn();
      await tx.updateTable('uploads').set({ filename: 'b.bin' }).where('id', '=', id).execute();
    }),
    commitPart(db, id, draftPart(1)),
  ];
  await db.destroy();
  await Promise.all(work);
  const again = await openSqliteFile(path);
  const row = await findUploadRow(again, id);
  await again.destroy();
  assert.deepEqual([row?.received_parts, row?.filename], [2, 'b.bin']);
});

test('writer: a full disk is database_unavailable, commits persist, and freed space helps', async (t) => {
  const { db, hold, letGo } = await makeHeld(t);
  const { id } = await insertRow(db);
  await sql`PRAGMA max_page_count=40`.execute(db);
  const large = draftRow({ metadata: 'x'.repeat(1_000_000) });
  hold();
  const first = commitPart(db, id, draftPart(0));
  await nextTurn();
  const rejected = assert.rejects(insertRow(db, large), isUnavailable);
  const beside = [1, 2].map((idx) => commitPart(db, id, draftPart(idx)));
  letGo();
  await rejected;
  const outcomes = await Promise.allSettled([first, ...beside]);
  for (const [idx, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') assert.ok(isUnavailable(outcome.reason));
    assert.equal((await findPart(db, id, idx)) !== undefined, outcome.status === 'fulfilled', `part ${idx}`);
  }
  await assert.rejects(
    db.transaction().execute((tx) => insertRow(tx, large)),
    isUnavailable,
  );
  await sql`PRAGMA max_page_count=100000`.execute(db);
  await insertRow(db, large);
  assert.ok(await findUploadRow(db, large.id));
});

test('writer: a unit inside a transaction is refused, because it would deadlock', async (t) => {
  const db = await makeDatabase(t);
  const nested = db.transaction().execute((tx) => commitPart(tx, 'nobody', draftPart(0)));
  await assert.rejects(nested, /a transaction by itself/);
});
