/** Tests of queries: one body, every database. */
import { type TestContext, test } from 'node:test';
import type { Database } from './database.ts';
import { makeDatabase } from './test-rows.ts';

/** Makes an empty, migrated database, which is closed and removed when the test ends. */
type Make = (t: TestContext) => Promise<Database>;

const DATABASES: Readonly<Record<string, Make>> = { SQLite: makeDatabase };

/** Runs the body as one test for each database. */
export function testDatabases(name: string, body: (db: Database, t: TestContext) => Promise<void>): void {
  for (const [database, make] of Object.entries(DATABASES)) {
    test(`${database}: ${name}`, async (t) => await body(await make(t), t));
  }
}
