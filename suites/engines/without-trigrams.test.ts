/** Servers whose PostgreSQL does not have the extension pg_trgm: they search all the same, and say what is missing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { FilePage } from '@cryolift/protocol/messages';
import pg from 'pg';
import { findCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl, testPostgres } from '../../packages/server/src/db/test-databases.ts';
import { makeMrc } from '../contract/sample.ts';
import { publish } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';

const WARNING = 'PostgreSQL has no index library_by_text';
const GUIDE = new URL('../../docs/guides/scale-out.md', import.meta.url);
/** From this version on, an installation can be told to look for extensions elsewhere. */
const WITH_CONTROL_PATH = 180_000;

let made = 0;

/** An empty database for a user without the right to create extensions. @returns the URLs of an administrator and of the user. */
async function makePlainUser(t: TestContext) {
  const admin = await makePostgresUrl(t);
  const user = `plain_${process.pid}_${++made}`;
  await run(admin, `create role ${user} login`);
  await run(admin, `grant all on schema public to ${user}`);
  const { run: runInCluster } = await findCluster();
  t.after(() => runInCluster(`drop role ${user}`));
  return { admin, user, url: Object.assign(new URL(admin), { username: user }).href };
}

async function run(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

async function serve(t: TestContext, url: string): Promise<{ server: OwnServer; call: Call }> {
  const server = await startServer({ CRYOLIFT_DATABASE_URL: url });
  t.after(() => server.discard());
  return { server, call: callAs(server, { sub: 'ada' }) };
}

async function find(call: Call, q: string): Promise<string[]> {
  const answer = await call('GET', `/files?q=${encodeURIComponent(q)}`);
  assert.equal(answer.status, 200, answer.body.toString());
  const { items, total, total_is_more } = answer.json<FilePage>();
  assert.deepEqual([total, total_is_more], [items.length, false]);
  return items.map(({ filename }) => filename);
}

async function assertFound(call: Call): Promise<void> {
  assert.deepEqual(await find(call, 'GRID-7'), ['one.mrc']);
  assert.deepEqual(await find(call, 'session .mrc'), ['two.mrc', 'one.mrc']);
  assert.deepEqual(await find(call, 'grid_7'), []);
}

testPostgres('without pg_trgm: words are found and a warning says so, until an administrator adds it', async (t) => {
  const { admin, url } = await makePlainUser(t);
  const { server, call } = await serve(t, url);
  for (const [filename, folder] of [
    ['one.mrc', 'grid-7'],
    ['two.mrc', 'grid-8'],
  ] as const) {
    await publish(call, makeMrc(2000), { filename, metadata: { path: `session/${folder}/${filename}` } });
  }
  await assertFound(call);
  assert.ok(server.stderr.includes(WARNING) || server.stdout.includes(WARNING), server.stdout + server.stderr);
  assert.equal(await server.stop(), 0);

  const [, statements = ''] = /```sql\n(.*?)```/s.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  assert.match(statements, /pg_trgm/);
  for (const statement of statements.split(';').filter((each) => each.trim() !== '')) await run(admin, statement);
  const later = await serve(t, url);
  await assertFound(later.call);
  assert.ok(!`${later.server.stdout}${later.server.stderr}`.includes(WARNING));
  assert.equal(await later.server.stop(), 0);
});

testPostgres('without pg_trgm: a server starts where the installation does not have it at all', async (t) => {
  const { admin, user, url } = await makePlainUser(t);
  const { rows } = await run(admin, 'show server_version_num');
  if (Number(rows[0].server_version_num) < WITH_CONTROL_PATH) return t.skip('this version has all of its extensions');
  await run(admin, `alter role ${user} set extension_control_path = '/none'`);
  await run(admin, `do $$ begin execute format('grant create on database %I to ${user}', current_database()); end $$`);
  await assert.rejects(run(url, 'create extension pg_trgm'), /not available/);
  const { server, call } = await serve(t, url);
  await publish(call, makeMrc(2000), { filename: 'only.mrc' });
  assert.deepEqual(await find(call, 'only'), ['only.mrc']);
  assert.ok(`${server.stdout}${server.stderr}`.includes(WARNING));
  assert.equal(await server.stop(), 0);
});
