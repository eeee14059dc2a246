import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { listDeliveries } from '../../db/deliveries.ts';
import { insertEvent } from '../../db/events.ts';
import { makeDatabase } from '../../db/test-rows.ts';
import { Bus } from '../bus.ts';
import { Webhook } from './webhook.ts';

const DAY_MS = 86_400_000;

/** A webhook with a test clock, and a receiver whose answers come from `stand.answer`. */
async function setUp(t: TestContext) {
  const db = await makeDatabase(t);
  const stand = {
    db,
    nowMs: 1_000,
    isClockSettled: true,
    received: [] as string[],
    errors: [] as string[],
    answer: async (_id: string): Promise<number> => 204,
    /** Emits an event. */
    async happen(id: string, data: object): Promise<void> {
      await insertEvent(db, { id, type: 't', subject: 's', owner: 'ada', time: 1, data: JSON.stringify(data) });
      bus.notifyChange({ owner: 'ada', uploadId: null });
    },
    wake: () => webhook.wake(),
  };
  const server = createServer(async (request, response) => {
    const id = String(request.headers['webhook-id']);
    stand.received.push(id);
    request.resume();
    response.writeHead(await stand.answer(id)).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const bus = new Bus();
  const log = { warn() {}, error: (_fields: object, message: string) => void stand.errors.push(message) };
  const context = { db, bus, log, now: () => stand.nowMs, isClockSettled: () => stand.isClockSettled };
  const webhook = new Webhook(context, `http://127.0.0.1:${port}/`, Buffer.from('key'), '/');
  t.after(async () => {
    await webhook.stop();
    server.closeAllConnections();
    server.close();
  });
  await webhook.start();
  return stand;
}

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function rows(db: Database) {
  return await listDeliveries(db, { after: 0, limit: 100 });
}

test('webhook: a jump of the clock makes no event dead', async (t) => {
  const stand = await setUp(t);
  stand.answer = async () => 500;
  await stand.happen('first', { upload_id: 'a' });
  await until(async () => (await rows(stand.db))[0]?.attempts === 1);
  stand.isClockSettled = false;
  stand.nowMs += 30 * DAY_MS;
  stand.wake();
  await until(async () => (await rows(stand.db))[0]?.attempts === 2);
  assert.equal((await rows(stand.db))[0]?.status, 'waiting');
});

test('webhook: dead events are deleted after 30 days, but not by a jump of the clock', async (t) => {
  const stand = await setUp(t);
  stand.answer = async (id) => (id === 'first' ? 410 : 204);
  await stand.happen('first', { upload_id: 'a' });
  await until(async () => (await rows(stand.db))[0]?.status === 'dead');
  stand.nowMs += 31 * DAY_MS;
  for (const isClockSettled of [false, true]) {
    stand.isClockSettled = isClockSettled;
    const id = `while settled is ${isClockSettled}`;
    await stand.happen(id, { upload_id: 'b' });
    await until(async () => stand.received.includes(id) && (await rows(stand.db)).length === (isClockSettled ? 0 : 1));
  }
});

test('webhook: delays grow to an hour; after three days an event is dead, and the next of its upload is sent', async (t) => {
  const stand = await setUp(t);
  stand.answer = async (id) => (id === 'first' ? 500 : 204);
  await stand.happen('first', { upload_id: 'a' });
  await stand.happen('second', { upload_id: 'a' });
  const end = stand.nowMs + 3 * DAY_MS;
  const waits: number[] = [];
  for (let attempts = 1; ; attempts++) {
    await until(async () => (await rows(stand.db))[0]?.attempts === attempts);
    const [first] = await rows(stand.db);
    if (first?.status === 'dead') break;
    waits.push((first?.next_at ?? 0) - stand.nowMs);
    assert.ok(!stand.received.includes('second'), 'not before the first is dead');
    assert.ok(stand.nowMs <= end);
    stand.nowMs = first?.next_at ?? 0;
    stand.wake();
  }
  assert.ok(stand.nowMs > end, 'not given up before');
  for (const [idx, wanted] of [500, 1_000, 2_000, 5_000].entries()) {
    assert.ok(Math.abs((waits[idx] ?? 0) / wanted - 1) <= 0.21, `wait ${idx} was ${waits[idx]} ms`);
  }
  const longest = Math.max(...waits);
  assert.ok(longest > 0.8 * 3_600_000 && longest <= 1.2 * 3_600_000, `${longest} ms`);
  assert.equal(new Set(waits.slice(-20)).size, 20, 'with some chance in them');
  await until(() => stand.received.includes('second'));
});

test('webhook: at most one event per upload and four in total are sent at a time', async (t) => {
  const stand = await setUp(t);
  const underWay: string[] = [];
  const most = { all: 0, ofUpload: 0 };
  const { promise: four, resolve } = Promise.withResolvers<void>();
  stand.answer = async (id) => {
    underWay.push(id);
    most.all = Math.max(most.all, underWay.length);
    most.ofUpload = Math.max(most.ofUpload, underWay.filter((each) => each[0] === id[0]).length);
    if (underWay.length >= 4) resolve();
    await four;
    // Time for an event above the limit.
    await new Promise((done) => setTimeout(done, 20));
    underWay.splice(underWay.indexOf(id), 1);
    return 204;
  };
  for (const idx of [1, 2])
    for (const upload of 'abcdefgh') await stand.happen(`${upload}${idx}`, { upload_id: upload });
  await until(async () => (await rows(stand.db)).length === 0);
  assert.deepEqual(most, { all: 4, ofUpload: 1 });
  assert.equal(stand.received.length, 16);
});

test('webhook: an event without an upload blocks no other', async (t) => {
  const stand = await setUp(t);
  stand.answer = async (id) => (id === 'lone' ? 500 : 204);
  await stand.happen('lone', {});
  await stand.happen('other', {});
  await until(() => stand.received.includes('other'));
  assert.deepEqual(stand.errors, []);
});

test('webhook: an accepted event that cannot be recorded is repeated after a delay, and others continue', async (t) => {
  const stand = await setUp(t);
  await sql`create trigger full before delete on deliveries when old.upload_id = 'a'
    begin select raise(abort, 'database or disk is full'); end`.execute(stand.db);
  await stand.happen('stuck', { upload_id: 'a' });
  await until(() => stand.errors.length > 0);
  for (let idx = 0; idx < 20; idx++) {
    await stand.happen(`other ${idx}`, { upload_id: 'b' });
    await until(async () => (await rows(stand.db)).length === 1);
  }
  assert.equal(stand.received.filter((id) => id === 'stuck').length, 1);
});
