import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { openPostgresDatabase } from '../db/open.ts';
import { listenForNotices } from '../db/postgres/notifications.ts';
import { makePostgresUrl, testPostgres } from '../db/test-databases.ts';
import { draftPart, insertRow } from '../db/test-rows.ts';
import { commitPart } from '../db/uploads/parts.ts';
import { Bus } from './bus.ts';
import { Outbox } from './outbox.ts';
import { RemoteChanges } from './remote-changes.ts';

let ids = 0;

async function openServer(t: TestContext, url: string): Promise<{ db: Database; bus: Bus; outbox: Outbox }> {
  const db = await openPostgresDatabase(url, () => {});
  t.after(() => db.destroy());
  const bus = new Bus();
  return { db, bus, outbox: new Outbox(db, bus, () => `id-${++ids}`) };
}

async function emit(outbox: Outbox, owner: string, uploadId: string): Promise<void> {
  await outbox.transact(async (_tx, write) => {
    const data = { upload_id: uploadId };
    await write({ type: 't', subject: `uploads/${uploadId}`, owner, uploadId, time: 1, data });
  });
}

testPostgres('remote changes: listeners are notified of events and parts of another server', async (t) => {
  const url = await makePostgresUrl(t);
  const [one, two] = [await openServer(t, url), await openServer(t, url)];
  const row = await insertRow(one.db);
  await emit(one.outbox, 'ada', 'before');
  const heard: string[] = [];
  const listener = (name: string) => ({
    notifyChange: () => void heard.push(`${name} event`),
    noteParts: (uploadId: string) => void heard.push(`${name} part of ${uploadId === row.id}`),
  });
  t.after(two.bus.listen({ owner: 'ada' }, listener('ada')));
  t.after(two.bus.listen({ uploadId: row.id }, listener('upload')));
  t.after(two.bus.listen({ owner: 'bob' }, listener('bob')));
  const log = { warn: (fields: Record<string, unknown>) => assert.fail(String(fields.err)) };
  const changes = new RemoteChanges({ ...two, log });
  t.after(() => changes.stop());
  // By polling alone.
  changes.wake();
  await sleep(500);
  assert.deepEqual(heard, []);
  await emit(one.outbox, 'ada', row.id);
  await commitPart(one.db, row.id, draftPart(0));
  while (new Set(heard).size < 4) await sleep(20);
  assert.deepEqual([...new Set(heard)].sort(), [
    'ada event',
    'ada part of true',
    'upload event',
    'upload part of true',
  ]);
});

testPostgres('notifications: the database says at once that another server has emitted', async (t) => {
  const url = await makePostgresUrl(t);
  const { db, outbox } = await openServer(t, url);
  const woken = { times: 0 };
  const notifications = listenForNotices(url, { events: () => void woken.times++, leases() {} });
  t.after(() => notifications.stop());
  const until = async (times: number) => {
    while (woken.times < times) await sleep(10);
  };
  // Once connected.
  await until(1);
  await emit(outbox, 'ada', 'a');
  await until(2);
  // A transaction without events notifies nobody.
  await outbox.transact(async (tx) => void (await insertRow(tx)));
  await emit(outbox, 'ada', 'b');
  await until(3);
  await sleep(100);
  assert.equal(woken.times, 3);
  assert.ok(db);
});
