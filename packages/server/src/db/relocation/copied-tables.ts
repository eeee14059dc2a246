/** Which rows a relocation copies as they are, table by table. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../database.ts';
import { SCHEMA_FLOOR, SERVER_VERSION } from '../schema.ts';
import { SHARED_SECRETS } from '../secrets.ts';
import {
  BOOT_ID,
  COMPRESSION_PLANNED,
  DATABASE_ID,
  EVENT_TIMELINE,
  LIBRARY_COMPLETE,
  SCRUB,
  SHARED_FOLDER_ID,
} from '../server-state.ts';
import type { Tables } from '../tables.ts';
import { LIVE_STATES } from '../uploads/parts.ts';
import { RELOCATION } from './marks.ts';

export type Row = Record<string, unknown>;

/** Any table: names of tables are values here. */
export function anyTable(db: Database): Kysely<Record<string, Row>> {
  return db as unknown as Kysely<Record<string, Row>>;
}

/**
 * Every table by its key, in the order in which they are copied; null: not copied, because it is of running servers, or
 * made of others by the next start. A new table does
 * not compile without its key.
 */
export const KEYS: Readonly<Record<keyof Tables, readonly string[] | null>> = {
  facts: ['name'],
  links: ['id'],
  uploads: ['id'],
  parts: ['upload_id', 'idx'],
  signed_parts: ['upload_id', 'idx'],
  appends: ['upload_id'],
  pieces: ['upload_id', 'offset'],
  datasets: ['id'],
  expected: ['dataset_id', 'source', 'how', 'sought'],
  receipts: ['id'],
  pushes: ['id'],
  pushed_files: ['push_id', 'file_id'],
  files: ['id'],
  owner_usage: ['owner'],
  library: null,
  folders: null,
  idempotency_keys: ['owner', 'key'],
  jobs: ['id'],
  deliveries: ['seq'],
  events: ['seq'],
  leases: null,
};

/** What this database needs of the version that uses it, and the version that has used it. */
export const SCHEMA_FACTS: readonly string[] = [SCHEMA_FLOOR, SERVER_VERSION];
/**
 * Facts that belong to one database: the mark of the relocation, the system that the server ran on, the timeline of
 * PostgreSQL, that the library is complete. Secrets are copied on their own, because SQLite has them in files.
 */
const LOCAL_FACTS = [
  ...SCHEMA_FACTS,
  RELOCATION,
  BOOT_ID,
  COMPRESSION_PLANNED,
  EVENT_TIMELINE,
  LIBRARY_COMPLETE,
  ...SHARED_SECRETS,
];
/** By these, a bucket or a shared folder and its database know each other. */
export const STORAGE_FACTS: readonly string[] = [DATABASE_ID, SHARED_FOLDER_ID];
/** How far the bytes of one storage were read. */
const READ_FACTS = [SCRUB];

export interface CopiedTable {
  readonly name: keyof Tables;
  readonly keys: readonly string[];
  /** The rows that are copied; null: all. */
  readonly only: ReturnType<typeof sql<boolean>> | null;
  /** The row as it is written. */
  change(row: Row): Row;
}

/**
 * @param storageStays both databases have the same storage. Otherwise uploads under way are copied together with their
 *   bytes, and what the storage found the bytes of others by is left out.
 */
export function listCopied(storageStays: boolean): CopiedTable[] {
  return (Object.keys(KEYS) as (keyof Tables)[]).flatMap((name) => {
    const keys = KEYS[name];
    // URLs of another storage, and bytes that are not a whole part: only parts are copied.
    if ((name === 'signed_parts' || name === 'pieces') && !storageStays) return [];
    const only = selectionOf(name, storageStays);
    return keys === null ? [] : [{ name, keys, only, change: (row) => changeOf(name, row, storageStays) }];
  });
}

function selectionOf(name: keyof Tables, storageStays: boolean): CopiedTable['only'] {
  const live = sql.join(LIVE_STATES);
  if (name === 'facts') {
    const left = storageStays ? LOCAL_FACTS : [...LOCAL_FACTS, ...STORAGE_FACTS, ...READ_FACTS];
    return sql<boolean>`name not in (${sql.join(left)})`;
  }
  if (storageStays) return null;
  if (name === 'uploads') return sql<boolean>`status not in (${live})`;
  // Of parts of concatenations nothing is copied.
  if (name === 'appends') return sql<boolean>`upload_id in (select id from uploads where is_partial = 0)`;
  if (name === 'parts') return sql<boolean>`upload_id not in (select id from uploads where status in (${live}))`;
  return null;
}

function changeOf(name: keyof Tables, row: Row, storageStays: boolean): Row {
  // PostgreSQL alone has it, and makes it.
  const { entry: _, ...changed } = row;
  if (storageStays) return changed;
  if (name === 'uploads') return { ...changed, storage_ref: null };
  if (name === 'parts') return { ...changed, receipt: null };
  // The original is copied.
  if (name === 'files') return { ...changed, compressed_size: null, compressed_sha256: null };
  return changed;
}
