import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { readConfig } from './config/config.ts';
import { SettingError } from './config/setting-error.ts';
import { makeFolder } from './db/test-rows.ts';
import { createLogger } from './ops/log.ts';
import { startServer } from './server.ts';

test('server: data folder, storage folder and database are locked by one server', async (t) => {
  const folder = await makeFolder(t);
  const start = async (settings: Record<string, string>) => {
    const server = await startServer(readConfig({}, { port: '0', ...settings }), createLogger('silent'));
    t.after(() => server.stop(1000));
  };
  const [storage, database] = [`file:${join(folder, 'files')}`, `sqlite:${join(folder, 'db.sqlite')}`];
  await start({ 'data-dir': join(folder, '1'), 'storage-url': storage, 'database-url': database });
  const others = {
    CRYOLIFT_DATA_DIR: { 'data-dir': join(folder, '1') },
    // Each would delete the staged files of the other.
    CRYOLIFT_STORAGE_URL: { 'data-dir': join(folder, '2'), 'storage-url': storage },
    CRYOLIFT_DATABASE_URL: { 'data-dir': join(folder, '3'), 'database-url': database },
  };
  for (const [name, settings] of Object.entries(others)) {
    await assert.rejects(
      start(settings),
      (error) => error instanceof SettingError && error.message.startsWith(`${name}: `),
      name,
    );
  }
});

test('stop: event streams are closed at once, also with a long limit for parts', async (t) => {
  const folder = await makeFolder(t);
  const secret = 'a shared secret of 32 bytes or more';
  const config = readConfig({ CRYOLIFT_JWT_SECRET: secret }, { port: '0', 'data-dir': join(folder, 'data') });
  const server = await startServer(config, createLogger('silent'));
  const token = await new SignJWT({ scope: 'uploads:write' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .sign(new TextEncoder().encode(secret));
  const headers = { authorization: `Bearer ${token}` };
  const [read, unread] = await Promise.all([1, 2].map(() => fetch(`${server.url}/events`, { headers })));
  assert.deepEqual([read?.status, unread?.status], [200, 200]);
  // The test would end before this.
  await server.stop(3_600_000);
  await read?.text().catch(() => {});
});
