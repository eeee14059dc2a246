/** Rows and databases for tests. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Database } from './database.ts';
import { openSqliteFile } from './open.ts';
import type { FileRow, UploadRow } from './tables.ts';
import type { PartCommit } from './uploads/parts.ts';
import type { OpenRequest } from './uploads/upload-opening.ts';

let lastId = 0;

/** A row as a plain object: a row that was read in this thread has no prototype, which deepEqual compares. */
export function plain<Row extends object>(row: Row | undefined): Row | undefined {
  return row && { ...row };
}

/** A new folder, removed when the test ends. */
export async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A migrated database in a new file, closed and removed when the test ends. */
export async function makeDatabase(t: TestContext): Promise<Database> {
  const db = await openSqliteFile(join(await makeFolder(t), 'test.sqlite'));
  t.after(() => db.destroy());
  return db;
}

/** A pending upload of 10 parts of 100 bytes, the last of 50, opened at 1,000 ms and expiring at 9,000 ms. */
export function draftRow(changes: Partial<UploadRow> = {}): UploadRow {
  return {
    id: `upload-${String(++lastId).padStart(6, '0')}`,
    owner: 'ada',
    status: 'pending',
    filename: 'a.bin',
    size: 950,
    part_size: 100,
    part_count: 10,
    received_parts: 0,
    received_bytes: 0,
    sha256: null,
    fingerprint: null,
    metadata: '{}',
    mrc: null,
    warnings: '[]',
    force: 0,
    file_id: null,
    failure: null,
    must_recheck: 0,
    link_id: null,
    instrument: null,
    is_trial: 0,
    proxied: 0,
    storage_ref: null,
    door: null,
    is_partial: 0,
    is_growing: 0,
    final_id: null,
    is_counted: 1,
    copied_from: null,
    dataset_id: null,
    created_at: 1000,
    updated_at: 1000,
    expires_at: 9000,
    ...changes,
  };
}

export async function insertRow(db: Database, changes: Partial<UploadRow> = {}): Promise<UploadRow> {
  const row = draftRow(changes);
  await db.insertInto('uploads').values(row).execute();
  return row;
}

/** A request for a new upload, which no limit refuses. */
export function openRequest(row: UploadRow, changes: Partial<OpenRequest> = {}): OpenRequest {
  return {
    row,
    mergeMetadata: (metadata) => metadata,
    idempotency: null,
    quotaBytes: null,
    maxOpen: 100,
    maxFiles: 1000,
    countedBytes: 0,
    link: null,
    dataset: null,
    expiredBeforeMs: row.created_at,
    freeBytes: 1_000_000,
    ...changes,
  };
}

/** A commit of part `idx` with bytes that depend on `content`. */
export function draftPart(idx: number, content = `part ${idx}`): PartCommit {
  const sha256 = new Uint8Array(createHash('sha256').update(content).digest());
  return {
    idx,
    sizeBytes: idx === 9 ? 50 : 100,
    sha256,
    receipt: null,
    storageRef: null,
    lease: null,
    nowMs: 2000,
    expiresAtMs: 10_000,
  };
}

/** A published file of `ada`, of one part. */
export function draftFile(id: string, size: number, uploadId = `of-${id}`): FileRow {
  const sha256 = new Uint8Array(32);
  return {
    id,
    upload_id: uploadId,
    owner: 'ada',
    filename: 'a.bin',
    size,
    sha256,
    parts_sha256: sha256,
    part_size: 100,
    part_count: 1,
    content_type: 'application/octet-stream',
    metadata: '{}',
    mrc: null,
    warnings: '[]',
    created_at: 4000,
    statistics: null,
    tiff: null,
    mdoc: null,
    mdoc_image: null,
    copied_from: null,
    compressed_size: null,
    compressed_sha256: null,
    fault: null,
    dataset_id: null,
    link_id: null,
    instrument: null,
    deleted_at: null,
  };
}
