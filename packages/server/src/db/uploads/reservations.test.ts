import assert from 'node:assert/strict';
import type { Database } from '../database.ts';
import { testDatabases } from '../test-databases.ts';
import { insertRow } from '../test-rows.ts';
import { sumReserved } from './reservations.ts';

const NOW = 10_000_000;
const MINUTE = 60_000;
const FREE = 10_000;

const ada: { owner: string; linkId: string | null } = { owner: 'ada', linkId: null };
const reservedFor = (db: Database, asker = ada, freeBytes = FREE) => sumReserved(db, asker, freeBytes, NOW);

testDatabases('reservations: its own open bytes count in full for an account', async (db) => {
  await insertRow(db, { size: 9_000, updated_at: NOW });
  await insertRow(db, { size: 5_000, received_bytes: 2_000, status: 'uploading', updated_at: NOW });
  for (const status of ['verifying', 'completed', 'failed', 'cancelled', 'expired'] as const) {
    await insertRow(db, { size: 1_000, status, updated_at: NOW });
  }
  assert.equal(await reservedFor(db), 12_000);
});

testDatabases('reservations: each other owner reserves at most an equal share of the free space', async (db) => {
  for (let at = 0; at < 20; at++) await insertRow(db, { owner: 'eve', size: 1_000_000, updated_at: NOW });
  assert.equal(await reservedFor(db), FREE / 2);
  await insertRow(db, { owner: 'bob', size: 100, updated_at: NOW });
  assert.equal(await reservedFor(db), FREE / 3 + 100);
  assert.equal(await reservedFor(db, ada, -5), 0);
});

testDatabases('reservations: links and their owner do not use the share of the other', async (db) => {
  await insertRow(db, { link_id: 'l', size: 1_000_000, updated_at: NOW });
  await insertRow(db, { link_id: 'm', size: 1_000_000, updated_at: NOW });
  assert.equal(await reservedFor(db), FREE / 2);
  assert.equal(await reservedFor(db, { owner: 'ada', linkId: 'new' }), FREE / 2);
  // For other owners, all of these are one owner.
  assert.equal(await reservedFor(db, { owner: 'bob', linkId: null }), FREE / 2);
});

testDatabases('reservations: grow with sent bytes, and decrease without new parts', async (db) => {
  const table: [minutes: number, received: number, reserved: number][] = [
    [0, 0, 4_000],
    [9, 0, 4_000],
    [10, 0, 0],
    [10, 500, 500],
    [10, 3_000, 1_000],
    [59, 500, 500],
    [60, 500, 0],
    [60, 3_000, 0],
  ];
  for (const [minutes, received_bytes, reserved] of table) {
    const updated_at = NOW - minutes * MINUTE;
    const { id } = await insertRow(db, { owner: 'bob', size: 4_000, received_bytes, updated_at });
    assert.equal(await reservedFor(db), reserved, `${received_bytes} bytes, ${minutes} min ago`);
    await db.deleteFrom('uploads').where('id', '=', id).execute();
  }
});
