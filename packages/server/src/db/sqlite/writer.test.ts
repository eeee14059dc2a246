/** What the two connections promise together, through the database that the rest of the server sees. */
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
import { commitPart, findPart, listParts } from '../parts.ts';
import { draftPart, draftRow, insertRow, makeDatabase, makeFolder } from '../test-rows.ts';
import { findUploadRow } from '../uploads.ts';
import type { WriterRequest } from './writer-worker.ts';

/** A database, and another connection to it that can keep it from committing. */
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

test('while a commit waits, the loop turns and reads are answered', async (t) => {
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

test('what waits is committed together, and what fails or is refused takes nothing along', async (t) => {
  const { db, hold, letGo } = await makeHeld(t);
  const open = await insertRow(db);
  const ended = await insertRow(db, { status: 'cancelled' });
  const sent = t.mock.method(Worker.prototype, 'postMessage');
  hold();
  const asked = [
    commitPart(db, open.id, draftPart(0)),
    nextTurn().then(() => commitPart(db, open.id, draftPart(1))),
    nextTurn().then(() => insertRow(db, { id: open.id })),
    // Its second step fails, when its first has written.
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

test('writers come in the order in which they asked, transactions among them', async (t) => {
  const db = await makeDatabase(t);
  const { id } = await insertRow(db);
  const done: string[] = [];
  const note = (what: string) => () => done.push(what);
  const look = () =>
    db.transaction().execute(async (tx) => {
      await nextTurn();
      const parts = await listParts(tx, id, 0, 10);
      return parts.map(({ idx }) => idx);
    });
  const asked = [
    commitPart(db, id, draftPart(0)).finally(note('part 0')),
    commitPart(db, id, draftPart(1)).finally(note('part 1')),
    look().finally(note('first look')),
    commitPart(db, id, draftPart(2)).finally(note('part 2')),
    look().finally(note('second look')),
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
  assert.deepEqual(done, ['part 0', 'part 1', 'first look', 'part 2', 'second look', 'part 3']);
});

test('a transaction that fails is undone, seen by nobody, and the next one has its turn', async (t) => {
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

test('what was committed is read at once', async (t) => {
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

test('a digest that lies in a larger buffer goes alone and comes back whole', async (t) => {
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

test('closing waits for what was asked for', async (t) => {
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

test('a full disk is database_unavailable, what was answered is what is there, and space helps', async (t) => {
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

test('a unit inside of a transaction is refused, instead of waiting for it for ever', async (t) => {
  const db = await makeDatabase(t);
  const nested = db.transaction().execute((tx) => commitPart(tx, 'nobody', draftPart(0)));
  await assert.rejects(nested, /a transaction by itself/);
});
