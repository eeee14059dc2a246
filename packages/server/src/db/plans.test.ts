import assert from 'node:assert/strict';
import { CompiledQuery, type KyselyPlugin, sql } from 'kysely';
import { findSame, listKnown } from './copies/known-files.ts';
import { findCopyOf } from './copies/opening.ts';
import type { Database } from './database.ts';
import { findNextDelivery, listDue } from './deliveries.ts';
import { dialectOf } from './dialect.ts';
import { listFiles, listFilesAfter, listHalfDeleted } from './files.ts';
import { findNextJobTime } from './jobs.ts';
import { findFolder, findNewest, listFolders } from './library/folders.ts';
import type { LibraryQuery } from './library/query.ts';
import { searchLibrary } from './library/search.ts';
import { askLibrary } from './library/test-query.ts';
import { listAbsent, listNamed, listNaming } from './named-files.ts';
import { listOwners } from './owners.ts';
import { testDatabases } from './test-databases.ts';
import { findMissing, findPart, findParts, listParts } from './uploads/parts.ts';
import { sumReserved } from './uploads/reservations.ts';
import { findSigned, listSigned } from './uploads/signed-parts.ts';
import {
  findUploadRow,
  listExpired,
  listProgress,
  listStagedRefs,
  listToReverify,
  listUploadRows,
  sumStaged,
} from './uploads/uploads.ts';

/** Tables that grow with the years. */
const LARGE = 'uploads|parts|signed_parts|files|library|folders|events|jobs|deliveries';
/** How each database says that it reads all rows of one of them. */
const FULL_SCAN = {
  SQLite: new RegExp(`^SCAN (?:${LARGE})\\b(?! USING (?:COVERING )?INDEX)`),
  PostgreSQL: new RegExp(`Seq Scan on (?:${LARGE})\\b`),
};

/** The query plans for the queries of `work`. */
async function explain(db: Database, work: (db: Database) => Promise<unknown>): Promise<string[]> {
  const asked: Parameters<KyselyPlugin['transformQuery']>[0][] = [];
  const watched = db.withPlugin({
    transformQuery(query) {
      asked.push(query);
      return query.node;
    },
    transformResult: async ({ result }) => result,
  });
  await work(watched);
  assert.ok(asked.length > 0);
  return await db.transaction().execute(async (tx) => {
    const isPostgres = dialectOf(tx).isShared;
    // The tables are empty: without this, PostgreSQL reads them whole, because that is faster.
    if (isPostgres) await sql`set local enable_seqscan = off`.execute(tx);
    const steps: string[] = [];
    for (const { node, queryId } of asked) {
      const { sql: text, parameters } = tx.getExecutor().compileQuery(node, queryId);
      // It has no plan.
      if (text.startsWith('set local')) continue;
      // A part of another one.
      if (/turns\.owner/.test(text) && !/recursive/.test(text)) continue;
      const plan = CompiledQuery.raw(`explain ${isPostgres ? '' : 'query plan '}${text}`, [...parameters]);
      const { rows } = await tx.executeQuery<Record<string, string>>(plan);
      steps.push(...rows.map((row) => row.detail ?? row['QUERY PLAN'] ?? ''));
    }
    return steps;
  });
}

const UPLOAD = { id: 'u', part_count: 10, received_parts: 5 };

const DIGEST = new Uint8Array(32);
const SAME = { owner: 'ada', filename: 'a', dataset_id: null, sha256: DIGEST, path: 'a' };

const search = (asked: Partial<LibraryQuery>) => (db: Database) => searchLibrary(db, askLibrary(asked), null, 50);

