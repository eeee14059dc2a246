/** This version on the data of an earlier one, and on those of a later one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { FileRecord, UploadPage } from '@cryolift/protocol/messages';
import pg from 'pg';
import { findCluster, urlOf, whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { sha256Hex } from '../contract/sample.ts';
import { complete, eventually, listFiles, put } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import { runServe, type Settings, startServer } from '../server-under-test.ts';
import { HALF, OWNER, PUBLISHED, pathOf, SECRET, SENT_PARTS, sampleOf, unpack, VERSIONS } from './earlier-data.ts';

/** A copy of the data of an earlier version. */
interface Copy {
  readonly settings: Settings;
  /** Runs statements in its database, when no server runs. */
  run(sql: string): Promise<void>;
}

interface Deployment {
  readonly name: string;
  /** The setting that a refused start names. */
  readonly setting: string;
  readonly skip: string | false;
  copy(context: TestContext, version: string): Promise<Copy>;
}

const DEPLOYMENTS: readonly Deployment[] = [
  {
    name: 'SQLite',
    setting: 'CRYOLIFT_DATA_DIR',
    skip: false,
    async copy(context, version) {
      const folder = join(await makeFolder(context), 'data');
      unpack(pathOf(version, 'sqlite.tar.gz'), folder);
      return {
        settings: settingsOf(folder, {}),
        async run(sql) {
          const db = new DatabaseSync(join(folder, 'cryolift.sqlite'));
          db.exec(sql);
          db.close();
        },
      };
    },
  },
  {
    name: 'PostgreSQL',
    setting: 'CRYOLIFT_DATABASE_URL',
    skip: whyNoCluster() ?? false,
    async copy(context, version) {
      const folder = await makeFolder(context);
      const shared = join(folder, 'shared');
      unpack(pathOf(version, 'shared.tar.gz'), shared);
      const cluster = await findCluster();
      const name = `upgrade_${process.pid}_${Date.now()}`;
      await cluster.run(`create database ${name}`);
      const url = urlOf(cluster.url, name);
      const run = async (sql: string) => {
        const client = new pg.Client(url);
        await client.connect();
        await client.query(sql).finally(() => client.end());
      };
      await run(readFileSync(pathOf(version, 'postgres.sql'), 'utf8'));
      const where = { CRYOLIFT_DATABASE_URL: url, CRYOLIFT_STORAGE_URL: pathToFileURL(shared).href };
      return { settings: settingsOf(join(folder, 'data'), where), run };
    },
  },
];

function settingsOf(dataDir: string, more: Settings): Settings {
  return { CRYOLIFT_PORT: '0', CRYOLIFT_JWT_SECRET: SECRET, CRYOLIFT_DATA_DIR: dataDir, ...more };
}

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-upgrade-'));
  context.after(() => rm(folder, { recursive: true, maxRetries: 5 }));
  return folder;
}

/** What a later version writes that only adds to the tables: servers of this version may go on. */
const ADDED = `
  alter table uploads add column added_later text;
  insert into kysely_migration (name, timestamp) values ('999_of_a_later_version', '2030-01-01');
  update facts set value = '9.0.0' where name = 'server_version'`;
/** What it writes when it has taken something away. */
const TAKEN_AWAY = `insert into facts (name, value) values ('schema_floor', '999_of_a_later_version')`;

async function findFile(call: Call, name: string): Promise<FileRecord> {
  const file = (await listFiles(call)).find(({ filename }) => filename === name);
  assert.ok(file, name);
  return file;
}

async function assertContent(call: Call, name: string): Promise<void> {
  const { file_id, sha256 } = await findFile(call, name);
  const bytes = sampleOf(name);
  assert.equal(sha256, sha256Hex(bytes));
  const content = await call('GET', `/files/${file_id}/content`);
  assert.equal(content.status, 200);
  assert.ok(content.body.equals(bytes), name);
}

/** The upload that was under way goes on with the part that is missing. */
async function finishHalf(call: Call): Promise<void> {
  const { items } = (await call('GET', '/uploads')).json<UploadPage>();
  const upload = items.find(({ filename }) => filename === HALF);
  assert.ok(upload);
  assert.deepEqual([upload.status, upload.received_parts], ['uploading', SENT_PARTS.length]);
  assert.deepEqual(upload.missing_parts, [[1, 1]]);
  assert.equal((await put(call, upload, 1, sampleOf(HALF))).status, 201);
  assert.equal((await complete(call, upload)).status, 200);
}

test('upgrade: there are data of an earlier version', () => assert.ok(VERSIONS.length > 0));

for (const { name, setting, skip, copy } of DEPLOYMENTS) {
  for (const version of VERSIONS) {
    test(`upgrade: ${name}: files and uploads of ${version} are there, and go on`, { skip }, async (context) => {
      const { settings } = await copy(context, version);
      const server = await startServer(settings);
      context.after(() => server.discard());
      const call = callAs(server, { sub: OWNER });
      await assertContent(call, PUBLISHED);
      assert.deepEqual((await findFile(call, PUBLISHED)).metadata, { grid: '7' });
      assert.equal((await listFiles(call)).length, 1, 'the deleted file is not there');
      await finishHalf(call);
      await eventually(
        () => findFile(call, HALF),
        ({ sha256 }) => sha256 !== null,
      );
      await assertContent(call, HALF);
      const links = (await call('GET', '/links')).json<{ items: unknown[] }>();
      assert.equal(links.items.length, 1);
      assert.equal((await call('GET', '/readyz')).status, 200);
    });
  }

  const version = VERSIONS[0] as string;

  test(`roll back: ${name}: of a later version, data with something taken away are refused, others used`, {
    skip,
  }, async (context) => {
    const { settings, run } = await copy(context, version);
    const server = await startServer(settings);
    context.after(() => server.discard());
    assert.equal(await server.stop(), 0);
    await run(`${ADDED}; ${TAKEN_AWAY}`);
    const { code, stdout, stderr } = await runServe(settings);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `cryolift: ${setting}: the database was migrated by a newer version of Cryolift (9.0.0, 999_of_a_later_version); ` +
        'start that version, or restore the backup that was made before the upgrade\n',
    );
    await run(`delete from facts where name = 'schema_floor'`);
    await server.restart();
    const call = callAs(server, { sub: OWNER });
    await assertContent(call, PUBLISHED);
    await finishHalf(call);
  });
}
