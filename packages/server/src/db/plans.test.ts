import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CompiledQuery, type KyselyPlugin } from 'kysely';
import type { Database } from './database.ts';
import { findNextDelivery, listDue } from './deliveries.ts';
import { listHalfDeleted } from './files.ts';
import { makeDatabase } from './test-rows.ts';
import { listToReverify } from './uploads/uploads.ts';

/** The query plans of SQLite for the queries of `work`. */
async function explain(t: TestContext, work: (db: Database) => Promise<unknown>): Promise<string[]> {
  const db = await makeDatabase(t);
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
  const steps: string[] = [];
  for (const { node, queryId } of asked) {
    const { sql, parameters } = db.getExecutor().compileQuery(node, queryId);
    // A part of another one.
    if (/turns\.owner/.test(sql) && !/recursive/.test(sql)) continue;
    const plan = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]);
    steps.push(...(await db.executeQuery<{ detail: string }>(plan)).rows.map(({ detail }) => detail));
  }
  return steps;
}

for (const [what, work, index] of [
  ['uploads to verify again', listToReverify, /uploads_to_recheck/],
  ['half deleted files', listHalfDeleted, /files_by_deletion \(deleted_at>\?\)/],
  ['the next delivery', (db: Database) => findNextDelivery(db, ['a']), /deliveries_due/],
  [
    'the deliveries of the owner whose turn it is',
    (db: Database) => listDue(db, 1, ['a'], 4, 'ada'),
    /deliveries_by_turn \(owner=\? AND due_at<\?\)/,
  ],
] as const) {
  test(`plans: ${what} are found by an index`, async (t) => {
    const steps = await explain(t, work);
    assert.ok(
      steps.some((step) => index.test(step)),
      steps.join('\n'),
    );
    for (const step of steps) {
      assert.doesNotMatch(step, /^SCAN (?:uploads|files|deliveries)(?! USING (?:COVERING )?INDEX)/, steps.join('\n'));
    }
  });
}
