/** The upload room with a real database and a real store, for tests. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { partExtent } from '@cryolift/protocol/plan';
import type { Database } from '../db/database.ts';
import { findSession, moveSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { draftRow, makeDatabase, makeFolder } from '../db/test-rows.ts';
import { Bus } from '../events/bus.ts';
import { UpdateLimit } from '../files/update-limit.ts';
import { Digester } from '../storage/disk/digester.ts';
import { DiskStore } from '../storage/disk/disk-storage.ts';
import { Writers } from '../storage/disk/writers.ts';
import { Finishing } from './completion.ts';
import type { UploadRoom } from './context.ts';
import { Arrivals } from './contiguous-prefix.ts';
import { Doubts } from './doubtful-uploads.ts';
import { Attempts } from './part-attempts.ts';
import { beginPart } from './part-receiver.ts';
import { Rechecks } from './reverification.ts';
import { toPlace, toStaged } from './upload-record.ts';
import { VerifiedParts } from './verified-parts.ts';

export interface TestRoom extends UploadRoom {
  /** Its data folder. */
  folder: string;
  /** Where the staged bytes of an upload lie. */
  stagedPath(id: string): string;
  /** Milliseconds; tests move it. */
  clock: { nowMs: number; isSettled: boolean };
}

/** @param folder for the storage; a new one by default. */
export async function makeRoom(context: TestContext, folder?: string): Promise<TestRoom> {
  return await openRoom(context, await makeDatabase(context), folder ?? (await makeFolder(context)), 'id');
}

/** What the next process finds: the same database and storage, and nothing in memory. */
export async function restartRoom(context: TestContext, room: TestRoom): Promise<TestRoom> {
  await room.store.close();
  return await openRoom(context, room.db, room.folder, `${room.newId()}-id`);
}

async function openRoom(context: TestContext, db: Database, folder: string, prefix: string): Promise<TestRoom> {
  const onLost = (uploadId: string) => room.doubts.note(room, uploadId);
  const store = await DiskStore.open(folder, new Writers(2, 4), new Digester(), onLost);
  context.after(() => {
    room.doubts.stop(room);
    return store.close();
  });
  const clock = { nowMs: 2000, isSettled: true };
  let lastId = 0;
  const verified = new VerifiedParts();
  const room: TestRoom = {
    db,
    store,
    folder,
    policy: {
      parts: { partSizeBytes: 100, minPartSizeBytes: 1, maxPartSizeBytes: 1000 },
      maxFileSizeBytes: 1_000_000,
      sessionTtlMs: 1000,
      quotaBytes: null,
      maxLinkMs: 30 * 86_400_000,
      maxOpenUploads: 100,
      maxFiles: 1000,
      acceptedTypes: ['bin'],
    },
    bus: new Bus(),
    attempts: new Attempts(),
    arrivals: new Arrivals(db, store, verified),
    verified,
    doubts: new Doubts(),
    finishing: new Finishing(),
    rechecks: new Rechecks(),
    updateLimit: new UpdateLimit(),
    nextSteps: { kindsFor: () => [], wake() {} },
    log: { info() {}, warn() {}, error() {} },
    meter: { noteReceived() {}, noteStage() {}, noteVerifyFailures() {}, noteJob() {} },
    now: () => clock.nowMs,
    isClockSettled: () => clock.isSettled,
    newId: () => `${prefix}-${++lastId}`,
    stagedPath: (id) => join(folder, 'staging', id),
    clock,
  };
  return room;
}

/** An open session with its staging file. */
export async function openSession(room: TestRoom, changes: Partial<UploadRow> = {}): Promise<UploadRow> {
  const row = draftRow(changes);
  await room.db.insertInto('uploads').values(row).execute();
  await room.store.create(toStaged(row));
  return row;
}

/** What part `idx` of a session has, in tests. */
export function bytesOf(row: UploadRow, idx: number): Buffer {
  return Buffer.alloc(partExtent(row.size, row.part_size, idx).length, idx + 1);
}

export async function beginTestPart(room: UploadRoom, row: UploadRow, idx: number, sha256: Uint8Array | null = null) {
  const lengthBytes = bytesOf(row, idx).length;
  const part = { uploadId: row.id, idx, lengthBytes, offsetBytes: null, sha256, requestId: 'r' };
  return await beginPart(room, { owner: row.owner }, part);
}

export async function sendPart(room: UploadRoom, row: UploadRow, idx: number) {
  const begun = await beginTestPart(room, row, idx);
  if (begun.kind === 'answered') return begun.receipt;
  await begun.reception.write(bytesOf(row, idx));
  return await begun.reception.commit();
}

export async function readRow(room: UploadRoom, id: string): Promise<UploadRow> {
  return (await findSession(room.db, id)) as UploadRow;
}

/** A server that died in the middle of `complete`: the upload is being verified, and its bytes are moved, as file `f1`. */
export async function cutOffPublish(room: UploadRoom, row: UploadRow): Promise<void> {
  const verifying = await moveSession(room.db, row.id, 'complete', 2000, { file_id: 'f1' });
  assert.ok(verifying);
  await room.store.publish(toStaged(verifying), toPlace(verifying, 'f1'));
}

export async function loseStaged(room: TestRoom, id: string): Promise<void> {
  await rm(room.stagedPath(id));
}
