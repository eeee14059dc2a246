import assert from 'node:assert/strict';
import { type Database, transact } from './database.ts';
import { findNewestSeq, forgetEvents, insertEvent, listEvents } from './events.ts';
import { testDatabases } from './test-databases.ts';

async function insert(db: Database, subject: string, time = 1, owner = 'ada'): Promise<void> {
  await insertEvent(db, { id: `${subject}@${time}`, type: 't', subject, owner, time, data: '{}' });
}

testDatabases('events: are listed in order after a number, of a subject or an owner', async (db) => {
  assert.equal(await findNewestSeq(db), 0);
  for (const [subject, owner] of [
    ['uploads/a', 'ada'],
    ['uploads/b', 'ada'],
    ['uploads/c', 'bob'],
    ['uploads/a', 'ada'],
  ] as const) {
    await insert(db, subject, 1, owner);
  }
  const list = async (...asked: Parameters<typeof listEvents> extends [Database, ...infer Rest] ? Rest : never) =>
    (await listEvents(db, ...asked)).map(({ seq }) => seq);
  assert.deepEqual(await list({ owner: 'ada' }, 0, 10), [1, 2, 4]);
  assert.deepEqual(await list({ owner: 'ada' }, 1, 1), [2]);
  assert.deepEqual(await list({ subject: 'uploads/a' }, 0, 10), [1, 4]);
  assert.equal(await findNewestSeq(db), 4);
});

testDatabases('events: an event is committed or rolled back with its transaction', async (db) => {
  const failing = transact(db, async (tx) => {
    await insert(tx, 'uploads/a');
    throw new Error('undone');
  });
  await assert.rejects(failing, /undone/);
  assert.equal(await findNewestSeq(db), 0);
});

testDatabases('events: old ones are deleted in batches, oldest first; numbers are not reused', async (db) => {
  for (const time of [10, 20, 30, 25, 40]) await insert(db, 'uploads/a', time);
  assert.equal(await forgetEvents(db, 5, 10), 0);
  assert.equal(await forgetEvents(db, 30, 1), 1);
  assert.equal(await forgetEvents(db, 30, 10), 1);
  assert.deepEqual(
    (await listEvents(db, { owner: 'ada' }, 0, 10)).map(({ seq }) => seq),
    [3, 4, 5],
  );
  assert.equal(await forgetEvents(db, 100, 10), 3);
  await insert(db, 'uploads/a');
  assert.equal(await findNewestSeq(db), 6);
});
