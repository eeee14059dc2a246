/** An upload context with a real database and a real storage, for tests. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { partExtent } from '@cryolift/protocol/plan';
import { MrcAnalyzer } from '../analysis/mrc-analyzer.ts';
import type { Database } from '../db/database.ts';
import type { UploadRow } from '../db/tables.ts';
import { draftRow, makeDatabase, makeFolder } from '../db/test-rows.ts';
import { findUploadRow, moveUploadRow } from '../db/uploads/uploads.ts';
import { Bus } from '../events/bus.ts';
import { Outbox } from '../events/outbox.ts';
import { UpdateLimit } from '../files/update-limit.ts';
import { SingleFlight } from '../single-flight.ts';
import { DiskStorage } from '../storage/disk/disk-storage.ts';
import { Digester } from '../storage/disk/threads/digester.ts';
import { Writers } from '../storage/disk/threads/writers.ts';
import { Concatenations } from './append/concatenations.ts';
import type { UploadContext } from './context.ts';
import { ContiguousPrefixes } from './parts/contiguous-prefix.ts';
import { PartAttempts } from './parts/part-attempts.ts';
import { beginPart } from './parts/part-start.ts';
import { toPlace, toStaged } from './upload-record.ts';
import { DoubtfulUploads } from './verification/doubtful-uploads.ts';
import { invalidateAll } from './verification/invalidation.ts';
import { VerifiedParts } from './verification/verified-parts.ts';

export interface TestUploads extends UploadContext {
  /** Its data folder. */
  folder: string;
  /** Where the staged bytes of an upload lie. */
  stagedPath(id: string): string;
  /** Milliseconds; tests move it. */
  clock: { nowMs: number; isSettled: boolean };
}

/** @param folder for the storage; a new one by default. */
export async function makeUploads(t: TestContext, folder?: string): Promise<TestUploads> {
  return await openContext(t, await makeDatabase(t), folder ?? (await makeFolder(t)), 'id');
}

/** The state after a restart: the same database and storage, and empty memory. */
export async function restartUploads(t: TestContext, context: TestUploads): Promise<TestUploads> {
  await Promise.all([context.analyzer.close(), context.storage.close()]);
  return await openContext(t, context.db, context.folder, `${context.newId()}-id`);
}

async function openContext(t: TestContext, db: Database, folder: string, prefix: string): Promise<TestUploads> {
  const clock = { nowMs: 2000, isSettled: true };
  let lastId = 0;
  const newId = () => `${prefix}-${++lastId}`;
  const log = { info() {}, warn() {}, error() {} };
  const bus = new Bus();
  const attempts = new PartAttempts();
  const doubtful = new DoubtfulUploads(log);
  const storage = await DiskStorage.open(folder, new Writers(2, 4), new Digester(), (uploadId) =>
    doubtful.note(uploadId),
  );
  const analyzer = new MrcAnalyzer(storage.prefixes.digesting);
  t.after(async () => {
    doubtful.stop();
    await Promise.all([analyzer.close(), storage.close()]);
  });
  const verified = new VerifiedParts(storage);
  const context: TestUploads = {
    db,
    storage,
    analyzer,
    folder,
    policy: {
      parts: { partSizeBytes: 100, minPartSizeBytes: 1, maxPartSizeBytes: 1000 },
      maxFileSizeBytes: 1_000_000,
      uploadTtlMs: 1000,
      compressAfterMs: null,
      quotaBytes: null,
      maxLinkMs: 30 * 86_400_000,
      maxOpenUploads: 100,
      maxFiles: 1000,
      acceptedTypes: ['bin'],
    },
    bus,
    outbox: new Outbox(db, bus, newId),
    attempts,
    prefixes: new ContiguousPrefixes(db, storage, analyzer, verified),
    verified,
    doubtful,
    completions: new SingleFlight(),
    concatenations: new Concatenations(),
    failedRounds: new Map(),
    reverifications: new SingleFlight(),
    updateLimit: new UpdateLimit(),
    fileJobs: { kindsFor: () => [], runsOnDatasetComplete: false, wake() {} },
    log,
    meter: { noteReceived() {}, notePart() {}, noteStage() {}, noteVerifyFailures() {}, noteJob() {} },
    now: () => clock.nowMs,
    isClockSettled: () => clock.isSettled,
    newId,
    stagedPath: (id) => join(folder, 'staging', id),
    clock,
  };
  doubtful.start({ attempts, invalidate: (uploadId) => invalidateAll(context, uploadId) });
  return context;
}

/** An open upload with its staging file. */
export async function insertUpload(context: TestUploads, changes: Partial<UploadRow> = {}): Promise<UploadRow> {
  const row = draftRow(changes);
  await context.db.insertInto('uploads').values(row).execute();
  await context.storage.uploads.create(toStaged(row));
  return row;
}

/** The bytes of part `idx` of a test upload. */
export function bytesOf(row: UploadRow, idx: number): Buffer {
  return Buffer.alloc(partExtent(row.size, row.part_size, idx).length, idx + 1);
}

export async function beginTestPart(
  context: UploadContext,
  row: UploadRow,
  idx: number,
  sha256: Uint8Array | null = null,
) {
  const lengthBytes = bytesOf(row, idx).length;
  const part = { uploadId: row.id, idx, lengthBytes, offsetBytes: null, sha256, requestId: 'r' };
  return await beginPart(context, { owner: row.owner }, part);
}

export async function sendPart(context: UploadContext, row: UploadRow, idx: number) {
  const started = await beginTestPart(context, row, idx);
  if (started.kind === 'answered') return started.receipt;
  await started.receiver.write(bytesOf(row, idx));
  return await started.receiver.commit();
}

export async function readRow(context: UploadContext, id: string): Promise<UploadRow> {
  return (await findUploadRow(context.db, id)) as UploadRow;
}

/**
 * A server that died in the middle of `complete`: the upload is being verified, and its bytes are moved, as file `f1`.
 */
export async function cutOffPublish(context: UploadContext, row: UploadRow): Promise<void> {
  const verifying = await moveUploadRow(context.db, row.id, 'complete', 2000, { file_id: 'f1' });
  assert.ok(verifying);
  await context.storage.uploads.publish(toStaged(verifying), toPlace(verifying, 'f1'));
}

export async function loseStaged(context: TestUploads, id: string): Promise<void> {
  await rm(context.stagedPath(id));
}
