/** Servers whose connections to PostgreSQL are shared by PgBouncer in transaction mode. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPostgresDatabase } from '../../packages/server/src/db/open.ts';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { assertFailure } from '../contract/failure.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually, listFiles, publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';
import { missingPooler, startPooler } from './pgbouncer.ts';

const options = { skip: whyNoCluster() ?? missingPooler(), timeout: 120_000 };

test('PgBouncer: servers that start at once migrate an empty database one after the other', options, async (t) => {
  const pooler = await startPooler(await makePostgresUrl(t));
  t.after(() => pooler.stop());
  const all = await Promise.all([1, 2, 3].map(() => openPostgresDatabase(pooler.url, () => {})));
  await Promise.all(all.map((db) => db.destroy()));
});

test('PgBouncer: a server uploads through it, and goes on after it was away', options, async (t) => {
  const url = await makePostgresUrl(t);
  const pooler = await startPooler(url);
  const server = await startServer({ CRYOLIFT_DATABASE_URL: pooler.url });
  t.after(() => server.discard());
  const call = callAs(server, { sub: 'ada' });
  const files = await Promise.all(
    [1, 2, 3, 4].map(async (seed) => {
      const bytes = makeMrc(100_000 + seed);
      const file = await publish(call, bytes, { filename: `${seed}.mrc` });
      assert.equal(file.sha256, sha256Hex(bytes));
      return file.file_id;
    }),
  );
  assert.deepEqual((await listFiles(call)).map(({ file_id }) => file_id).sort(), files.sort());
  await pooler.stop();
  assertFailure(await call('GET', '/files'), 'database_unavailable');
  const again = await startPooler(url, Number(new URL(pooler.url).port));
  t.after(() => again.stop());
  await eventually(
    async () => await call('GET', '/files'),
    ({ status }) => status === 200,
  );
  await publish(call, makeMrc(100_000), { filename: 'after.mrc' });
});