/** What is asked for, and how SQLite finds it. */
const QUERIES: readonly (readonly [string, (db: Database) => Promise<unknown>, RegExp])[] = [
  ['a page of the files of an owner', (db) => listFiles(db, 'ada', { before: 'x', limit: 50 }), /files_by_owner/],
  [
    'a page of all files',
    (db) => listFilesAfter(db, { after: 'a', until: 'z', limit: 50 }),
    /files USING INDEX .*\(id>/,
  ],
  ['files of an owner by name', (db) => listNamed(db, 'ada', ['a', 'b'], 50), /files_by_name/],
  ['the .mdoc files of a series', (db) => listNaming(db, 'ada', ['a', 'b'], 50), /files_by_mdoc_image/],
  ['names without a file', (db) => listAbsent(db, 'ada', ['a', 'b']), /files_by_name/],
  [
    'files by digests',
    (db) => listKnown(db, 'ada', [DIGEST, new Uint8Array(32).fill(1)]),
    /files_by_digest \(owner=\? AND sha256=\?\)/,
  ],
  ['the same file', (db) => findSame(db, SAME), /files_by_digest \(owner=\? AND sha256=\?\)/],
  ['the same copy', (db) => findCopyOf(db, SAME), /uploads_by_owner_status \(owner=\? AND status=\?\)/],
  ['files with a word', search({ words: ['movie'] }), /library_text VIRTUAL TABLE INDEX/],
  ['files in a folder', search({ folder: 'a' }), /library_by_folder \(owner=\? AND folder=\?\)/],
  ['files below a folder', search({ prefix: 'a/' }), /library_by_folder \(owner=\? AND folder>\? AND folder<\?\)/],
  ['files of a kind', search({ kind: 'volume' }), /library_by_kind \(owner=\? AND kind=\?\)/],
  ['files of a size', search({ minSize: 1 }), /library_by_size \(owner=\? AND size>\?\)/],
  ['files of a time', search({ sinceMs: 1 }), /library_by_created \(owner=\? AND created_at>\?\)/],
  ['a folder', (db) => findFolder(db, 'ada', 'a/b'), /folders USING .*\(owner=\? AND parent=\? AND name=\?\)/],
  [
    'folders of a folder',
    (db) => listFolders(db, 'ada', 'a', { after: 'b', limit: 9 }),
    /folders USING .*\(owner=\? AND parent=\? AND name>\?\)/,
  ],
  ['the newest file of an owner', (db) => findNewest(db, 'ada'), /library_by_created \(owner=\?\)/],
  [
    'what owners have',
    (db) => listOwners(db, 'bytes', { after: null, limit: 9 }),
    /uploads_by_owner_status \(owner=\? AND status=\?\)/,
  ],
  ['half deleted files', listHalfDeleted, /files_by_deletion \(deleted_at>\?\)/],
  ['an upload', (db) => findUploadRow(db, 'u'), /uploads USING INDEX .*\(id=/],
  ['a page of the uploads of an owner', (db) => listUploadRows(db, 'ada', { limit: 50 }), /uploads_by_owner/],
  [
    'a page of the open uploads of an owner',
    (db) => listUploadRows(db, 'ada', { status: 'uploading', before: 'x', limit: 50 }),
    /uploads_by_owner/,
  ],
  ['the bytes of open uploads of an owner', (db) => sumStaged(db, 'ada'), /uploads_by_owner_status/],
  [
    'the space that open uploads reserve',
    (db) => sumReserved(db, { owner: 'ada', linkId: null }, 1, 1),
    /uploads_active/,
  ],
  ['expired uploads', (db) => listExpired(db, { nowMs: 1, after: '', limit: 100 }), /uploads/],
  ['uploads with staged bytes', listStagedRefs, /uploads_by_status/],
  ['progress of uploads', (db) => listProgress(db, ['u'], ['ada']), /uploads_by_owner_status/],
  ['uploads to verify again', listToReverify, /uploads_to_recheck/],
  ['a part', (db) => findPart(db, 'u', 1), /parts USING .*\(upload_id=\? AND idx=\?\)/],
  ['the parts of an upload', (db) => listParts(db, 'u', 0, 100), /parts USING .*\(upload_id=\?/],
  ['some parts', (db) => findParts(db, 'u', [1, 2]), /parts USING .*\(upload_id=\? AND idx=\?\)/],
  ['a signed part', (db) => findSigned(db, 'u', 1), /signed_parts USING .*\(upload_id=\? AND idx=\?\)/],
  ['the signed parts of an upload', (db) => listSigned(db, 'u', 0, 9), /signed_parts USING .*\(upload_id=\? AND idx>/],
  ['missing parts', (db) => findMissing(db, UPLOAD), /USING .*\(upload_id=\?/],
  ['the next job', (db) => findNextJobTime(db, 'analysis'), /jobs/],
  ['the next delivery', (db) => findNextDelivery(db, ['a']), /deliveries_due/],
  [
    'the deliveries of the owner whose turn it is',
    (db) => listDue(db, 1, ['a'], 4, 'ada'),
    /deliveries_by_turn \(owner=\? AND due_at<\?\)/,
  ],
];

for (const [what, work, index] of QUERIES) {
  testDatabases(`plans: ${what}: found by an index`, async (db) => {
    // Of an owner with few files all are read.
    await db.insertInto('owner_usage').values({ owner: 'ada', files: 1_000_000, bytes: 0 }).execute();
    const steps = await explain(db, work);
    const database = dialectOf(db).isShared ? 'PostgreSQL' : 'SQLite';
    if (database === 'SQLite') {
      assert.ok(
        steps.some((step) => index.test(step)),
        steps.join('\n'),
      );
    }
    for (const step of steps) assert.doesNotMatch(step, FULL_SCAN[database], steps.join('\n'));
  });
}
