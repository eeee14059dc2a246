/** Tests of queries: one body, every database. */
import { type TestContext, test } from 'node:test';
import type { Database } from './database.ts';
import { openPostgresDatabase } from './open.ts';
import { findCluster, urlOf, whyNoCluster } from './postgres/test-cluster.ts';
import { makeDatabase } from './test-rows.ts';

/** Makes an empty, migrated database, which is closed and removed when the test ends. */
type Make = (t: TestContext) => Promise<Database>;

const DATABASES: Readonly<Record<string, { make: Make; whyNot: string | null }>> = {
  SQLite: { make: makeDatabase, whyNot: null },
  PostgreSQL: { make: makePostgres, whyNot: whyNoCluster() },
};

/** Migrated, and never changed. */
const TEMPLATE = `template_${process.pid}`;

/** So that a test that waits for a notification in vain ends. */
const POSTGRES_MS = 60_000;

let template: Promise<void> | null = null;
let made = 0;

/** Runs the body as one test for each database. */
export function testDatabases(name: string, body: (db: Database, t: TestContext) => Promise<void>): void {
  for (const [database, { make, whyNot }] of Object.entries(DATABASES)) {
    test(`${database}: ${name}`, { skip: whyNot ?? false }, async (t) => await body(await make(t), t));
  }
}

/** A test of PostgreSQL alone. */
export function testPostgres(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, { skip: whyNoCluster() ?? false, timeout: POSTGRES_MS }, body);
}

/** As `makeDatabase`, in the cluster of tests. */
export async function makePostgres(t: TestContext): Promise<Database> {
  template ??= makeTemplate();
  await template;
  const db = await openPostgresDatabase(await makePostgresUrl(t, TEMPLATE), () => {});
  t.after(() => db.destroy());
  return db;
}

/** A copy of a migrated database is made faster than the database is migrated. */
async function makeTemplate(): Promise<void> {
  const { url, run } = await findCluster();
  await run(`create database ${TEMPLATE}`);
  const db = await openPostgresDatabase(urlOf(url, TEMPLATE), () => {});
  await db.destroy();
}

/**
 * The URL of a database, which is dropped when the test ends.
 *
 * @param from the database to copy; by default an empty one.
 */
export async function makePostgresUrl(t: TestContext, from = 'template1'): Promise<string> {
  const { url, run } = await findCluster();
  const name = `test_${process.pid}_${++made}`;
  await run(`create database ${name} template ${from}`);
  t.after(() => run(`drop database ${name} with (force)`));
  return urlOf(url, name);
}
