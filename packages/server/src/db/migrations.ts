import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COMPRESSION_MIGRATION } from './compression/migration.ts';
import { COPIES_MIGRATION } from './copies/migration.ts';
import type { Database } from './database.ts';
import { DATASETS_MIGRATION } from './datasets/migration.ts';
import { PUSHES_MIGRATION } from './datasets/pushes-migration.ts';
import { RECEIPTS_MIGRATION } from './datasets/receipts-migration.ts';
import { SILENCE_MIGRATION } from './datasets/silence-migration.ts';
import { WARNINGS_MIGRATION } from './datasets/warnings-migration.ts';
import { dialectOf } from './dialect.ts';
import { LIBRARY_MIGRATION } from './library/migration.ts';

/** In order of their names; a migration that has shipped is never edited. */
export const MIGRATIONS: Record<string, Migration> = {
  '001_uploads': {
    async up(db: Database) {
      const { text, bytes } = dialectOf(db).columns;
      await db.schema
        .createTable('uploads')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('status', text, (column) => column.notNull())
        .addColumn('filename', text, (column) => column.notNull())
        .addColumn('size', 'bigint', (column) => column.notNull())
        .addColumn('part_size', 'bigint', (column) => column.notNull())
        .addColumn('part_count', 'integer', (column) => column.notNull())
        .addColumn('received_parts', 'integer', (column) => column.notNull())
        .addColumn('received_bytes', 'bigint', (column) => column.notNull())
        .addColumn('sha256', bytes)
        .addColumn('fingerprint', text)
        .addColumn('metadata', text, (column) => column.notNull())
        .addColumn('mrc', text)
        .addColumn('warnings', text, (column) => column.notNull())
        .addColumn('force', 'integer', (column) => column.notNull())
        .addColumn('file_id', text)
        .addColumn('failure', text)
        .addColumn('must_recheck', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('uploads_by_owner').on('uploads').columns(['owner', 'id']).execute();
      await db.schema.createIndex('uploads_by_status').on('uploads').columns(['status', 'expires_at']).execute();

      await db.schema.createIndex('uploads_by_fingerprint').on('uploads').columns(['owner', 'fingerprint']).execute();

      // The key prevents a concurrent second commit of the same part.
      await db.schema
        .createTable('parts')
        .addColumn('upload_id', text, (column) => column.notNull())
        .addColumn('idx', 'integer', (column) => column.notNull())
        .addColumn('sha256', bytes, (column) => column.notNull())
        .addColumn('stored_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('parts_key', ['upload_id', 'idx'])
        .execute();

      await db.schema
        .createTable('files')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('upload_id', text, (column) => column.notNull().unique())
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('filename', text, (column) => column.notNull())
        .addColumn('size', 'bigint', (column) => column.notNull())
        .addColumn('sha256', bytes, (column) => column.notNull())
        .addColumn('parts_sha256', bytes, (column) => column.notNull())
        .addColumn('part_size', 'bigint', (column) => column.notNull())
        .addColumn('part_count', 'integer', (column) => column.notNull())
        .addColumn('content_type', text, (column) => column.notNull())
        .addColumn('metadata', text, (column) => column.notNull())
        .addColumn('mrc', text)
        .addColumn('warnings', text, (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('deleted_at', 'bigint')
        .execute();
      await db.schema.createIndex('files_by_owner').on('files').columns(['owner', 'id']).execute();

      await db.schema.createIndex('files_by_deletion').on('files').column('deleted_at').execute();

      await db.schema
        .createTable('idempotency_keys')
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('key', text, (column) => column.notNull())
        .addColumn('request_sha256', bytes, (column) => column.notNull())
        .addColumn('upload_id', text, (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('idempotency_keys_key', ['owner', 'key'])
        .execute();
      await db.schema.createIndex('idempotency_keys_by_upload').on('idempotency_keys').column('upload_id').execute();

      await db.schema
        .createTable('facts')
        .addColumn('name', text, (column) => column.primaryKey())
        .addColumn('value', text, (column) => column.notNull())
        .execute();
    },
  },
  '002_events': {
    async up(db: Database) {
      const { text, eventNumber } = dialectOf(db).columns;
      await db.schema
        .createTable('events')
        .addColumn('seq', eventNumber)
        .addColumn('id', text, (column) => column.notNull())
        .addColumn('type', text, (column) => column.notNull())
        .addColumn('subject', text, (column) => column.notNull())
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('time', 'bigint', (column) => column.notNull())
        .addColumn('data', text, (column) => column.notNull())
        .execute();
      await db.schema.createIndex('events_by_subject').on('events').columns(['subject', 'seq']).execute();
      await db.schema.createIndex('events_by_owner').on('events').columns(['owner', 'seq']).execute();
    },
  },
  '003_jobs': {
    async up(db: Database) {
      const { text, bytes } = dialectOf(db).columns;
      // The result of the analysis of a published file; null until it is known, and for files that are not MRC.
      await db.schema.alterTable('files').addColumn('statistics', text).execute();
      // The upload link with which an upload was started; null: a token.
      await db.schema.alterTable('uploads').addColumn('link_id', text).execute();
      await db.schema.createIndex('uploads_by_link').on('uploads').column('link_id').execute();
      await db.schema
        .createTable('links')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('token_sha256', bytes, (column) => column.notNull().unique())
        .addColumn('max_bytes', 'bigint')
        .addColumn('max_files', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute();

      await db.schema
        .createTable('jobs')
        .addColumn('id', text, (column) => column.primaryKey())
        .addColumn('kind', text, (column) => column.notNull())
        .addColumn('file_id', text, (column) => column.notNull())
        .addColumn('status', text, (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('run_at', 'bigint', (column) => column.notNull())
        .addColumn('leased_until', 'bigint')
        .addColumn('outcome', text)
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('jobs_by_status').on('jobs').columns(['status', 'run_at']).execute();
      await db.schema.createIndex('jobs_by_file').on('jobs').columns(['file_id', 'id']).execute();

      await db.schema
        .createTable('deliveries')
        .addColumn('seq', 'integer', (column) => column.primaryKey())
        .addColumn('upload_id', text, (column) => column.notNull())
        .addColumn('event', text, (column) => column.notNull())
        .addColumn('status', text, (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('next_at', 'bigint', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('trouble', text)
        .execute();
      await db.schema.createIndex('deliveries_by_status').on('deliveries').columns(['status', 'next_at']).execute();
      await db.schema.createIndex('deliveries_by_upload').on('deliveries').columns(['upload_id', 'seq']).execute();
    },
  },
  '004_links_by_owner': {
    async up(db: Database) {
      await db.schema.createIndex('links_by_owner').on('links').columns(['owner', 'id']).execute();
    },
  },
  '005_owner_shares': {
    async up(db: Database) {
      const { text } = dialectOf(db).columns;
      await db.schema
        .createIndex('uploads_by_owner_status')
        .on('uploads')
        .columns(['owner', 'status', 'link_id'])
        .execute();
      // The number and bytes of an owner's files, so that an init does not add up all of them.
      await db.schema
        .createTable('owner_usage')
        .addColumn('owner', text, (column) => column.primaryKey())
        .addColumn('files', 'bigint', (column) => column.notNull())
        .addColumn('bytes', 'bigint', (column) => column.notNull())
        .execute();
      await sql`
        insert into owner_usage (owner, files, bytes)
        select owner, count(*), sum(size) from files where deleted_at is null group by owner`.execute(db);
      // Owners take turns for jobs.
      await db.schema
        .alterTable('jobs')
        .addColumn('owner', text, (column) => column.notNull().defaultTo(''))
        .execute();
      await sql`
        update jobs set owner = coalesce((select owner from files where files.id = jobs.file_id), '')`.execute(db);
      await db.schema
        .createIndex('jobs_by_turn')
        .on('jobs')
        .columns(['kind', 'status', 'owner', 'run_at', 'id'])
        .execute();
      // Owners take turns for deliveries.
      await db.schema
        .alterTable('deliveries')
        .addColumn('owner', text, (column) => column.notNull().defaultTo(''))
        .execute();
      await db.schema.createIndex('deliveries_by_turn').on('deliveries').columns(['status', 'owner', 'seq']).execute();
    },
  },
  '006_trials': {
    async up(db: Database) {
      // 1: a trial upload. It emits no event, publishes no file, and is deleted when it ends.
      await db.schema
        .alterTable('uploads')
        .addColumn('is_trial', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  '007_due': {
    async up(db: Database) {
      // Set for the next delivery of an upload; null for later and dead ones.
      await db.schema.alterTable('deliveries').addColumn('due_at', 'bigint').execute();
      await sql`
        update deliveries set due_at = next_at
        where status = 'waiting' and not exists (
          select 1 from deliveries as older
          where older.upload_id = deliveries.upload_id and older.seq < deliveries.seq and older.status = 'waiting'
        )`.execute(db);
      await db.schema.dropIndex('deliveries_by_turn').execute();
      await sql`create index deliveries_due on deliveries (due_at) where due_at is not null`.execute(db);
      await sql`
        create index deliveries_by_turn on deliveries (owner, due_at, seq) where due_at is not null`.execute(db);
      // Every sweep searches for uploads that need re-verification.
      await sql`create index uploads_to_recheck on uploads (id) where must_recheck = 1`.execute(db);
    },
  },
  '009_job_fence': {
    async up(db: Database) {
      await db.schema
        .alterTable('jobs')
        .addColumn('fence', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  '010_storage_references': {
    async up(db: Database) {
      // What a storage finds the bytes of an upload, and of a part, by; null where their place is enough.
      await db.schema.alterTable('uploads').addColumn('storage_ref', 'text').execute();
      await db.schema.alterTable('parts').addColumn('receipt', 'text').execute();
    },
  },
  '011_late_digests': {
    async up(db: Database) {
      // Null until a job has read the file. SQLite cannot take `not null` away from a column.
      const { bytes } = dialectOf(db).columns;
      await db.schema.alterTable('files').addColumn('sha256_or_null', bytes).execute();
      await sql`update files set sha256_or_null = sha256`.execute(db);
      await db.schema.alterTable('files').dropColumn('sha256').execute();
      await db.schema.alterTable('files').renameColumn('sha256_or_null', 'sha256').execute();
    },
  },
  '012_leases': {
    async up(db: Database) {
      const { text } = dialectOf(db).columns;
      await db.schema
        .createTable('leases')
        .addColumn('name', text, (column) => column.primaryKey())
        .addColumn('holder', text, (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('successor', text)
        .execute();
    },
  },
  '013_signed_parts': {
    async up(db: Database) {
      const { text, bytes } = dialectOf(db).columns;
      await db.schema
        .createTable('signed_parts')
        .addColumn('upload_id', text, (column) => column.notNull())
        .addColumn('idx', 'integer', (column) => column.notNull())
        .addColumn('sha256', bytes, (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('signed_parts_key', ['upload_id', 'idx'])
        .execute();
      // 1: some part was sent through a server.
      await db.schema
        .alterTable('uploads')
        .addColumn('proxied', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  '014_active_uploads': {
    async up(db: Database) {
      // Of the uploads that reserve space; most open ones have been silent for longer.
      await sql`
        create index uploads_active on uploads (status, updated_at) where status in ('pending', 'uploading')`.execute(
        db,
      );
    },
  },
  '015_appends': {
    async up(db: Database) {
      const { text, bytes } = dialectOf(db).columns;
      const add = (name: string) =>
        db.schema
          .alterTable('uploads')
          .addColumn(name, 'integer', (column) => column.notNull().defaultTo(0))
          .execute();
      await db.schema.alterTable('uploads').addColumn('door', text).execute();
      await add('is_partial');
      await add('is_growing');
      await db.schema
        .createTable('appends')
        .addColumn('upload_id', text, (column) => column.primaryKey())
        .addColumn('raw_metadata', text)
        .addColumn('sources', text)
        .addColumn('header', bytes)
        .addColumn('stalled', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema
        .createTable('pieces')
        .addColumn('upload_id', text, (column) => column.notNull())
        .addColumn('offset', 'bigint', (column) => column.notNull())
        .addColumn('length', 'bigint', (column) => column.notNull())
        .addColumn('sha256', bytes, (column) => column.notNull())
        .addColumn('receipt', text)
        .addPrimaryKeyConstraint('pieces_key', ['upload_id', 'offset'])
        .execute();
    },
  },
  '016_concatenations': {
    async up(db: Database) {
      const { text } = dialectOf(db).columns;
      await db.schema.alterTable('uploads').addColumn('final_id', text).execute();
      await db.schema
        .alterTable('uploads')
        .addColumn('is_counted', 'integer', (column) => column.notNull().defaultTo(1))
        .execute();
      await db.schema.alterTable('appends').addColumn('concat', text).execute();
      await sql`create index uploads_final on uploads (final_id) where final_id is not null`.execute(db);
      await sql`create index appends_sources on appends (upload_id) where sources is not null`.execute(db);
    },
  },
  '017_mdoc': {
    async up(db: Database) {
      const { text } = dialectOf(db).columns;
      await db.schema.alterTable('files').addColumn('mdoc', text).execute();
      await db.schema.alterTable('files').addColumn('mdoc_image', text).execute();
      await db.schema.createIndex('files_by_name').on('files').columns(['owner', 'filename']).execute();
      await sql`
        create index files_by_mdoc_image on files (owner, mdoc_image) where mdoc_image is not null`.execute(db);
    },
  },
  '018_library': LIBRARY_MIGRATION,
  '019_tiff': {
    async up(db: Database) {
      await db.schema.alterTable('files').addColumn('tiff', dialectOf(db).columns.text).execute();
    },
  },
  '020_datasets': DATASETS_MIGRATION,
  '021_receipts': RECEIPTS_MIGRATION,
  '022_link_notes': {
    async up(db: Database) {
      await db.schema.alterTable('links').addColumn('note', dialectOf(db).columns.text).execute();
    },
  },
  '023_copies': COPIES_MIGRATION,
  '024_silence': SILENCE_MIGRATION,
  '025_pushes': PUSHES_MIGRATION,
  '026_dataset_warnings': WARNINGS_MIGRATION,
  '027_compression': COMPRESSION_MIGRATION,
};
