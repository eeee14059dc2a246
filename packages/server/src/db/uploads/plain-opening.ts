/**
 * Starts an upload by one step that reads nothing before, for the usual case: there is none to resume, and no limit is
 * near. Its checks are stricter than those of `openUploadRow`, which decides where this one refuses.
 */
import { OPEN_STATES } from '@cryolift/protocol/states';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import type { GuardedStep } from '../dialect.ts';
import type { UploadRow } from '../tables.ts';
import { HALF_MS } from './reservations.ts';
import { MAX_ENDED, type OpenRequest, UNPUBLISHED_STATES } from './upload-opening.ts';
import { STAGED_STATES } from './uploads.ts';

/** @returns the steps, which refuse what is not plain; null when it is not plain without a look at the database. */
export function openPlainly(db: Database, request: OpenRequest): GuardedStep[] | null {
  const { row, idempotency } = request;
  if (request.link || request.countedBytes > 0 || (request.dataset && request.row.dataset_id === null)) return null;
  const otherwise = sql`select 1`.compile(db);
  const steps: GuardedStep[] = [{ write: insertWithin(db, request), otherwise }];
  if (idempotency) {
    const key = db
      .insertInto('idempotency_keys')
      .values({
        owner: row.owner,
        key: idempotency.key,
        request_sha256: idempotency.requestSha256,
        upload_id: row.id,
        created_at: row.created_at,
      })
      .onConflict((conflict) => conflict.doNothing());
    steps.push({ write: key.compile(), otherwise });
  }
  return steps;
}

function insertWithin(db: Database, request: OpenRequest) {
  const { row } = request;
  const columns = Object.keys(row) as (keyof UploadRow)[];
  return sql`
    insert into uploads (${sql.join(columns.map((column) => sql.ref(column)))})
    select ${sql.join(columns.map((column) => row[column]))} where ${sql.join(conditionsOf(request), sql` and `)}
  `.compile(db);
}

function conditionsOf({ row, quotaBytes, maxOpen, maxFiles, freeBytes }: OpenRequest): RawBuilder<unknown>[] {
  const ofOwner = (states: RawBuilder<unknown>) =>
    sql`from uploads where owner = ${row.owner} and is_counted = 1 and status in (${states})`;
  const held = (column: 'files' | 'bytes') =>
    sql`coalesce((select ${sql.ref(column)} from owner_usage where owner = ${row.owner}), 0)`;
  // Open ones and those that ended without a file: more than any of the limits counts.
  const unpublished = sql`(select count(*) ${ofOwner(sql.join(UNPUBLISHED_STATES))})`;
  const conditions = [
    sql`${unpublished} < ${Math.min(maxOpen, MAX_ENDED)}`,
    sql`${unpublished} + ${held('files')} < ${maxFiles}`,
  ];
  if (quotaBytes !== null) {
    const staged = sql`(select coalesce(sum(size), 0) ${ofOwner(sql.join(STAGED_STATES))})`;
    conditions.push(sql`${held('bytes')} + ${staged} <= ${quotaBytes - row.size}`);
  }
  // Literals, as in the partial index: SQLite does not use the index with parameters.
  const open = sql.join(OPEN_STATES.map((state) => sql.lit(state)));
  if (row.fingerprint !== null) {
    conditions.push(sql`not exists (
      select 1 from uploads where owner = ${row.owner} and fingerprint = ${row.fingerprint} and status in (${open})
    )`);
  }
  if (row.dataset_id !== null) {
    conditions.push(sql`exists (
      select 1 from datasets
      where id = ${row.dataset_id} and state = 'open' and deleted_at is null and quota_bytes is null
    )`);
  }
  if (Number.isFinite(freeBytes)) {
    // No upload reserves more than its size.
    const reserved = sql`(
      select coalesce(sum(size), 0) from uploads where status in (${open}) and updated_at > ${row.created_at - HALF_MS}
    )`;
    conditions.push(sql`${reserved} <= ${Math.floor(freeBytes) - row.size}`);
  }
  return conditions;
}
